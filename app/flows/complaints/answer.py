"""A clerk's answer, its end, and money asked back: written down with a cause of its own before anything goes out, so
that pressing twice says it once."""

import base64
from collections.abc import Mapping, Sequence
from hashlib import sha256

from sqlalchemy import Connection, Row

from app.flows.complaints.ask import bound, channel_of
from app.flows.complaints.words import BadAnswer, compose, digest
from app.flows.parts import Parts
from app.flows.refund.steps import Asked, apply_within
from app.policy.refunds import Why
from app.registry import find as find_people
from core.errors import Conflict, NotFound
from payments.complaints import cases
from payments.number import household_of
from payments.refunds import find as find_refunds
from payments.states import UNDECIDED, RefundState
from payments.taking import find as find_money


class NoSuchComplaint(NotFound):
    """No complaint of that number."""

    text = "没有找到这一件投诉。"


class ComplaintOver(Conflict):
    """It is dealt with, or the payer took it back."""

    text = "这件投诉已经办结或者撤回了，请刷新再看。"


class RefundUndecided(Conflict):
    """The refund that was asked for with it has nobody's word yet."""

    text = "这件投诉申请的退费还没有人定，定了再告诉平台处理完。"


class NotOurPayment(Conflict):
    """A refund for a payment that is none of ours."""

    text = "这一单不是我们的，没有钱可退。"


def answer(
    parts: Parts, gateway: str, number: str, *, key: str, own: str, by: str, picture: bytes | None = None
) -> None:
    """Say something to the payer: an approved sentence, the clerk's own words, a picture as `picture.redrawn` made it.

    BadAnswer, ComplaintOver, NoSuchComplaint. The same words in the same turn are one answer."""
    with parts.engine.begin() as connection:
        row = _open(connection, gateway, number)
        words = compose(
            key, own, names=names_of(parts, connection, row), places=places_of(parts, connection, row.payment)
        )
        _write(parts, connection, row, kind="answer", words=words, by=by, picture=picture)


def finish(parts: Parts, gateway: str, number: str, *, key: str, own: str, by: str) -> None:
    """Say that it is dealt with, in these words where the gateway takes any. BadAnswer, ComplaintOver, RefundUndecided,
    NoSuchComplaint."""
    with parts.engine.begin() as connection:
        row = _open(connection, gateway, number)
        if row.refund and RefundState(find_refunds.find(connection, row.refund).state) in UNDECIDED:
            raise RefundUndecided(row.refund)
        if channel_of(parts, gateway).facts.last_words:
            words = compose(
                key or "done",
                own,
                names=names_of(parts, connection, row),
                places=places_of(parts, connection, row.payment),
            )
        elif key or own.strip():
            raise BadAnswer(what="这个平台的“处理完了”不带话。先点“回复”把话说了，再点“处理完了”")
        else:
            words = ""
        _write(parts, connection, row, kind="finish", words=words, by=by)


def ask_back(parts: Parts, gateway: str, number: str, *, why: Why, by: str) -> Asked:
    """Ask for the payment's money by the road of every refund: others take it on, look and agree. NotOurPayment,
    NothingToGiveBack, NotRefundable, NoSuchComplaint."""
    with parts.engine.begin() as connection:
        row = _case(connection, gateway, number)
        if row.payment is None:
            raise NotOurPayment(number)
        asked = apply_within(parts, connection, row.payment, by=by, why=why)
        cases.set_refund(connection, gateway, number, asked.number)
        return asked


def write_refund_word(parts: Parts, row: Row, *, agreed: bool, by: str) -> bool:
    """Tell a gateway that wants to hear it what became of the refund; False if that was written before."""
    key = "refund_begun" if agreed else "refund_rejected"
    with parts.engine.begin() as connection:
        words = compose(key, "", names=(), places=places_of(parts, connection, row.payment))
        return _write(parts, connection, row, kind="agree" if agreed else "refuse", words=words, by=by)


def names_of(parts: Parts, connection: Connection, row: Row) -> Sequence[str]:
    """Whom an answer may not name: everybody the payment was for."""
    if row.payment is None:
        return ()
    bills = find_money.bills_of(connection, household_of(row.payment), row.payment)
    ids = sorted({bill.person_id for bill in bills})
    people = find_people.by_ids(connection, parts.vault, ids, years=parts.levy.years)
    return [person.name for person in people]


def places_of(parts: Parts, connection: Connection, payment: str | None) -> Mapping[str, str]:
    """What the approved sentences' places are filled with; the years are those that the payment is for."""
    bills = find_money.bills_of(connection, household_of(payment), payment) if payment else ()
    years = sorted({bill.levy_year for bill in bills}) or [parts.rules.year]
    return {"help_phone": parts.help_phone, "year": "、".join(map(str, years)), "issuer": parts.issuer}


def _case(connection: Connection, gateway: str, number: str) -> Row:
    row = cases.find(connection, gateway, number, lock=True)
    if row is None:
        raise NoSuchComplaint(number)
    return row


def _open(connection: Connection, gateway: str, number: str) -> Row:
    row = _case(connection, gateway, number)
    if row.ended_at is not None:
        raise ComplaintOver(number)
    return row


def _write(
    parts: Parts,
    connection: Connection,
    row: Row,
    *,
    kind: str,
    words: str,
    by: str,
    picture: bytes | None = None,
) -> bool:
    """Its cause: the turn, the kind, how often such a one was refused, and of an answer what it says."""
    key = row.gateway, row.number
    before = cases.replies_of(connection, *key)
    again = sum(each.kind == kind and each.state == "refused" for each in before)
    said = f":{sha256(picture or b'').hexdigest()[:8]}:{digest(words)}" if kind == "answer" else ""
    drawn = base64.b64encode(picture).decode() if picture else None
    values = {
        "gateway": row.gateway,
        "number": row.number,
        "cause": f"{row.turn}:{kind}:{again}{said}",
        "kind": kind,
        "words": parts.vault.seal(words, bound_to=bound(*key, "complaint_reply.words")),
        "picture": parts.vault.seal(drawn, bound_to=bound(*key, "complaint_reply.picture")) if drawn else None,
        "by": by,
        "at": parts.clocks.now(),
        "next_try_at": parts.clocks.wall(),
    }
    return cases.write(connection, values)
