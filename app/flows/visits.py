"""What no channel could tell: the agent goes to the house, reads it out, and says that it was done."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import text

from app.flows.parts import Parts
from core.errors import NotFound
from notifications.send import BUDGET_SPENT, render

KINDS = ("paid", "settled", "surplus", "refund_asked", "refund_rejected", "refunded", "remind", "waived")


class NoSuchVisit(NotFound):
    """Nothing to tell there, or told already."""

    text = "这一条没有要上门告诉的，或者已经告诉过了。"


@dataclass(frozen=True)
class Visit:
    """One message for a household: its number, and what to read out, without the sender's mark."""

    household_id: int
    cause: str
    household_number: str
    words: str


def visits(parts: Parts, village_code: str) -> list[Visit]:
    """What waits to be told in a village, the oldest first."""
    with parts.reading() as connection:
        rows = connection.execute(
            _WAITING, {"village": village_code, "kinds": list(KINDS), "spent": BUDGET_SPENT}
        ).all()
    return [
        Visit(row.household_id, row.cause, row.number, render(row.kind, row.fields).partition("】")[2]) for row in rows
    ]


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
    "   and n.last_error is distinct from :spent order by n.queued_at, n.cause limit 200"
)
_DONE = text(
    "update notice n set visited_by = :by, visited_at = :at from household h"
    " where n.household_id = :household and n.cause = :cause and h.id = n.household_id and n.rank = 4"
    "   and n.visited_at is null and h.village_code = any (:villages)"
)
