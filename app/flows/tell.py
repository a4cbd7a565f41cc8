"""Waiting notices → sent. Claimed and committed first, handed over, then recorded: a crash repeats at most the notice
in hand, and the repetition carries the same key."""

from collections.abc import Sequence
from typing import Any

from app.flows.parts import Parts
from notifications.send import GIVEN_UP, claim, claim_due, deliver, record


def tell(parts: Parts, keys: Sequence[tuple[int, str]]) -> int:
    """Send the notices of one job; how many went out or were given up."""
    with parts.engine.begin() as connection:
        claimed = claim(connection, keys, now=parts.clocks.wall())
    return _send(parts, claimed)


def tell_due(parts: Parts, *, most: int = 100) -> int:
    """Send notices whose time has come, whether or not their job still exists."""
    with parts.engine.begin() as connection:
        claimed = claim_due(connection, now=parts.clocks.wall(), most=most)
    return _send(parts, claimed)


def _send(parts: Parts, claimed: Sequence[Any]) -> int:
    for notice in claimed:
        result = deliver(notice, parts.channels, parts.vault)
        with parts.engine.begin() as connection:
            record(connection, notice, result, now=parts.clocks.wall())
        if result.get("rank") == GIVEN_UP:
            parts.alert("notice_given_up", kind=notice.kind, error=result["last_error"])
    return len(claimed)
