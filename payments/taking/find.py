"""Read queries about money, for pages, polls and checks; and which payments are due for a question."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import Connection, Row, bindparam, select, text, update

from payments.number import household_of
from payments.taking.tables import Bill, BillLine, Payment, PaymentBill


def payment(connection: Connection, number: str) -> Row | None:
    """One payment by its number, or None."""
    return connection.execute(_PAYMENT, {"household": household_of(number), "its_number": number}).one_or_none()


def bills_of(connection: Connection, household_id: int, number: str) -> Sequence[Row]:
    """The bills a payment covers, by person, the newest year first."""
    return connection.execute(_BILLS, {"household": household_id, "its_number": number}).all()


_PAYMENT = select(Payment.__table__).where(
    Payment.household_id == bindparam("household"), Payment.number == bindparam("its_number")
)
_BILLS = (
    select(Bill.__table__)
    .join(PaymentBill, (PaymentBill.household_id == Bill.household_id) & (PaymentBill.bill_id == Bill.id))
    .where(PaymentBill.household_id == bindparam("household"), PaymentBill.number == bindparam("its_number"))
    .order_by(
        Bill.person_id,
        Bill.levy_year.desc(),
        Bill.insurance,
        Bill.determination.nulls_first(),
        Bill.raised_from.nulls_first(),
    )
)


def bill_with_lines(connection: Connection, household_id: int, bill_id: int) -> tuple[Row, Sequence[Row]]:
    """One bill and its lines in order. The bill must exist."""
    mine = (Bill.household_id == household_id, Bill.id == bill_id)
    bill = connection.execute(select(Bill.__table__).where(*mine)).one()
    lines = select(BillLine.__table__).where(BillLine.household_id == household_id, BillLine.bill_id == bill_id)
    return bill, connection.execute(lines.order_by(BillLine.line)).all()


def paid_into_others(connection: Connection, household_id: int, bill_id: int) -> dict[str, int]:
    """What the resident pays of a bill into other funds than its insurance's: fund → fen."""
    said = text("select paid_into_others(:household, :bill)")
    return connection.execute(said, {"household": household_id, "bill": bill_id}).scalar_one() or {}


def sponsors_of(connection: Connection, household_id: int, bill_id: int) -> list[tuple[str, int]]:
    """Which sponsors paid how much of a bill, as payers read them."""
    said = text("select sponsors_of(:household, :bill)")
    return connection.execute(said, {"household": household_id, "bill": bill_id}).scalar_one() or []


def receipt_entry(connection: Connection, household_id: int, settled_by: str) -> Row:
    """The entry that took in the money by which a bill was settled: cause, booked_on, happened_at."""
    return connection.execute(
        text(
            "select cause, booked_on, happened_at from entry where household_id = :household"
            " and cause = receipt_of(:household, :settled_by)"
        ),
        {"household": household_id, "settled_by": settled_by},
    ).one()


def by_check_code(connection: Connection, code: str) -> Row | None:
    """The payment that brought money under a notice's check code, or None: paid, or of what was paid already."""
    return connection.execute(
        select(Payment.__table__).where(Payment.check_code == code, Payment.state.in_(("paid", "surplus")))
    ).first()


def lease_silent(connection: Connection, *, now: datetime, lease: timedelta, most: int) -> Sequence[Row]:
    """Payments whose question is due, the longest due first, taken for ourselves until `now + lease` (system clock);
    others skip them."""
    return connection.execute(
        text(
            "with due as (select household_id, number, next_query_at from payment where next_query_at <= :now"
            "             order by next_query_at, number limit :most for update skip locked),"
            " taken as (update payment p set next_query_at = :until, queries = queries + 1 from due"
            "            where p.household_id = due.household_id and p.number = due.number returning p.*)"
            " select taken.* from taken join due using (household_id, number) order by due.next_query_at, number"
        ),
        {"until": now + lease, "now": now, "most": most},
    ).all()


def put_off(connection: Connection, household_id: int, number: str, moment: datetime) -> None:
    """The next question about a payment comes at `moment` (system clock), if it still lives."""
    connection.execute(
        update(Payment)
        .where(Payment.household_id == household_id, Payment.number == number, Payment.next_query_at.is_not(None))
        .values(next_query_at=moment)
    )
