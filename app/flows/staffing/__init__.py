"""Accounts from a list. `lists` reads one; `rows` judges a town's agents, `staff_rows` the offices' staff; `make` makes
the accounts and their slips; `jobs` is what the office process does of a town's; `desk` is what a town sees and does
at its page: the list looked at and confirmed, an agent ended, a lost telephone told of by one and agreed to by another;
`bring_staff` is the operator's."""
