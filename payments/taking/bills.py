"""Bills: issued with frozen lines, withdrawn when the person chose otherwise, settled at once when nothing is due."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import BigInteger, Connection, bindparam, insert, literal_column, select, text, update
from sqlalchemy.dialects.postgresql import insert as upsert

from core.money import Fen
from payments.errors import BillSettled, PaymentUnderWay
from payments.number import new_id
from payments.taking.tables import Bill, BillLine, PaymentBill


@dataclass(frozen=True)
class DraftLine:
    """Who pays how much into which fund, by which clause, on what evidence."""

    part: str
    payer: str
    fund: str
    amount: Fen
    clause: str
    evidence: str = ""


@dataclass(frozen=True)
class Draft:
    """What is owed, before it is issued. Amounts in fen; `price_until` is the first moment this price is gone."""

    household_id: int
    person_id: int
    insurance: str
    levy_year: int
    tier: Fen | None
    total: Fen
    personal_due: Fen
    reason_code: str
    price_until: datetime
    benefit_start: date | None
    lines: Sequence[DraftLine]
    determination: int | None = None  # of a back-payment, with the years it is for; none: the year's premium
    years: tuple[int, ...] = ()
    level: int | None = None  # of the medical insurance, where somebody chose one
    raised_from: Fen | None = None  # the pension's tier that is paid; `tier` is the one it is raised to


@dataclass(frozen=True)
class IssuedBill:
    """A bill as it stands. `fresh`: written by this very call, so until its transaction ends nobody else sees it."""

    household_id: int
    id: int
    insurance: str
    personal_due: Fen
    price_until: datetime
    fresh: bool = False


def meet(connection: Connection, person_ids: Iterable[int], *, codes: bool = False) -> None:
    """Until the transaction ends nobody else begins a bill of these persons, and their open bills are held in the one
    order of locks (a callback holds them by id too). Whoever issues begins with this. `codes`: their live payments are
    held too, by whoever may make them give way."""
    connection.execute(_MEET, {"people": sorted(set(person_ids)), "codes": codes})


def hold(connection: Connection, person_id: int) -> None:
    """As `meet`, of one whose bills go on meanwhile: nobody begins one of his, or takes back what prices it."""
    connection.execute(_HOLD, {"person": person_id})


def issue(connection: Connection, draft: Draft, *, unseen: bool = False) -> IssuedBill:
    """The open bill for this levy item: the one there is if it says the same, else a new one in its place. `unseen`:
    whoever met the person has just seen that there is none.

    Its person is met. Somebody who moved may have one in the former household: that one is withdrawn too. BillSettled
    if it was paid; PaymentUnderWay if a live payment holds the old one (decision 6)."""
    assert sum(line.amount for line in draft.lines) >= draft.personal_due
    while True:
        for standing in () if unseen else connection.execute(_STANDING, _item(draft)).all():
            if standing.state == "settled":
                raise BillSettled(f"bill {standing.id}")
            if _says_the_same(standing, draft):
                return IssuedBill(
                    draft.household_id, standing.id, draft.insurance, standing.personal_due, standing.price_until
                )
            withdraw(connection, standing.household_id, standing.id)
        bill_id = _insert(connection, draft)
        if bill_id is not None:
            return IssuedBill(draft.household_id, bill_id, draft.insurance, draft.personal_due, draft.price_until, True)
        unseen = False  # somebody issued the same item between our look and our write: look again


def withdraw(connection: Connection, household_id: int, bill_id: int) -> None:
    """Take an open bill back. PaymentUnderWay if a live payment holds it."""
    key = {"household_id": household_id, "id": bill_id}
    live = connection.execute(_LIVE, key).scalar_one_or_none()
    if live is not None:
        raise PaymentUnderWay(live)
    connection.execute(_WITHDRAW, {"b_household_id": household_id, "b_id": bill_id})


def settle_free(connection: Connection, bill: IssuedBill, *, now: datetime, booked_on: date) -> bool:
    """Settle a bill of which the resident pays nothing (decision 11). False if it was settled before.

    `now` is a moment of the business clock, `booked_on` its Beijing date."""
    assert bill.personal_due == 0
    return connection.execute(
        text("select settle_bill(:household, :bill, :now, :booked_on)"),
        {"household": bill.household_id, "bill": bill.id, "now": now, "booked_on": booked_on},
    ).scalar_one()


def _item(draft: Draft) -> dict[str, object]:
    return {
        "household_id": draft.household_id,
        "person_id": draft.person_id,
        "insurance": draft.insurance,
        "levy_year": draft.levy_year,
        "determination": draft.determination,
        "raised_from": draft.raised_from,
    }


def _says_the_same(standing: Any, draft: Draft) -> bool:
    names = (
        *("household_id", "tier", "level", "raised_from", "total", "personal_due", "reason_code", "price_until"),
        "benefit_start",
    )
    gave = sorted([line.payer, line.amount] for line in draft.lines if line.part == "sponsor")
    return (standing.gave or []) == gave and all(getattr(standing, name) == getattr(draft, name) for name in names)


def _insert(connection: Connection, draft: Draft) -> int | None:
    bill_id = new_id()
    values = _item(draft) | {
        "id": bill_id,
        "years": list(draft.years) or None,
        "tier": draft.tier,
        "level": draft.level,
        "total": draft.total,
        "personal_due": draft.personal_due,
        "reason_code": draft.reason_code,
        "price_until": draft.price_until,
        "benefit_start": draft.benefit_start,
    }
    if connection.execute(_ISSUE, values).scalar_one_or_none() is None:
        return None
    lines = [
        {"household_id": draft.household_id, "bill_id": bill_id, "line": place} | vars(line)
        for place, line in enumerate(draft.lines, start=1)
    ]
    connection.execute(_LINES, lines)
    return bill_id


_HOLD = text("select pg_advisory_xact_lock(hashtextextended('levy of person ' || cast(:person as bigint), 0))")
_MEET = text("select meet_people(:people, :codes)")
_GAVE = literal_column(  # of what others pay, only who the sponsors are can change without an amount that changes
    "(select jsonb_agg(jsonb_build_array(l.payer, l.amount) order by l.payer) from bill_line l"
    " where l.household_id = bill.household_id and l.bill_id = bill.id and l.part = 'sponsor')"
).label("gave")
_STANDING = (
    select(Bill.__table__, _GAVE)
    .where(
        Bill.person_id == bindparam("person_id"),
        Bill.insurance == bindparam("insurance"),
        Bill.levy_year == bindparam("levy_year"),
        Bill.determination.is_not_distinct_from(bindparam("determination")),
        Bill.raised_from.is_not(None) == bindparam("raised_from", type_=BigInteger).is_not(None),
        Bill.state.not_in(("withdrawn", "refunded")),
    )
    .order_by(Bill.household_id)
    .with_for_update()
)
_ISSUE = upsert(Bill.__table__).on_conflict_do_nothing().returning(Bill.id)
_LINES = insert(BillLine.__table__)
_LIVE = select(PaymentBill.number).where(
    PaymentBill.household_id == bindparam("household_id"), PaymentBill.bill_id == bindparam("id"), PaymentBill.live
)
_WITHDRAW = (
    update(Bill)
    .where(Bill.household_id == bindparam("b_household_id"), Bill.id == bindparam("b_id"))
    .values(state="withdrawn")
)
