"""At one table with the payer: an agent in his village, a clerk at a town's counter. The same pages for both, under two
names (`agent_table`, `counter`): `place` who sits here and whom he sees, `listing` the way back to where the next
one is found, `chosen` what a page asks for, `house` a household and its sheets, `paid` a code, what became of it and
its papers, `bureau` what only a bureau decides."""
