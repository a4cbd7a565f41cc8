"""The mistakes of catalogue.toml: what somebody might have written, where, and which tests must notice."""

import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Mutant:
    """A mistake: in `file`, the one place that says `old` says `new`; one of the tests `told` must fail."""

    name: str
    file: str
    old: str
    new: str
    told: Sequence[str]


MUTANTS = tuple(
    Mutant(**one) for one in tomllib.loads(Path(__file__).with_suffix(".toml").read_text(encoding="utf-8"))["mutant"]
)
