"""A child without an identity number. Somebody may `apply` for it under its birth certificate, the medical bureau sees
it at its `desk` and may `register` it, with the newborn's price where the year has one for it. Once it has a number two
of a bureau `join` the two, from a paper or from what a file offered (`joins`)."""
