"""What a poster says, for whoever draws it and whoever only knows it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime


@dataclass(frozen=True)
class Poster:
    """What is drawn: every name masked, in the order in which they hang; `changes`: the list of what was changed."""

    place: str
    title: str
    version: int
    code: str
    address: str
    added: Sequence[str]
    removed: Sequence[str]
    names: Sequence[str]
    prices: Sequence[str]
    posted_on: date
    until: date
    phone: str
    issuer: str
    at: datetime


def grouped(code: str) -> str:
    """ABCD-EF01-2345."""
    return "-".join(code[at : at + 4] for at in range(0, len(code), 4))
