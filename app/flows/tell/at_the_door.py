"""What no channel could tell: the agent goes to the house, reads it out, and says that it was done."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import text

from app.flows.parts import Parts
from app.flows.tell.remind import left_to_tell_in
from core.errors import NotFound
from notifications.rules import OF_THE_HOUR
from notifications.send import NOBODY_WAITS, render

MOST = 200  # on one page
KINDS = (
    *("paid", "settled", "surplus", "refund_asked", "refund_rejected", "refunded", "remind", "waived"),
    *("determined", "not_determined", "answered", "cash", "cash_anew", "cash_voided"),
)


class NoSuchVisit(NotFound):
    """Nothing to tell there, or told already."""

    text = "这一条没有要上门告诉的，或者已经告诉过了。"


@dataclass(frozen=True)
class Visit:
    """One message for a household: its number, and what to read out."""

    household_id: int
    cause: str
    household_number: str
    words: str


def visits(parts: Parts, village_code: str) -> list[Visit]:
    """What waits to be told in a village, the oldest first; of what is left to do, what is left at this moment."""
    with parts.reading() as connection:
        asked = {"village": village_code, "kinds": list(KINDS), "nobody_waits": list(NOBODY_WAITS)}
        rows = connection.execute(_WAITING, asked).all()
    left = left_to_tell_in(parts, village_code) if any(row.kind in OF_THE_HOUR for row in rows) else {}
    found = []
    for row in rows:
        kind, fields = left.get(row.household_id, ("", {})) if row.kind in OF_THE_HOUR else (row.kind, row.fields)
        if kind == row.kind:
            found.append(Visit(row.household_id, row.cause, row.number, render(kind, fields)))
    return found[:MOST]


def visited(parts: Parts, village_codes: Sequence[str], *, household_id: int, cause: str, by: str) -> None:
    """It was told at the door, by whom. NoSuchVisit, also for another's village."""
    wanted = {"household": household_id, "cause": cause, "by": by, "at": parts.clocks.now()}
    with parts.engine.begin() as connection:
        done = connection.execute(_DONE, wanted | {"villages": list(village_codes)}).rowcount
    if not done:
        raise NoSuchVisit


_WAITING = text(
    "select n.household_id, n.cause, n.kind, n.fields, h.number from notice n join household h on h.id = n.household_id"
    " where h.village_code = :village and n.rank = 4 and n.visited_at is null and n.kind = any (:kinds)"
    "   and coalesce(n.last_error, '') <> all (:nobody_waits)"
    "   and not starts_with(n.cause, 'objection:')"  # who objected to a list is not named to his village's agent
    " order by n.queued_at, n.cause"
)
_DONE = text(
    "update notice n set visited_by = :by, visited_at = :at from household h"
    " where n.household_id = :household and n.cause = :cause and h.id = n.household_id and n.rank = 4"
    "   and n.visited_at is null and h.village_code = any (:villages)"
)
