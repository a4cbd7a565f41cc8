"""What is kept, and under which key. `sealed` says where personal data lies; `reseal` brings all of it under another
key; `retention` lets go of what is over its time."""
