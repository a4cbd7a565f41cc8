"""A county's season from one seed: hostile gateways, killed processes, crashed databases, and an oracle that counts the
money afterwards by the far side's own lists. docs/proof.md tells how to run it and what it proves."""
