"""Money back, asked for and decided: one person asks, tax takes it on, the bureau looks, another person agrees.

What never was a premium (surplus, money in doubt) needs no bureau: it is asked for and agreed to. How it is then paid
is another flow (refund_pay)."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, text

from app.flows.one_by_one import one_by_one
from app.flows.parts import Parts
from app.flows.refund.announce import tell_refund
from app.policy.facts import Insurance
from app.policy.refunds import OTHERS, WORDS, Why, refusal
from core.clock import business_day
from core.errors import BadInput, Conflict
from core.money import Fen
from core.redact import scrub
from payments.errors import NoSuchPayment, NothingToGiveBack
from payments.number import REFUND, new_number
from payments.refunds import find as find_refunds
from payments.refunds import moves
from payments.refunds.moves import Wish
from payments.taking import find as find_money
from payments.taking.bills import Draft

SURPLUS_RULE = "rule:surplus"
FOUND_ELSEWHERE = "rule:elsewhere"  # of what others paid whole (decision 0056)
MOST_REASON = 200


class NotRefundable(Conflict):
    """A rule says no (D34); the sentence is the rule's."""

    text = "按规定不能退。"

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence)
        self._sentence = sentence

    def sentence(self) -> str:
        """The rule's words for the payer."""
        return self._sentence


class BadReason(BadInput):
    """No reason where the payer must read one, one that is too long, or one with somebody's number in it (A72)."""

    text = "原因要写清楚，缴费人会看到：最多200个字，不写证件号和手机号。"


def plain_reason(given: str, *, needed: bool) -> str:
    """What somebody wrote for the payer to read. BadReason."""
    reason = given.strip()
    if len(reason) > MOST_REASON or scrub(reason) != reason or (needed and not reason):
        raise BadReason(fields={"reason": BadReason.text})
    return reason


@dataclass(frozen=True)
class Asked:
    """A refund asked for: its number and amount in fen."""

    number: str
    amount: Fen


def apply(
    parts: Parts,
    payment: str,
    *,
    by: str,
    why: Why = Why.TWICE,
    reason: str = "",
    bills: Sequence[int] | None = None,
    expected: Fen | None = None,
) -> Asked:
    """Ask for a payment's money: these bills; or (None) what came under its number beyond any bill, else all it paid.

    `reason` is shown to the payer (the words of `why` by default); `expected` is what he was shown, in fen.
    NoSuchPayment, NothingToGiveBack, NotRefundable, RaisedSince, RefundChanged."""
    with parts.engine.begin() as connection:
        return apply_within(parts, connection, payment, by=by, why=why, reason=reason, bills=bills, expected=expected)


def apply_within(
    parts: Parts,
    connection: Connection,
    payment: str,
    *,
    by: str,
    why: Why,
    reason: str = "",
    bills: Sequence[int] | None = None,
    expected: Fen | None = None,
) -> Asked:
    """The same inside a flow's transaction."""
    row = find_money.payment(connection, payment)
    if row is None:
        raise NoSuchPayment(payment)
    held = find_refunds.held_receipts(connection, payment)
    if held and bills is None:
        return _ask(parts, connection, Asking(row.household_id, payment, held[0].cause, [], why, reason, by, expected))
    if row.state != "paid":
        raise NothingToGiveBack(payment)
    receipt = f"receipt:{row.gateway}:{row.reference}"
    paid = find_refunds.settled_from(connection, row.household_id, receipt)
    chosen = paid if bills is None else [bill for bill in paid if bill.id in set(bills)]
    if not chosen or (bills is not None and len(chosen) != len(set(bills))):
        raise NothingToGiveBack(payment)
    return _ask(parts, connection, Asking(row.household_id, payment, receipt, chosen, why, reason, by, expected))


@dataclass(frozen=True)
class Asking:
    """One wish with all that the rules look at: `bills` are rows; none of them: what the receipt holds beyond any."""

    household_id: int
    payment: str
    receipt: str
    bills: Sequence[Any]
    why: Why
    reason: str
    by: str
    expected: Fen | None = None
    replacement: Draft | None = None


def ask_for_bill(parts: Parts, connection: Connection, bill: Any, asking: Why, *, by: str, **also: Any) -> Asked:
    """Ask for one settled bill, whatever paid it: a gateway, money that lay in doubt, what stayed of another bill.

    NotRefundable, RefundChanged; NothingToGiveBack for a bill that others paid whole, unless what they gave for nothing
    goes back to them (`OTHERS`). What a rule of ours found (`replacement`) was looked at by that rule."""
    receipt = find_refunds.receipt_behind(connection, bill.household_id, bill.settled_by)
    payment = find_refunds.payment_behind(connection, bill.household_id, receipt)  # none: cash, a village's POS
    if not bill.personal_due and asking not in OTHERS:
        raise NothingToGiveBack(str(bill.id))
    wish = Asking(bill.household_id, payment, receipt, [bill], asking, "", by, **also)
    if wish.replacement is not None:
        return reserve(parts, connection, wish, now=parts.clocks.now())
    return _ask(parts, connection, wish)


def _ask(parts: Parts, connection: Connection, asking: Asking) -> Asked:
    """By the rules, then reserved, then told."""
    now = parts.clocks.now()
    for bill in asking.bills:
        no = refusal(
            parts.levy.rules(bill.levy_year),
            asking.why,
            Insurance(bill.insurance),
            on=business_day(now),
            benefit_start=bill.benefit_start,
        )
        if no:
            raise NotRefundable(no)
    return reserve(parts, connection, asking, now=now)


def reserve(parts: Parts, connection: Connection, asking: Asking, *, now: datetime) -> Asked:
    """Reserve and tell, whatever the rules for people's own wishes say."""
    number = new_number(asking.household_id, business_day(now), kind=REFUND)
    wish = Wish(
        number,
        asking.payment,
        asking.receipt,
        [bill.id for bill in asking.bills],
        asking.why,
        plain_reason(asking.reason, needed=False) or WORDS[asking.why],
        asking.by,
        asking.expected,
        asking.replacement,
    )
    amount = moves.apply(connection, wish, now=now)
    if asking.why is not Why.SURPLUS:  # of surplus the payer heard when it came
        tell_refund(parts, connection, number, "refund_asked")
    return Asked(number, amount)


def ask_for_surplus(parts: Parts, *, most: int = 50) -> int:
    """Money beyond what was due asks for its own way back at once (INV-12); a person still agrees. How many asked."""
    with parts.reading() as connection:
        rows = find_refunds.unasked_surplus(connection, most=most)

    def ask(row: Any) -> None:
        asking = Asking(row.household_id, row.number, row.cause, [], Why.SURPLUS, "", SURPLUS_RULE)
        with suppress(NothingToGiveBack), parts.engine.begin() as connection:  # somebody asked meanwhile
            _ask(parts, connection, asking)

    return one_by_one(parts, "surplus", rows, ask, name=lambda row: row.cause)


def accept(parts: Parts, number: str, *, by: str) -> None:
    """Tax takes it on. OwnRefund, RefundDecided, RefundStepMissing, NoSuchRefund."""
    with parts.engine.begin() as connection:
        find_refunds.find(connection, number)
        moves.accept(connection, number, by=by, now=parts.clocks.now())


def review(parts: Parts, number: str, insurance: Insurance, *, by: str, reason: str = "") -> bool:
    """The bureau of an insurance has looked at it; True once all have. OwnRefund, RefundDecided, RefundStepMissing."""
    with parts.engine.begin() as connection:
        find_refunds.find(connection, number)
        why = plain_reason(reason, needed=False)
        return moves.review(connection, number, insurance, by=by, reason=why, now=parts.clocks.now())


def decide(parts: Parts, number: str, *, approved: bool, by: str, reason: str = "") -> None:
    """Another person agrees, or anybody but who asked says no and why. OwnRefund, RefundDecided, RefundStepMissing,
    RaisedSince, NoSuchRefund, BadReason."""
    now, why = parts.clocks.now(), plain_reason(reason, needed=not approved)
    with parts.engine.begin() as connection:
        row = find_refunds.find(connection, number)
        if (
            approved
            and row.applied_by == FOUND_ELSEWHERE
            and not connection.execute(_STANDS, {"n": number}).scalar_one()
        ):
            raise NotRefundable("“在外地交了”已经收回，这一项不用撤回，请选不同意。")
        if approved:
            moves.approve(
                connection, number, by=by, reason=why, now=now, booked_on=business_day(now), ask_at=parts.clocks.wall()
            )
        else:
            moves.reject(connection, number, by=by, reason=why, now=now)
            tell_refund(parts, connection, number, "refund_rejected")


def withdraw(parts: Parts, number: str, *, by: str) -> None:
    """Who asked takes it back before anybody agreed. NotYoursToWithdraw, RefundDecided, NoSuchRefund."""
    with parts.engine.begin() as connection:
        find_refunds.find(connection, number)
        moves.withdraw(connection, number, by=by, now=parts.clocks.now())


def own(parts: Parts, number: str, *, by: str) -> None:
    """This person goes on with a refund that does not go on by itself. NoSuchRefund."""
    with parts.engine.begin() as connection:
        find_refunds.find(connection, number)
        moves.own(connection, number, by=by)


_STANDS = text(
    "select exists (select from refund_bill rb join bill b on b.household_id = rb.household_id and b.id = rb.bill_id"
    " join paid_elsewhere e on e.person_id = b.person_id and e.insurance = b.insurance and e.levy_year = b.levy_year"
    " where rb.number = :n and e.back_at is null)"
)
