"""Somebody comes in. `sign_in` a resident by his phone; `session` what every door makes of a cookie or a login;
`second` the second factor; `accounts` those of agents and offices come and go; `own` what each does with his own;
`detour` asks WeChat whose phone a payment is made on."""
