"""What wakes somebody by itself. `book` every truth that must hold, each minute; `keys` those that end
soon; `clock` whether this machine's is right."""
