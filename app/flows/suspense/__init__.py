"""Money in doubt. `desk` the list and one with its evidence; `solve` takes it, keeps it, settles a bill or gives it
back."""
