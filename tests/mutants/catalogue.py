"""The mistakes of catalogue.toml: what somebody might have written, where, and which tests must notice. And where money
is handled (money.toml), for mistakes made by chance."""

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


@dataclass(frozen=True)
class Room:
    """Files that handle money, by pattern, and the tests that are told of a mistake in them."""

    files: Sequence[str]
    told: Sequence[str]


MUTANTS = tuple(
    Mutant(**one) for one in tomllib.loads(Path(__file__).with_suffix(".toml").read_text(encoding="utf-8"))["mutant"]
)
_MONEY = tomllib.loads(Path(__file__).with_name("money.toml").read_text(encoding="utf-8"))
MONEY = tuple(Room(**one) for one in _MONEY["room"])
NO_MISTAKES = {(one["file"], one["line"], one["instead"]): one["why"] for one in _MONEY.get("no_mistake", ())}
