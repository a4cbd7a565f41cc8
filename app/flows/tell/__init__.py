"""People hear of it. `announce` prepares what a settlement says; `subscribe` counts consents; `remind` begins by
itself; `send` hands over; `ask_back` what became of it; `at_the_door` what only the agent can tell; `words` a notice
as offices read it."""
