"""The whole reckoning a second time, for any year's file: read as it stands there, reckoned as tables of rules of which
the first that fits counts. Nothing is taken from the program but the words for facts; all amounts are fen."""
