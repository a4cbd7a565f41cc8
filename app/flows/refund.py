"""Money back: one person asks, another agrees, the gateway pays it the way it came, and its word is booked."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from app.flows.parts import Parts
from core.clock import business_day
from core.money import Fen
from payments import find as find_money
from payments import refunds
from payments.errors import (
    AlreadyPaidThere,
    GatewayRefused,
    GatewayShort,
    GatewaySilent,
    NoSuchPayment,
    NothingToGiveBack,
    RefundDecided,
)
from payments.gateways.base import Gateway, RefundOrder, RefundOutcome, RefundWord
from payments.number import REFUND, new_number
from payments.refunds import Wish
from payments.states import RefundState

LEASE = timedelta(seconds=60)
ASK_AFTER_S = (10, 60, 300, 900, 3600, 4 * 3600, 12 * 3600)  # after approval; then every half day
SURPLUS_RULE, SURPLUS_REASON = "rule:surplus", "重复缴费，多付的钱退回"
SHORT_FOR = timedelta(minutes=30)  # our balance there was too low


@dataclass(frozen=True)
class Asked:
    """A refund asked for: its number and amount in fen."""

    number: str
    amount: Fen


def apply(parts: Parts, payment: str, *, reason: str, by: str, bills: Sequence[int] | None = None) -> Asked:
    """Ask for a payment's money: these bills; or (None) what came under its number beyond any bill, else all it paid.

    NoSuchPayment, NothingToGiveBack. `reason` is shown to the payer."""
    now = parts.clocks.now()
    with parts.engine.begin() as connection:
        row = find_money.payment(connection, payment)
        if row is None:
            raise NoSuchPayment(payment)
        held = refunds.held_receipts(connection, payment)
        if row.state == "paid" and (bills is not None or not held):
            receipt = f"receipt:{row.gateway}:{row.reference}"
            covered = [bill.id for bill in find_money.bills_of(connection, row.household_id, payment)]
            chosen = covered if bills is None else [bill for bill in covered if bill in set(bills)]
        elif held:
            receipt, chosen = held[0].cause, []
        else:
            raise NothingToGiveBack(payment)
        number = new_number(row.household_id, business_day(now), kind=REFUND)
        amount = refunds.apply(connection, Wish(number, payment, receipt, chosen, reason, by), now=now)
    return Asked(number, amount)


def ask_for_surplus(parts: Parts, *, most: int = 50) -> int:
    """Money beyond what was due asks for its own way back at once (INV-12); a person still agrees. How many asked."""
    now, asked = parts.clocks.now(), 0
    with parts.engine.connect() as connection:
        rows = refunds.unasked_surplus(connection, most=most)
    for row in rows:
        number = new_number(row.household_id, business_day(now), kind=REFUND)
        try:
            with parts.engine.begin() as connection:
                refunds.apply(
                    connection, Wish(number, row.number, row.cause, [], SURPLUS_REASON, SURPLUS_RULE), now=now
                )
        except NothingToGiveBack:  # somebody asked meanwhile
            continue
        asked += 1
    return asked


def decide(parts: Parts, number: str, *, approved: bool, by: str) -> None:
    """A second person agrees or not. OwnRefund, RefundDecided, NoSuchRefund."""
    now = parts.clocks.now()
    with parts.engine.begin() as connection:
        refunds.find(connection, number)
        if approved:
            refunds.approve(connection, number, by=by, now=now, booked_on=business_day(now), ask_at=parts.clocks.wall())
        else:
            refunds.reject(connection, number, by=by, now=now)


def pay_due(parts: Parts, *, most: int = 20) -> int:
    """Hand agreed refunds to their gateways and ask about those under way; how many were looked at."""
    with parts.engine.begin() as connection:
        due = refunds.lease_due(connection, now=parts.clocks.wall(), lease=LEASE, most=most)
    for row in due:
        gateway = parts.gateways.get(row.gateway)
        if gateway is not None:
            advance(parts, gateway, row)
    return len(due)


def advance(parts: Parts, gateway: Gateway, row: Any) -> None:
    """One step of one refund: the first time it is sent; after that the gateway is asked first, and hears the same
    number again only when it knows nothing of it (F10, F57)."""
    first = row.state == RefundState.APPROVED
    ordered_at = row.ordered_at
    if first:
        ordered_at = parts.clocks.now().replace(microsecond=0)
        with parts.engine.begin() as connection:
            refunds.move(connection, row.number, RefundState.PAYING, ordered_at=ordered_at)
    order = order_of(row, ordered_at)
    try:
        outcome = None if first else gateway.query_refund(order)
        if outcome is None or outcome.word is RefundWord.ABSENT:
            outcome = gateway.refund(order)
    except GatewayShort:
        return _later(parts, row, parts.clocks.wall() + SHORT_FOR, "balance")
    except (GatewaySilent, AlreadyPaidThere):
        return _later(parts, row, _next(parts, row), "silent")
    except GatewayRefused as refused:
        outcome = RefundOutcome(gateway.name, row.sent_as, RefundWord.FAILED, their_word=str(refused.args[0]))
    word = take_refund(parts, outcome)
    if word == "noted":
        _later(parts, row, _next(parts, row), outcome.their_word)


def order_of(row: Any, ordered_at: datetime) -> RefundOrder:
    """A refund's row as its gateway is told, always with the same content."""
    return RefundOrder(row.sent_as, ordered_at, row.payment, row.reference, row.paid, row.amount, row.reason)


def again(parts: Parts, number: str, *, by: str) -> None:
    """After a definite no: the same refund under a new number. NoSuchRefund; RefundDecided if it has not failed."""
    now = parts.clocks.now()
    with parts.engine.begin() as connection:
        row = refunds.find(connection, number)
        sent_as = new_number(row.household_id, business_day(now), kind=REFUND)
        if row.state != RefundState.FAILED or not refunds.move(
            connection, number, RefundState.PAYING, sent_as=sent_as, ordered_at=now, next_query_at=parts.clocks.wall()
        ):
            raise RefundDecided(number)
    parts.alert("refund_sent_again", number=number, by=by)


def take_refund(
    parts: Parts, outcome: RefundOutcome, *, message: tuple[str, Mapping[str, str], bytes] | None = None
) -> str:
    """Book what a gateway says about a refund, once; what needs a person wakes somebody."""
    now = parts.clocks.now()
    with parts.engine.begin() as connection:
        word = refunds.take(connection, outcome, now=now, booked_on=business_day(now), message=message)
    if outcome.word is RefundWord.UNKNOWN or word in ("unknown", "doubt", "abnormal", "failed"):
        parts.alert(f"refund_{word}", gateway=outcome.gateway, number=outcome.number, word=outcome.their_word)
    return word


def _later(parts: Parts, row: Any, moment: datetime, their_word: str) -> None:
    with parts.engine.begin() as connection:
        refunds.put_off(connection, row.number, moment, their_word=their_word)


def _next(parts: Parts, row: Any) -> datetime:
    """By the schedule from now on: a refund waits at most half a day for its next question."""
    return parts.clocks.wall() + timedelta(seconds=ASK_AFTER_S[min(row.queries, len(ASK_AFTER_S) - 1)])
