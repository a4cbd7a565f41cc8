"""Somebody gives for others' premiums. `promise` what he promised, checked; `enter` it is written down, agreed to by
another, and ended; `pay_in` a code brings its money; `desk` what came in, what is spoken for and whose share it paid;
`give_back` what is left asks for its way back."""
