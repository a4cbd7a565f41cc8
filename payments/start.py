"""An attempt at a gateway, written down before the gateway hears of it; and its later moves."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, insert, select, update

from core.money import Fen
from payments.bills import IssuedBill
from payments.errors import BillSettled, PaymentUnderWay
from payments.models import Bill, Payment, PaymentBill
from payments.states import MOVES, State


@dataclass(frozen=True)
class Attempt:
    """What begin() writes down. Moments aware; `ordered_at` (whole seconds) and `expires_at` on the business clock, the
    others on the system clock."""

    number: str
    gateway: str
    merchant: str
    app: str
    kind: str
    description: str
    started_by: str
    started_at: datetime
    ordered_at: datetime
    expires_at: datetime
    next_query_at: datetime
    check_code: str
    memo: dict[str, Any]
    payer: bytes | None = None


def begin(connection: Connection, bills: Sequence[IssuedBill], attempt: Attempt) -> Fen:
    """Write an attempt down for open bills of one household, locking them in order; the amount in fen.

    BillSettled, PaymentUnderWay (its number in args) if another live payment holds one of them."""
    household = bills[0].household_id
    assert all(bill.household_id == household for bill in bills)
    wanted = sorted({bill.id for bill in bills})
    locked = connection.execute(
        select(Bill.id, Bill.state, Bill.personal_due)
        .where(Bill.household_id == household, Bill.id.in_(wanted))
        .order_by(Bill.id)
        .with_for_update()
    ).all()
    if len(locked) != len(wanted) or any(bill.state != "open" for bill in locked):
        raise BillSettled("a bill is no longer open")
    held = connection.execute(
        select(PaymentBill.number).where(
            PaymentBill.household_id == household, PaymentBill.bill_id.in_(wanted), PaymentBill.live
        )
    ).first()
    if held is not None:
        raise PaymentUnderWay(held.number)
    amount = sum(bill.personal_due for bill in locked)
    connection.execute(insert(Payment).values(household_id=household, amount=amount, **vars(attempt)))
    connection.execute(
        insert(PaymentBill),
        [{"household_id": household, "number": attempt.number, "bill_id": bill_id} for bill_id in wanted],
    )
    return amount


def move(connection: Connection, household_id: int, number: str, state: State, **also: object) -> bool:
    """Move a payment along its table, unless it has moved on meanwhile; False if it has (money wins over our news)."""
    allowed = [old for old, reachable in MOVES.items() if state in reachable]
    moved = connection.execute(
        update(Payment)
        .where(Payment.household_id == household_id, Payment.number == number, Payment.state.in_(allowed))
        .values(state=state, **also)
    )
    return moved.rowcount == 1
