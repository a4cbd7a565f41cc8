"""Somebody of an office hands something in. `keep` takes his file, sealed piece by piece, and gives it back; `ask` says
what shall be done and shows how far it is; `work` is what the office process does, in the name of who
asked; `files` leads a file that is looked at before it counts."""
