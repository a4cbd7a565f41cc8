"""A resident's own wish: what of his could go back, for which reasons; and the asking, once for one key."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256

from sqlalchemy import Connection, select
from sqlalchemy.dialects.postgresql import insert

from app.flows.parts import Parts
from app.flows.quote import NAMES
from app.flows.refund import Asked, ask_for_bill
from app.policy.facts import Insurance
from app.policy.refunds import QUESTIONS, Why, refusal
from app.registry.find import Subject
from core.errors import BadInput
from core.money import Fen
from payments import find as find_money
from payments import find_refunds
from payments.errors import KeyReused, NothingToGiveBack
from payments.gateways import GATEWAYS
from payments.models import RequestKey
from payments.states import RefundState


class UnknownReason(BadInput):
    """A reason that no page of ours offers."""

    text = "请选一个退费的原因。"


@dataclass(frozen=True)
class Refundable:
    """One settled item of a person: what would go back (fen), where to, for which reasons today; what the rule says to
    the others. `number` of the refund that is under way or done already; then nothing else is offered."""

    insurance: Insurance
    title: str
    amount: Fen
    way: str
    reasons: Sequence[tuple[Why, str]]
    refused: str | None
    number: str | None
    state: RefundState | None


def refundable(parts: Parts, subject: Subject, insurance: Insurance) -> Refundable | None:
    """What could go back of one item; None if the resident paid nothing for it."""
    held = subject.standing[insurance].bill
    if held is None or held["state"] != "settled" or not held["personal_due"]:
        return None
    with parts.reading() as connection:
        bill, _ = find_money.bill_with_lines(connection, held["household_id"], held["id"])
        standing = find_refunds.of_bill(connection, bill.household_id, bill.id)
        gateway = find_refunds.way_of(connection, bill.household_id, bill.settled_by)
    no = {
        why: refusal(parts.rules, why, insurance, on=parts.clocks.today(), benefit_start=bill.benefit_start)
        for why in QUESTIONS
    }
    return Refundable(
        insurance=insurance,
        title=f"{bill.levy_year}年{NAMES[insurance]}",
        amount=bill.personal_due if standing is None else standing.amount,
        way=f"原来付款的{GATEWAYS[gateway].facts.title}账户" if gateway in GATEWAYS else "参保人本人的银行账户",
        reasons=[(why, words) for why, words in QUESTIONS.items() if no[why] is None],
        refused=next((said for said in no.values() if said), None),
        number=standing.number if standing else None,
        state=RefundState(standing.state) if standing else None,
    )


def ask(
    parts: Parts, subject: Subject, insurance: Insurance, why: str, *, expected: Fen, actor: str, request_key: str
) -> Asked:
    """Ask for one item's money as its screen showed it; the same key with the same wish is the same refund.

    UnknownReason, NothingToGiveBack, NotRefundable, RefundChanged; KeyReused for a key of another wish."""
    if why not in QUESTIONS:
        raise UnknownReason
    wish = json.dumps(["refund", subject.id, insurance, why, expected])
    key, body = sha256(f"refund\0{actor}\0{request_key}".encode()).digest(), sha256(wish.encode()).digest()
    with parts.engine.begin() as connection:
        before = _before(connection, key, body)
        if before is not None:
            return before
        held = subject.standing[insurance].bill
        if held is None or held["state"] != "settled":
            raise NothingToGiveBack
        bill, _ = find_money.bill_with_lines(connection, held["household_id"], held["id"])
        asked = ask_for_bill(parts, connection, bill, Why(why), by="resident", expected=expected)
        # The same key twice at the same moment: the bill's lock let one through, the other found nothing left.
        connection.execute(
            insert(RequestKey).values(key=key, body_hash=body, household_id=bill.household_id, number=asked.number)
        )
        return asked


def _before(connection: Connection, key: bytes, body: bytes) -> Asked | None:
    """What an earlier request of this key asked for. KeyReused."""
    row = connection.execute(select(RequestKey.__table__).where(RequestKey.key == key)).one_or_none()
    if row is None:
        return None
    if row.body_hash != body:
        raise KeyReused
    return Asked(row.number, find_refunds.find(connection, row.number).amount)
