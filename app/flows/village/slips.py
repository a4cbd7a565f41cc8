"""A village on paper: one slip a household, to be cut and handed out. No price, no number, no category is on it:
whoever finds a slip learns a masked name and where to pay."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

from app.flows.due.quote import SELF
from app.flows.parts import Parts
from app.flows.village.people import Standing, Villager, villagers
from core.redact import mask_name

_HEAD = "户主"
_TO_DO = frozenset({Standing.UNPAID, Standing.TIER_OPEN, Standing.FREE})


@dataclass(frozen=True)
class Slip:
    """One household's: its number, its head (masked; whoever is first where nobody is), how many people."""

    household_number: str
    name: str
    people: int


def slips(parts: Parts, village_code: str, *, everybody: bool = False) -> list[Slip]:
    """A slip for each household with something left to do, or for all; by household number."""
    lines, _ = villagers(parts, village_code, channel=SELF)  # a slip is for one's own phone
    lines.sort(key=lambda line: (line.subject.household_number, line.subject.household_id, line.subject.id))
    found = []
    for _, members in groupby(lines, key=lambda line: line.subject.household_id):
        own = list(members)
        if everybody or any(line.standing in _TO_DO for line in own):
            found.append(_slip(own))
    return found


def _slip(own: Sequence[Villager]) -> Slip:
    head = next((line.subject for line in own if line.subject.relation_to_head == _HEAD), own[0].subject)
    return Slip(head.household_number, mask_name(head.name), len(own))
