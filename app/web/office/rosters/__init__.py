"""Rosters at the offices' pages: drawn up, signed by one office after the other, handed to the town and its agents."""
