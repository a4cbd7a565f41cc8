"""What is kept, and under which key. `sealed` says where personal data lies; `reseal` brings all of it under another
key; `retention` lets go of what is over its time. `erase` does so for one person when two have agreed, with what
`addresses` finds to be his; `erased_list` says outside the database who it was, and `erase_again` repeats it after a
restore."""
