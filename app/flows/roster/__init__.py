"""Who of a village is to pay, as a list that people sign for. `draw` draws rosters up from the register as it stands,
the `desk` shows them and what is odd, `move` takes one from hand to hand."""
