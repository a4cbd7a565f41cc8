"""What is due and why. `look_up` who it is; `facts` from the register to the rules; `quote` what is due, each an
`item`, without a price in `doubt`, an agent's only if it is `listed`; `rise` what a higher tier costs who has paid;
`pledged` what sponsors have left for the next; `explain` line by line; `record` his years with the medical insurance;
`draft` the bill it would be; `coverage` whose premium is done; `replay` and `replay_book` everybody under another
year's rules."""
