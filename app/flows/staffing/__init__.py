"""A town's agents from a list. `rows` reads the list and judges each row; `make` makes the accounts and their slips;
`jobs` is what the office process does of it; `desk` is what a town sees and does at its page: the list looked at and
confirmed, an agent ended, a lost telephone told of by one and agreed to by another."""
