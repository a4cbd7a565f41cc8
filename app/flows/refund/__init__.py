"""Money goes back. `wish` a resident asks; `steps` four hands, each once; `desk` what waits for whom; `give_back` the
gateway or a transfer; `follow` every step in words; `announce` tells; `entitle_late` asks for those
recognised late, `for_nothing` for those who paid whole for somebody insured elsewhere."""
