"""What the archive of a roster says, for whoever draws it and whoever only knows it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True)
class Table:
    """A titled table; `none`: what is said where it has no row."""

    title: str
    head: Sequence[str]
    rows: Sequence[Sequence[str]]
    none: str = "没有。"


@dataclass(frozen=True)
class Photo:
    """How something hung, as a picture, and what it shows."""

    words: str
    picture: bytes


@dataclass(frozen=True)
class Names:
    """A list as it hung: masked names under a title."""

    title: str
    names: Sequence[str]


@dataclass(frozen=True)
class Archive:
    """All that stands on it, in its order. `facts`: name and words."""

    title: str
    issuer: str
    at: datetime
    facts: Sequence[tuple[str, str]]
    tables: Sequence[Table]
    photos: Sequence[Photo]
    lists: Sequence[Names]
    foot: str
