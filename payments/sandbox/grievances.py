"""The outside's own list of complaints, of every gateway that takes them, in one shape. Knows no protocol.

A case: gateway, number (theirs), payment (the merchant's number, maybe none of his), reference (theirs of the trade),
amount in fen, words, phone, wants_back, state OPEN | ANSWERED | DONE | WITHDRAWN | PLATFORM, times, waiting, came_at,
changed_at, notify_url, and lines: id, by PAYER | MERCHANT | PLATFORM, move, words, at, pictures. Moments RFC 3339 on
the business clock."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from payments.sandbox.shelf import Document
from payments.sandbox.signing import random_digits
from payments.sandbox.world import World

KIND = "grievance"
ENDED = frozenset({"DONE", "WITHDRAWN"})


def came(
    here: World, gateway: str, payment: str, *, words: str, phone: str, wants_back: int | None, at: datetime
) -> Document:
    """A payer complains of a payment, which the outside need not know of."""
    trade = here.shelf.get("trade", f"{gateway}/{payment}") or {}
    stamp = at.isoformat(timespec="seconds")
    case: Document = {
        "gateway": gateway,
        "number": f"2000{at:%Y%m%d}{random_digits(16)}",
        "payment": payment,
        "reference": trade.get("reference") or f"42000{random_digits(23)}",
        "amount": trade.get("amount", 1),
        "words": words,
        "phone": phone,
        "wants_back": wants_back,
        "state": "OPEN",
        "times": 1,
        "waiting": True,
        "came_at": stamp,
        "changed_at": stamp,
        "notify_url": trade.get("notify_url") or trade.get("content", {}).get("notify_url", ""),
        "lines": [],
    }
    return _with(here, case, _line(here, "PAYER", "CAME", words))


def find(here: World, gateway: str, number: str) -> Document | None:
    """One case."""
    return here.shelf.get(KIND, f"{gateway}/{number}")


def all_of(here: World, gateway: str) -> list[Document]:
    """Every case of one gateway, in the order they came."""
    return [case for case in here.shelf.all(KIND) if case["gateway"] == gateway]


def moved(here: World, case: Document, by: str, move: str, words: str = "", **changed: Any) -> Document:
    """Something is said or done; whatever else is `changed`."""
    with here.shelf.lock:
        held = find(here, case["gateway"], case["number"])
        assert held is not None
        line = _line(here, by, move, words, changed.pop("pictures", []))
        return _with(here, held | changed, line)


def _line(here: World, by: str, move: str, words: str, pictures: Sequence[str] = ()) -> Document:
    at = here.clock.now().isoformat(timespec="seconds")
    return {"id": random_digits(26), "by": by, "move": move, "words": words, "at": at, "pictures": list(pictures)}


def _with(here: World, case: Document, line: Document) -> Document:
    kept = case | {"lines": [*case["lines"], line], "changed_at": line["at"]}
    here.shelf.put(KIND, f"{case['gateway']}/{case['number']}", kept)
    return kept
