"""Deliberate mistakes in the code that settles, gives back and reconciles: the tests must notice every one.

`python -m tests.mutants` tries them all; `make test` tries a few."""
