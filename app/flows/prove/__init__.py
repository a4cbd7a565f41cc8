"""What proves it. `papers` writes a confirmation or a certificate once; `check` tells a true code from a false one."""
