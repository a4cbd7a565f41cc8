"""A payer complains at his gateway. `hear` keeps a notification's hint; `ask` brings the case and what was said;
`watch` polls, and rings while there is time; `desk` shows it to the offices; `words` says what may go out;
`answer` writes it down, `send` says it."""
