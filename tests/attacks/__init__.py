"""What somebody might try: each attack of the catalogue against the running system."""
