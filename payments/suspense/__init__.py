"""Money that fits no bill: whose it is to solve, until when, and how it ends."""
