"""Who of a village is to pay, as a list that people sign for. `draw` draws rosters up from the register as it stands,
the `desk` shows them and what is odd, `move` takes one from hand to hand; the agent `post`s it for three days, anybody
may be `show`n what hangs, and `objections` to it are answered. After the season the tax branch draws who is insured and
who is not yet (`close`), another agrees, the list is `put_up` and taken down, `closings` tell where each stands, and a
town may `print_all` of them.
All of it is one paper in the `archive`; what lies too long wakes somebody (`watch`)."""
