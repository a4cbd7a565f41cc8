"""An attempt at a gateway, written down before the gateway hears of it; and its later moves."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any, NamedTuple

from sqlalchemy import Connection, Row, Update, bindparam, select, text, update
from sqlalchemy.dialects.postgresql import JSONB

from core.money import Fen
from payments.errors import BillSettled, PaymentUnderWay
from payments.states import MOVES, State
from payments.taking.bills import IssuedBill
from payments.taking.tables import Bill, Payment, PaymentBill


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


class Asked(NamedTuple):
    """An idempotency key and the body it was sent with, as digests."""

    key: bytes
    body_hash: bytes


def begin(
    connection: Connection, bills: Sequence[IssuedBill], attempt: Attempt, asked: Asked, *, ours_alone: bool = False
) -> Row | None:
    """Write an attempt down for open bills of one household, locking them in order, and by what it was asked for; the
    payment's row. None: the key was used by another at this very moment; the transaction must end without effect.

    `ours_alone`: all of them were issued in this very transaction, so nobody else can see or hold one. BillSettled,
    PaymentUnderWay (its number in args) if another live payment holds one of them."""
    household = bills[0].household_id
    assert all(bill.household_id == household for bill in bills)
    prices = {bill.id: bill.personal_due for bill in bills}
    if not ours_alone:
        _lock(connection, household, prices)
    said = {name: _said(value) for name, value in vars(attempt).items() if name != "payer"}
    values = {
        "payment": said | {"household_id": household, "amount": sum(prices.values())},
        "payer": attempt.payer,
        "bills": sorted(prices),
        "key": asked.key,
        "body": asked.body_hash,
    }
    return connection.execute(_BEGIN, values).one_or_none()


def _said(value: object) -> object:
    return value.isoformat() if isinstance(value, datetime) else value


def _lock(connection: Connection, household: int, prices: Mapping[int, Fen]) -> None:
    mine = {"household": household, "bills": sorted(prices)}
    locked = connection.execute(_LOCK, mine).all()
    if {row.id: row.personal_due for row in locked if row.state == "open"} != prices:
        raise BillSettled("a bill is no longer open")
    held = connection.execute(_HELD, mine).first()  # asked after the lock: what others wrote before it is seen
    if held is not None:
        raise PaymentUnderWay(held.number)


_BEGIN = text(
    f"select {', '.join(Payment.__table__.c.keys())} from begin_payment(:payment, :payer, :bills, :key, :body)"
).bindparams(bindparam("payment", type_=JSONB))
_LOCK = (
    select(Bill.id, Bill.state, Bill.personal_due)
    .where(Bill.household_id == bindparam("household"), Bill.id.in_(bindparam("bills", expanding=True)))
    .order_by(Bill.id)
    .with_for_update()
)
_HELD = select(PaymentBill.number).where(
    PaymentBill.household_id == bindparam("household"),
    PaymentBill.bill_id.in_(bindparam("bills", expanding=True)),
    PaymentBill.live,
)


def move(
    connection: Connection, household_id: int, number: str, state: State, *, unseen: bool = False, **also: object
) -> Row | None:
    """Move a payment along its table, unless it has moved on meanwhile: its row as it is now, or None if it has (money
    wins over our news). `unseen`: only while no code of it has been handed out."""
    new = {f"new_{name}": value for name, value in also.items()}
    mine = {"household": household_id, "its_number": number}
    return connection.execute(_moving(state, unseen, tuple(also)), mine | new).one_or_none()


def hand_out(connection: Connection, household_id: int, number: str, checkout: Mapping[str, object]) -> Row | None:
    """A fresh way to the gateway in place of the former, for a payment that still waits for its payer; None if it does
    not any more."""
    mine = {"household": household_id, "its_number": number, "new_checkout": dict(checkout)}
    return connection.execute(_HAND_OUT, mine).one_or_none()


_HAND_OUT = (
    update(Payment.__table__)
    .where(
        Payment.household_id == bindparam("household"),
        Payment.number == bindparam("its_number"),
        Payment.state == State.PENDING,
    )
    .values(checkout=bindparam("new_checkout"))
    .returning(*Payment.__table__.c)
)


@cache
def _moving(state: State, unseen: bool, names: tuple[str, ...]) -> Update:
    leading_here = [old for old, reachable in MOVES.items() if state in reachable]
    moved = (
        update(Payment.__table__)
        .where(
            Payment.household_id == bindparam("household"),
            Payment.number == bindparam("its_number"),
            Payment.state.in_(leading_here),
        )
        .values(state=state, **{name: bindparam(f"new_{name}") for name in names})
        .returning(*Payment.__table__.c)
    )
    return moved.where(Payment.checkout.is_(None)) if unseen else moved
