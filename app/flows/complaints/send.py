"""What was written down for a gateway goes out: once, whatever is heard of it. Silence is unknown: the conversation is
read before anything is said again, so that nobody is answered twice."""

import base64
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any

from app.flows.complaints.ask import ask, bound, channel_of, turn_of
from app.flows.one_by_one import one_by_one
from app.flows.parts import Parts
from core.errors import TryLater
from payments.complaints import cases
from payments.errors import GatewayRefused, GatewaySilent
from payments.gateways.complaining import Complaining
from payments.refunds import find as find_refunds
from payments.states import RefundState

LEASE = timedelta(minutes=1)
STUCK_AFTER = 4  # tries, a quarter of an hour
LONGEST_WAIT = timedelta(minutes=15)


def send_due(parts: Parts, *, most: int = 20) -> int:
    """How many replies were due."""
    with parts.engine.begin() as connection:
        rows = cases.lease(connection, now=parts.clocks.wall(), lease=LEASE, most=most)
    one_by_one(parts, "complaint_reply", rows, lambda row: _send(parts, row), name=_name)
    return len(rows)


def _send(parts: Parts, row: Any) -> None:
    """One reply. `row.state` is what it was before it was leased."""
    try:
        if row.state == "unknown":
            if not ask(parts, row.gateway, row.number):  # confirms it, if it was heard after all
                _put_off(parts, row)
                return
            if not _is_open(parts, row):
                return
        if _is_over(parts, row):
            _was_refused(parts, row, "ended")
            return
        _say(parts, channel_of(parts, row.gateway), row)
    except GatewaySilent:
        _put_off(parts, row)
    except GatewayRefused as no:
        _was_refused(parts, row, str(no.args[0]))
    else:
        with parts.engine.begin() as connection:
            cases.settle_reply(connection, row, "sent")
        with suppress(TryLater):  # what it made of the case; the poll asks again
            ask(parts, row.gateway, row.number)


def _say(parts: Parts, channel: Complaining, row: Any) -> None:
    """GatewaySilent, GatewayRefused."""
    key = row.gateway, row.number
    words = parts.vault.open(row.words, bound_to=bound(*key, "complaint_reply.words"))
    if row.kind == "answer":
        channel.answer(row.number, words, [media] if (media := _media(parts, channel, row)) else [])
    elif row.kind == "finish":
        channel.finish(row.number, words, gave_back=_gave_back(parts, row))
    else:
        channel.tell_refund(row.number, words, agreed=row.kind == "agree")


def _media(parts: Parts, channel: Complaining, row: Any) -> str | None:
    """The picture's name there: uploaded once, and kept before the answer is said."""
    if row.picture is None or row.media:
        return row.media
    drawn = parts.vault.open(row.picture, bound_to=bound(row.gateway, row.number, "complaint_reply.picture"))
    media = channel.upload(base64.b64decode(drawn))
    with parts.engine.begin() as connection:
        cases.settle_reply(connection, row, "unknown", media=media)
    return media


def _gave_back(parts: Parts, row: Any) -> bool:
    """Whether the case's refund was paid."""
    with parts.reading() as connection:
        case = cases.find(connection, row.gateway, row.number)
        paid = case is not None and case.refund is not None
        return paid and find_refunds.find(connection, case.refund).state == RefundState.PAID  # type: ignore[union-attr]


def _is_open(parts: Parts, row: Any) -> bool:
    with parts.reading() as connection:
        held = {each.cause: each.state for each in cases.replies_of(connection, row.gateway, row.number)}
    return held[row.cause] == "unknown"


def _is_over(parts: Parts, row: Any) -> bool:
    """There is nobody left to say it to; or it would end what the payer began anew, which nobody has looked at."""
    with parts.reading() as connection:
        found = cases.find(connection, row.gateway, row.number)
    assert found is not None
    if found.ended_at is not None:
        return row.state == "unknown"
    return row.kind == "finish" and turn_of(row) < found.turn


def _put_off(parts: Parts, row: Any) -> None:
    """Asked about again, later each time; what is unknown for long wakes somebody."""
    if row.tries >= STUCK_AFTER:
        parts.alert("complaint_reply_stuck", gateway=row.gateway, number=row.number, kind=row.kind)
    with parts.engine.begin() as connection:
        cases.settle_reply(connection, row, "unknown", next_try_at=_again(parts.clocks.wall(), row.tries))


def _was_refused(parts: Parts, row: Any, word: str) -> None:
    """A definite no: the case may have ended meanwhile, or the words do not please them. A person goes on."""
    with suppress(TryLater):
        ask(parts, row.gateway, row.number)
    with parts.engine.begin() as connection:
        refused = cases.settle_reply(connection, row, "refused", their_word=word[:64])
    if refused:
        parts.alert("complaint_reply_refused", gateway=row.gateway, number=row.number, kind=row.kind, word=word[:64])


def _again(now: datetime, tries: int) -> datetime:
    """After one, two, four … minutes."""
    return now + min(LONGEST_WAIT, timedelta(minutes=2 ** min(tries, 10)))


def _name(row: Any) -> str:
    return f"{row.gateway}:{row.number}:{row.cause}"
