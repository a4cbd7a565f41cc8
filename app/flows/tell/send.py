"""Waiting notices → sent. Claimed and committed first, handed over, then recorded: a crash repeats at most the notice
in hand, and the repetition carries the same key. Before that the rules: quiet hours, a week's budget, WeChat's consents
by our own count. Who is reminded of what he has done meanwhile hears nothing."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any

from sqlalchemy import Connection

from app.flows.one_by_one import one_by_one
from app.flows.parts import Parts
from app.flows.tell.remind import left_to_tell
from core.vault import Sealed
from notifications import subscriptions
from notifications.rules import BUDGETED, MOST_A_WEEK, OF_THE_HOUR, RESERVED, not_before
from notifications.send import (
    BUDGET_SPENT,
    GIVEN_UP,
    OVERTAKEN,
    claim,
    claim_due,
    deliver,
    put_off,
    record,
    renew,
    sent_this_week,
    spent,
)

NO_CONSENT = "43101"  # WeChat's: the user agreed to no more


def tell(parts: Parts, keys: Sequence[tuple[int, str]]) -> int:
    """Send the notices of one job; how many went out or were given up."""
    with parts.engine.begin() as connection:
        claimed = claim(connection, keys, now=parts.clocks.wall())
    _send(parts, claimed, at_once=min(parts.senders, len(claimed)))
    return len(claimed)


def tell_due(parts: Parts, *, most: int = 1000, stop: Callable[[], bool] = lambda: False) -> int:
    """Send notices whose time has come, whether or not their job still exists, until `stop`."""
    taken = 0

    def due() -> Iterator[Any]:
        """A few at a time: none waits long in its lease, and no sender for the last of a heap."""
        nonlocal taken
        while taken < most and not stop():
            some = min(_IN_HAND * parts.senders, most - taken)
            with parts.engine.begin() as connection:
                claimed = claim_due(connection, now=parts.clocks.wall(), most=some)
            taken += len(claimed)
            yield from claimed
            if not claimed:
                return

    _send(parts, due(), at_once=parts.senders)
    return taken


_IN_HAND = 3  # for each sender


def _send(parts: Parts, claimed: Iterable[Any], *, at_once: int) -> None:
    """Several at once: a provider's answer takes longer than everything we do about it."""
    one_by_one(
        parts,
        "tell",
        claimed,
        lambda notice: _hand_over(parts, notice),
        name=lambda notice: notice.cause,
        at_once=at_once,
    )


def _hand_over(parts: Parts, notice: Any) -> None:
    if _waits(parts, notice):
        return
    if notice.kind in OF_THE_HOUR:
        notice = _as_it_is(parts, notice)
        if notice is None:
            return
    openid = _openid(parts, notice)
    but = () if openid is None or _agreed(parts, notice, openid) else ("wechat",)
    result = deliver(notice, parts.channels, parts.vault, now=parts.clocks.wall(), but=but)
    with parts.engine.begin() as connection:
        rank = record(connection, notice, result, now=parts.clocks.wall())
        if openid is not None and not but:
            _count(parts, connection, notice, openid, result)
    for channel in spent(notice, result):
        parts.alert("texts_silent", channel=channel)
    if rank == GIVEN_UP:
        parts.alert("notice_given_up", kind=notice.kind, error=result["last_error"])


def _as_it_is(parts: Parts, notice: Any) -> Any | None:
    """The notice with what is left to do now; None and ended if that is nothing of its kind any more (B14)."""
    told = left_to_tell(parts, notice.household_id)
    if told and told == (notice.kind, notice.fields):
        return notice
    with parts.engine.begin() as connection:
        if told and told[0] == notice.kind:
            return renew(connection, notice, told[1])
        record(connection, notice, {"rank": GIVEN_UP, "last_error": OVERTAKEN}, now=parts.clocks.wall())
    return None


def _waits(parts: Parts, notice: Any) -> bool:
    """Quiet hours put it off to the morning; a spent budget ends it, and its row says so."""
    wall, now = parts.clocks.wall(), parts.clocks.now()
    until = not_before(notice.kind, now)
    if until is None and notice.kind not in BUDGETED:
        return False
    with parts.engine.begin() as connection:
        if until is not None:
            put_off(connection, notice, wall + (until - now))
            return True
        spent = sent_this_week(connection, notice.household_id, now=wall) >= MOST_A_WEEK
        if spent:
            record(connection, notice, {"rank": GIVEN_UP, "last_error": BUDGET_SPENT}, now=wall)
            openid = _openid(parts, notice) if notice.kind in RESERVED else None
            if openid is not None:
                subscriptions.agree(connection, parts.vault, openid, [notice.kind])
    return spent


def _openid(parts: Parts, notice: Any) -> str | None:
    if notice.openid is None or "wechat" not in parts.channels:
        return None
    subject = notice.cause.rsplit(":", 1)[0]
    with suppress(Sealed):  # what nobody can read is given up where it would be sent
        return parts.vault.open(notice.openid, bound_to=f"notice.openid:{subject}")
    return None


def _agreed(parts: Parts, notice: Any, openid: str) -> bool:
    """One consent is taken for this message; a try that may have got through has taken it before, and some messages
    were written on one."""
    if notice.kind in RESERVED or "wechat" in notice.silences:
        return True
    with parts.engine.begin() as connection:
        return subscriptions.take(connection, parts.vault, openid, notice.kind)


def _count(parts: Parts, connection: Connection, notice: Any, openid: str, result: Mapping[str, Any]) -> None:
    """What was taken and not used is given back, unless WeChat itself has none."""
    refused = result.get("refusals", {}).get("wechat")
    if refused == NO_CONSENT:
        subscriptions.forget(connection, parts.vault, openid, notice.kind)
    elif refused is not None:
        subscriptions.agree(connection, parts.vault, openid, [notice.kind])
