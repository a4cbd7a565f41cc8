"""What of the money of a payment is still ours: the bills that stand by it today, and what went back beside them."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import Connection, Row, text

from core.money import Fen
from payments.states import State


class Fate(StrEnum):
    """What became of money that came in."""

    PAID = "paid"
    PARTLY_BACK = "partly_back"
    BACK = "back"
    SURPLUS = "surplus"  # it goes back
    SURPLUS_BACK = "surplus_back"
    SURPLUS_USED = "surplus_used"  # two people have settled with it what somebody owed


@dataclass(frozen=True)
class Kept:
    """`bills` stand by a receipt today, those that took another's place included; `by_hand` went back at the gateway
    without being asked for, and no refund has accounted for it. Of what fitted no bill: it has gone back
    (`held_back`), or pays for a bill today (`held_used`), of another household too."""

    bills: Sequence[Row]
    by_hand: Fen
    held_back: bool
    held_used: bool

    @property
    def nothing(self) -> bool:
        """Is there nothing left that it has paid?"""
        return sum(bill.personal_due for bill in self.bills) <= self.by_hand


def kept(connection: Connection, household_id: int, receipt: str) -> Kept:
    """What is left of a receipt, by person and insurance."""
    asked = {"household": household_id, "receipt": receipt}
    row = connection.execute(_GONE, asked).one()
    return Kept(connection.execute(_BILLS, asked).all(), Fen(row.by_hand), row.held_back, row.held_used)


def fate(payment: Row, bills: int, left: Kept) -> Fate:
    """What became of a payment that brought money and covered so many bills."""
    if payment.state == State.SURPLUS:
        back = left.held_back or left.by_hand >= payment.amount
        return Fate.SURPLUS_USED if left.held_used else Fate.SURPLUS_BACK if back else Fate.SURPLUS
    if left.nothing:
        return Fate.BACK
    return Fate.PARTLY_BACK if left.by_hand or len(left.bills) < bills else Fate.PAID


def stands(connection: Connection, payment: Row) -> Fate | State:
    """Where a payment stands today: what became of its money, or its state where none has come."""
    state = State(payment.state)
    if state not in (State.PAID, State.SURPLUS):
        return state
    asked = {"household": payment.household_id, "number": payment.number}
    return fate(
        payment,
        connection.execute(_COVERED, asked).scalar_one(),
        kept(connection, payment.household_id, receipt_of_payment(payment)),
    )


def receipt_of_payment(payment: Row) -> str:
    """The cause of the entry that took a payment's money in."""
    return f"receipt:{payment.gateway}:{payment.reference}"


_COVERED = text("select count(*) from payment_bill where household_id = :household and number = :number")
_BILLS = text(
    "select b.* from bill b where b.household_id = :household and b.state = 'settled' and b.personal_due > 0"
    " and receipt_of(b.household_id, b.settled_by) in (:receipt, :receipt || '\\:applied')"
    " order by b.person_id, b.levy_year desc, b.insurance, b.determination nulls first, b.raised_from nulls first"
)
_GONE = text(
    "select receipt_by_hand(:household, :receipt) as by_hand, coalesce(h.solution = 'applied', false) and h.pays"
    "   as held_used, coalesce(h.solution = 'applied', false) and not h.pays"
    "   or coalesce(h.solution = 'given_back' and starts_with(h.solved_by, 'gateway:'), false)"
    "   or exists (select from refund r where r.household_id = :household and r.receipt = :receipt"
    "     and r.held is not null and r.state = 'paid') as held_back"
    " from (values (1)) one left join lateral (select s.solution, s.solved_by, exists (select from bill b"
    "   where b.household_id = s.bills_household and b.state = 'settled'"
    "     and receipt_of(b.household_id, b.settled_by) = s.cause || '\\:applied') as pays"
    "   from suspense s where s.household_id = :household and s.cause = :receipt) h on true"
)
