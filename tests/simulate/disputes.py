"""What the police say of somebody, and what of it cannot be true beside the register: reckoned without the
database's own functions."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from tests.simulate.owed import MEDICAL, PENSION

MOVES = ("CANCELLED", "MOVED_OUT")


@dataclass
class Said:
    """A word of theirs about somebody: the day, in which file it came last, whether it counts."""

    day: date | None
    file: int
    counts: bool = True

    @property
    def when(self) -> str:
        """As a conflict keeps it."""
        return str(self.day) if self.day else "-"


@dataclass
class Dispute:
    """A conflict as it must be: `about` tells it from another of its kind; when it was open. `solved`: by a decision,
    after which it does not come again."""

    person: int
    kind: str
    about: str
    insurances: frozenset[str]
    since: int
    until: int | None = None
    solved: bool = False

    @property
    def owner(self) -> str:
        """Who decides: of a death the human resources bureau, if a pension is in it; of all else the medical one."""
        if self.kind == "ALIVE":
            return "hrss" if PENSION in self.insurances else "medical"
        return "medical" if MEDICAL in self.insurances else "hrss"


def contradictions(said: Mapping[str, Said], active: frozenset[str]) -> dict[tuple[str, str], frozenset[str]]:
    """Of somebody whom the register calls alive, of the district, and too young to pay nothing: kind and what it is
    about → the insurances. Pure."""
    if not active:
        return {}
    if "DIED" in said:
        return {("ALIVE", said["DIED"].when): active}
    found = {}
    moves = [(held.day or date.min, held.file, code) for code, held in said.items() if code in MOVES]
    if moves:  # the latest; of one file the first by its code
        last = max(moves, key=lambda each: (each[0], each[1], each[2] == MOVES[0]))
        found["RESIDENCE", f"{last[2]} {said[last[2]].when}"] = active
    if "EXEMPT" in said and MEDICAL in active:
        found["AGE", ""] = frozenset({MEDICAL})
    return found
