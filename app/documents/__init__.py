"""Papers: what is printed or kept as PDF, drawn from facts that are given. No database, no clock."""
