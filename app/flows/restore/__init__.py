"""What is lost can be had again. `keeper` speaks to who keeps the backups; `back_up` takes one; `drill` restores to a
second server, where `prove` asks every truth and every certificate and `lists` counts the gateways' money; `watch`
wakes somebody; `reopen` begins service again after a restore that was no drill."""
