"""Who of a village is to pay, as a list that people sign for. `draw` draws rosters up from the register as it stands,
the `desk` shows them and what is odd, `move` takes one from hand to hand; the agent `post`s it for three days, anybody
may be `show`n what hangs, and `objections` to it are answered."""
