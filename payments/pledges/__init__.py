"""Sponsors' money: what a pledge was given, what it is spoken for, and what goes back (decision 0053)."""
