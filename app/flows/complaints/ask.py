"""One complaint is asked about → the case as it stands, its clock, every line that is new, and our replies that the
conversation confirms. Notification, poll and sending all end here."""

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row

from app.flows.complaints.words import digest
from app.flows.parts import Parts
from payments.complaints import cases
from payments.errors import UnknownGateway
from payments.gateways.complaining import Complaining, Complaint, Move, Said, Stage, Voice, complaints_of
from payments.number import household_of
from payments.taking import find as find_money

ENDED = frozenset({Stage.DONE, Stage.WITHDRAWN})
ANSWERS = frozenset({Move.SAID, Move.DONE, Move.REFUND_AGREED, Move.REFUND_REFUSED})
SECOND = timedelta(seconds=1)  # a gateway tells whole seconds


def channel_of(parts: Parts, gateway: str) -> Complaining:
    """UnknownGateway for a channel without complaints."""
    found = parts.gateways.get(gateway)
    channel = complaints_of(found) if found else None
    if channel is None:
        raise UnknownGateway(gateway)
    return channel


def bound(gateway: str, number: str, column: str) -> str:
    """What a sealed value of a case is bound to."""
    return f"{column}:{gateway}:{number}"


def ask(parts: Parts, gateway: str, number: str) -> bool:
    """False if somebody wrote the case while they were asked: what they said is not written down. GatewaySilent.

    What they say is written only over the case that was there before they were asked."""
    with parts.reading() as connection:
        before = cases.find(connection, gateway, number)
    channel = channel_of(parts, gateway)
    looked = channel.look(number)
    if looked is None:
        parts.alert("complaint_not_there", gateway=gateway, number=number)
        return True
    found, lines = looked
    now = parts.clocks.now()
    with parts.engine.begin() as connection:
        turn = _turn(before, found, lines, now=now)
        values = _told(parts, connection, found) | _stand(before, found, turn, lines, now=now)
        values |= _clock(channel, turn)
        written = (
            cases.change(connection, before, values)
            if before
            else cases.begin(connection, {"gateway": gateway, "number": number} | values)
        )
        if not written:
            return False
        new = cases.note(connection, [_line(parts, gateway, number, each) for each in lines])
        _confirm(parts, connection, found, lines, turn)
    _look_out(parts, found, before, [each for each in lines if each.key in new])
    return True


@dataclass(frozen=True)
class Turn:
    """From a complaint, or from the payer's going on, to its end: its number from 1 and its moment."""

    number: int
    began: datetime
    is_new: bool


def _turn(before: Row | None, found: Complaint, lines: Sequence[Said], *, now: datetime) -> Turn:
    """The payer goes on: in a line that says so, or by what ended being open again. Pure."""
    again = [line.at for line in lines if line.move is Move.AGAIN]
    if again:
        number, began = len(again) + 1, again[-1]
    elif before is None:
        number, began = 1, found.came_at
    elif before.ended_at is not None and found.stage in (Stage.OPEN, Stage.PLATFORM):
        said = [line.at for line in lines if line.by is Voice.PAYER and line.at > before.ended_at - SECOND]
        number, began = before.turn + 1, said[-1] if said else now
    else:
        number, began = before.turn, before.came_at
    return Turn(number, began, before is not None and number > before.turn)


def _clock(channel: Complaining, turn: Turn) -> Mapping[str, Any]:
    """No gateway tells the moment itself: it is the rule's."""
    facts = channel.facts
    return {
        "turn": turn.number,
        "came_at": turn.began,
        "answer_by": turn.began + facts.answer_within,
        "end_by": turn.began + facts.end_within,
    } | ({"rung": []} if turn.is_new else {})


def _stand(
    before: Row | None, found: Complaint, turn: Turn, lines: Sequence[Said], *, now: datetime
) -> Mapping[str, Any]:
    """Where it stands: a word nobody knows ends nothing and opens nothing. Pure."""
    answered = [line.at for line in lines if line.by is Voice.US and line.move in ANSWERS and line.at >= turn.began]
    ended_at = before.ended_at if before and not turn.is_new else None
    if found.stage in ENDED:
        ended_at = ended_at or (lines[-1].at if lines else now)
    elif found.stage is not Stage.UNKNOWN:
        ended_at = None
    return {
        "stage": found.stage,
        "their_word": found.their_word[:64],
        "waiting": found.waiting,
        "answered_at": answered[0] if answered else None,
        "ended_at": ended_at,
    }


def _told(parts: Parts, connection: Connection, found: Complaint) -> Mapping[str, Any]:
    """What the payer told, sealed, and which payment of ours he means."""
    told = {"about": found.about, "words": found.words, "pictures": len(found.pictures)}
    sealed = json.dumps(told, ensure_ascii=False)
    key, payment = (found.gateway, found.number), _ours(connection, found)
    return {
        "payment": payment,
        "household_id": household_of(payment) if payment else None,
        "named": found.payments[0] if found.payments else "",
        "amount": found.amount,
        "wants_back": found.wants_back,
        "told": parts.vault.seal(sealed, bound_to=bound(*key, "complaint.told")),
        "phone": parts.vault.seal(found.phone, bound_to=bound(*key, "complaint.phone")) if found.phone else None,
        "seen_at": parts.clocks.wall(),
    }


def _ours(connection: Connection, found: Complaint) -> str | None:
    """The payment of our book that they name, by that very gateway."""
    for number in found.payments:
        row = find_money.payment(connection, number)
        if row is not None and row.gateway == found.gateway:
            return number
    return None


def _line(parts: Parts, gateway: str, number: str, line: Said) -> Mapping[str, Any]:
    sealed = parts.vault.seal(line.words, bound_to=bound(gateway, number, "complaint_line.words"))
    words = sealed if line.words else None
    mine = {"gateway": gateway, "number": number, "key": line.key}
    return mine | {"by": line.by, "move": line.move, "words": words, "at": line.at}


def _confirm(parts: Parts, connection: Connection, found: Complaint, lines: Sequence[Said], turn: Turn) -> None:
    """What the conversation has of ours was said, whatever we heard when we said it; also in a turn that is over."""
    key = found.gateway, found.number
    ours = [line for line in lines if line.by is Voice.US]
    written = cases.replies_of(connection, *key)
    for reply in written:
        if reply.state in ("unknown", "sent"):
            mine = ours if turn_of(reply) < turn.number else [line for line in ours if line.at >= turn.began]
            words = parts.vault.open(reply.words, bound_to=bound(*key, "complaint_reply.words"))
            answers = {each.cause.rpartition(":")[2] for each in written if each.kind == "answer"}
            if _stands(reply.kind, digest(words), found, mine, answers=answers):
                cases.settle_reply(connection, reply, "confirmed")


def turn_of(reply: Row) -> int:
    """The turn that a reply was written in; its cause begins with it."""
    return int(reply.cause.partition(":")[0])


def _stands(kind: str, words: str, found: Complaint, ours: Sequence[Said], *, answers: Collection[str]) -> bool:
    """An answer is known again by the digest of its `words`; an end too where a gateway shows its words as said, and
    they are no answer's. Pure."""
    heard = any(line.move is Move.SAID and digest(line.words) == words for line in ours)
    moves = {line.move for line in ours}
    return {
        "answer": heard,
        "finish": found.stage is Stage.DONE or Move.DONE in moves or (heard and words not in answers),
        "agree": Move.REFUND_AGREED in moves,
        "refuse": Move.REFUND_REFUSED in moves,
    }[kind]


def _look_out(parts: Parts, found: Complaint, before: Row | None, new: Sequence[Said]) -> None:
    """Words nobody knows wake somebody."""
    if found.stage is Stage.UNKNOWN:
        parts.alert("complaint_word_unknown", gateway=found.gateway, number=found.number, word=found.their_word[:64])
    for line in new:
        if line.move is Move.UNKNOWN:
            parts.alert("complaint_word_unknown", gateway=found.gateway, number=found.number, word=line.their_word[:64])
