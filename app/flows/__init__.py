"""The things the system does, one file each. Only flows commit, and never while a gateway is being called."""
