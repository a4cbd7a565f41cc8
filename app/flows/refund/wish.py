"""A resident's own wish: what of his could go back, for which reasons; and the asking, once for one key."""

import json
from collections.abc import Sequence, Set
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from sqlalchemy import Connection, select, text
from sqlalchemy.dialects.postgresql import insert

from app.access import accounts
from app.flows.due.item import item_key
from app.flows.parts import Parts
from app.flows.refund.steps import Asked, ask_for_bill
from app.flows.titles import fund_names, title_of, within_words
from app.policy.facts import Insurance
from app.policy.refunds import QUESTIONS, Why, refusal
from app.registry.find import Subject
from core.errors import BadInput, Refused
from core.money import Fen
from payments.errors import KeyReused, NothingToGiveBack, RaisedSince
from payments.gateways.known import GATEWAYS
from payments.refunds import find as find_refunds
from payments.states import RefundState
from payments.taking.tables import RequestKey

TOGETHER = "连同{funds}一起退，不能只退其中一样。"


class UnknownReason(BadInput):
    """A reason that no page of ours offers."""

    text = "请选一个退费的原因。"


class NotYourRefund(Refused):
    """An account that neither began the payment nor is the person himself asks for the money."""

    text = "退费要由付款的账号，或者参保人本人的账号来申请。两个都用不了的，请带身份证到办税服务厅办。"


@dataclass(frozen=True)
class Refundable:
    """One settled item of a person: what would go back (fen), where to, for which reasons today; what the rule says to
    the others. `number` of the refund that is under way or done already; then nothing else is offered."""

    levy_year: int
    insurance: Insurance
    determination: int | None  # of a back-payment
    rise: bool  # the difference to a higher tier
    title: str
    amount: Fen
    way: str
    reasons: Sequence[tuple[Why, str]]
    refused: str | None
    number: str | None
    state: RefundState | None
    together: str | None = None  # what other fund goes back with it, never by itself
    within: Sequence[str] = ()  # what of the amount is another fund's, while all of the item can go back

    @property
    def key(self) -> str:
        """How an address names the item beside the person (as `Due.key`)."""
        return item_key(self.insurance, self.levy_year, self.determination, rise=self.rise)


def refundables(parts: Parts, people: Sequence[Subject], *, actor: str) -> list[tuple[Subject, Refundable]]:
    """What could go back of these persons' items, as far as their residents paid; `actor` looks at it."""
    known = {person.id: person for person in people}
    with parts.reading() as connection:
        bills = find_refunds.giveable(connection, list(known))
        own = _own(connection, actor)
    return [(known[bill.person_id], _refundable(parts, bill, _may_ask(bill, actor, own))) for bill in bills]


def refundable(
    parts: Parts,
    subject: Subject,
    insurance: Insurance,
    levy_year: int,
    determination: int | None = None,
    *,
    actor: str,
    rise: bool = False,
) -> Refundable | None:
    """What could go back of one item, a year's, a determination's or a rise; None if the resident paid nothing."""
    found = (each for _, each in refundables(parts, [subject], actor=actor))
    key = item_key(insurance, levy_year, determination, rise=rise)
    return next((each for each in found if each.key == key), None)


def is_only_payment(parts: Parts, subject: Subject, found: Refundable) -> bool:
    """Is the payment behind a settled item the only one for it that the book knows, by any way?"""
    with parts.reading() as connection:
        bill = next(each for each in find_refunds.giveable(connection, [subject.id]) if _key(each) == found.key)
        receipt = find_refunds.receipt_behind(connection, bill.household_id, bill.settled_by)
        known = {find_refunds.payment_behind(connection, bill.household_id, receipt)}
        known |= {payment.number for payment in find_refunds.paid_for(connection, [bill])}
        return len(known) == 1 and not any(find_refunds.held_receipts(connection, each) for each in known if each)


def ask(
    parts: Parts,
    subject: Subject,
    insurance: Insurance,
    why: str,
    *,
    expected: Fen,
    actor: str,
    request_key: str,
    levy_year: int,
    determination: int | None = None,
    rise: bool = False,
) -> Asked:
    """Ask for one item's money as its screen showed it; the same key with the same wish is the same refund, at the same
    moment too. `actor` began the payment, is the person himself (account:<id>), or serves him at a counter
    (staff:<login>).

    UnknownReason, NotYourRefund, NothingToGiveBack, NotRefundable, RaisedSince, RefundChanged; KeyReused for a key of
    another wish."""
    if why not in QUESTIONS:
        raise UnknownReason
    later: list[object] = [] if levy_year == parts.levy.first and not rise else [levy_year]
    wish = json.dumps(["refund", subject.id, insurance, determination, why, expected, *later, *(["rise"] * rise)])
    key, body = sha256(f"refund\0{actor}\0{request_key}".encode()).digest(), sha256(wish.encode()).digest()
    with parts.engine.begin() as connection:
        _one_at_a_time(connection, key)
        before = _before(connection, key, body)
        if before is not None:
            return before
        bills = find_refunds.giveable(connection, [subject.id])
        named = item_key(insurance, levy_year, determination, rise=rise)
        bill = next((each for each in bills if _key(each) == named), None)
        if bill is None:
            raise NothingToGiveBack
        if not _may_ask(bill, actor, _own(connection, actor)):
            raise NotYourRefund
        asked = ask_for_bill(parts, connection, bill, Why(why), by=actor, expected=expected)
        connection.execute(
            insert(RequestKey).values(key=key, body_hash=body, household_id=bill.household_id, number=asked.number)
        )
        return asked


def _key(bill: Any) -> str:
    """How an address names a bill's item (as `Due.key`)."""
    return item_key(Insurance(bill.insurance), bill.levy_year, bill.determination, rise=bill.raised_from is not None)


def _refundable(parts: Parts, bill: Any, mine: bool) -> Refundable:
    insurance, today = Insurance(bill.insurance), parts.clocks.today()
    rules = parts.levy.rules(bill.levy_year)
    no = {why: refusal(rules, why, insurance, on=today, benefit_start=bill.benefit_start) for why in QUESTIONS}
    if bill.raised and not bill.refund_number:
        no = dict.fromkeys(no, RaisedSince.text)
    said = next((sentence for sentence in no.values() if sentence), None)
    return Refundable(
        levy_year=bill.levy_year,
        insurance=insurance,
        determination=bill.determination,
        rise=bill.raised_from is not None,
        title=title_of(bill),
        amount=bill.refund_amount or bill.back,
        way=f"原来付款的{GATEWAYS[bill.way].facts.title}账户" if bill.way in GATEWAYS else "参保人本人的银行账户",
        reasons=[(why, words) for why, words in QUESTIONS.items() if mine and no[why] is None],
        refused=said if mine else NotYourRefund.text,
        number=bill.refund_number,
        state=RefundState(bill.refund_state) if bill.refund_state else None,
        within=within_words(rules, bill.funds, bill.personal_due) if bill.back == bill.personal_due else (),
        together=TOGETHER.format(funds=fund_names(rules, bill.funds)) if bill.funds else None,
    )


def _may_ask(bill: Any, actor: str, own: Set[int]) -> bool:
    """Who began the payment, the person himself (M4), or a counter where he stands with his card."""
    return actor == bill.started_by or bill.person_id in own or actor.startswith("staff:")


def _own(connection: Connection, actor: str) -> set[int]:
    """Whom this actor is himself, by the registered phone."""
    kind, _, account = actor.partition(":")
    if kind != "account" or not account.isdigit():
        return set()
    return {person for person, own in accounts.people_of(connection, int(account)).items() if own}


def _one_at_a_time(connection: Connection, key: bytes) -> None:
    """Whoever comes with the same key at the same moment waits for the first, and gets its answer (K23)."""
    connection.execute(text("select pg_advisory_xact_lock(:key)"), {"key": int.from_bytes(key[:8], signed=True)})


def _before(connection: Connection, key: bytes, body: bytes) -> Asked | None:
    """What an earlier request of this key asked for. KeyReused."""
    row = connection.execute(select(RequestKey.__table__).where(RequestKey.key == key)).one_or_none()
    if row is None:
        return None
    if row.body_hash != body:
        raise KeyReused
    return Asked(row.number, find_refunds.find(connection, row.number).amount)
