"""Money in doubt: who owns it, until when, and how it is solved. Giving it back is a refund.

The book is written by the database's own functions only (docs/decisions/0002)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import Connection, Row, select, text

from core.money import Fen
from payments.errors import (
    NoSuchSuspense,
    NothingProposed,
    NotYoursToWithdraw,
    OwnSuspense,
    SuspenseChanged,
    SuspenseSolved,
    SuspenseUnfit,
)
from payments.refusals import as_errors
from payments.taking.tables import Suspense, SuspenseStep

_ERRORS = {
    "LX022": SuspenseUnfit,
    "LX023": SuspenseSolved,
    "LX024": NothingProposed,
    "LX025": SuspenseChanged,
    "LX032": NotYoursToWithdraw,
    "LX130": SuspenseUnfit,  # a sponsor of a proposed bill has not so much left any more
    "23514": OwnSuspense,
}
ROLES = ("tax_clerk", "refund_desk")  # an owner that is no person yet


@dataclass(frozen=True)
class Key:
    """Which money: the household its number carries (0: none), and the cause of its entry."""

    household_id: int
    cause: str


@dataclass(frozen=True)
class Proposal:
    """What a page shows as proposed: the bills by id, and the money (fen) that shall settle them."""

    bills: frozenset[int]
    amount: Fen | None


def take(connection: Connection, key: Key, *, by: str, now: datetime) -> None:
    """From now on it is this person's. SuspenseSolved. `now` is the business clock, here and below."""
    _call(connection, key, "suspense_take", ":by, :now", by=by, now=now)


def keep(connection: Connection, key: Key, *, until: date, reason: str, by: str, now: datetime) -> None:
    """It stays for a reason until a day. SuspenseSolved."""
    _call(connection, key, "suspense_keep", ":until, :reason, :by, :now", until=until, reason=reason, by=by, now=now)


def propose(
    connection: Connection, key: Key, household_id: int, bills: Sequence[int], *, by: str, now: datetime
) -> None:
    """One person proposes to settle these open bills with it. SuspenseUnfit unless they sum up to it exactly."""
    _call(
        connection,
        key,
        "suspense_propose",
        ":to_household, :bills, :by, :now",
        to_household=household_id,
        bills=sorted(set(bills)),
        by=by,
        now=now,
    )


def withdraw(connection: Connection, key: Key, *, by: str, now: datetime) -> None:
    """Who proposed takes it back: it is in doubt as before. NotYoursToWithdraw, NothingProposed, SuspenseSolved."""
    _call(connection, key, "suspense_withdraw", ":by, :now", by=by, now=now)


def settle(connection: Connection, key: Key, seen: Proposal, *, by: str, now: datetime, booked_on: date) -> None:
    """Another person agrees to what he saw: the proposed bills are settled. OwnSuspense, NothingProposed,
    SuspenseChanged, SuspenseUnfit."""
    _call(
        connection,
        key,
        "suspense_apply",
        ":bills, :amount, :by, :now, :booked_on",
        bills=sorted(seen.bills),
        amount=seen.amount,
        by=by,
        now=now,
        booked_on=booked_on,
    )


def find(connection: Connection, key: Key) -> Row:
    """One of them. NoSuchSuspense."""
    row = connection.execute(
        select(Suspense.__table__).where(Suspense.household_id == key.household_id, Suspense.cause == key.cause)
    ).one_or_none()
    if row is None:
        raise NoSuchSuspense(key.cause)
    return row


def steps_of(connection: Connection, key: Key) -> Sequence[Row]:
    """What was done about it, in order."""
    return connection.execute(
        select(SuspenseStep.__table__)
        .where(SuspenseStep.household_id == key.household_id, SuspenseStep.cause == key.cause)
        .order_by(SuspenseStep.step)
    ).all()


def said(connection: Connection, row: Row) -> Sequence[Row]:
    """What the others' own words have of this money: source, day, reference, number, amount, happened_at, word."""
    return connection.execute(
        _SAID,
        {
            "household": row.household_id,
            "cause": row.cause,
            "gateway": row.gateway,
            "number": row.number,
            "reference": row.cause.removeprefix(f"receipt:{row.gateway}:"),
        },
    ).all()


_SAID = text("""
select 'list' as source, r.day, r.reference, r.number, r.amount, r.happened_at, r.their_word as word
  from entry e join statement_row r on r.gateway = :gateway and r.movement = 'payment'
   and r.day between (e.happened_at at time zone 'Asia/Shanghai')::date - 1
                 and (e.happened_at at time zone 'Asia/Shanghai')::date + 3
 where e.household_id = :household and e.cause = :cause
   and (r.reference = :reference or r.number = nullif(:number, '') or r.reference = (
     select d.subject from discrepancy d where d.id = substring(e.cause from 'discrepancy.([0-9]+)')::bigint))
union all
select o.kind, o.day, o.serial, '', o.amount, null, o.part from outside_row o where o.cause = :cause
 order by day, reference
""")


def listed(connection: Connection, *, solved: bool = False, latest: int = 200) -> Sequence[Row]:
    """All that waits for a solution, the earliest day first; or (`solved`) the latest solutions."""
    query = select(Suspense.__table__)
    if solved:
        query = query.where(Suspense.solved_at.is_not(None)).order_by(Suspense.solved_at.desc()).limit(latest)
    else:
        query = query.where(Suspense.solved_at.is_(None)).order_by(Suspense.due_on, Suspense.created_at)
    return connection.execute(query).all()


def overdue(connection: Connection, *, today: date) -> Sequence[Row]:
    """What lies too long (INV-19): no person has taken it within a working day, or its last day is over."""
    return connection.execute(
        select(Suspense.__table__)
        .where(
            Suspense.solved_at.is_(None),
            (Suspense.due_on < today) | (Suspense.owner.in_(ROLES) & (Suspense.owned_on < today)),
        )
        .order_by(Suspense.due_on)
    ).all()


def key_of(connection: Connection, cause: str) -> Key:
    """Which money a cause names. NoSuchSuspense."""
    household = connection.execute(select(Suspense.household_id).where(Suspense.cause == cause)).scalar_one_or_none()
    if household is None:
        raise NoSuchSuspense(cause)
    return Key(household, cause)


def propose_pledge(connection: Connection, key: Key, pledge: int, *, by: str, now: datetime) -> None:
    """One person proposes to give it to a sponsor's pledge. SuspenseSolved; SuspenseUnfit if that takes no money."""
    _call(connection, key, "suspense_propose_pledge", ":pledge, :by, :now", pledge=pledge, by=by, now=now)


def give_pledge(
    connection: Connection, key: Key, pledge: int, amount: Fen | None, *, by: str, now: datetime, booked_on: date
) -> None:
    """Another person agrees to what he saw. OwnSuspense, NothingProposed, SuspenseChanged, SuspenseUnfit,
    SuspenseSolved."""
    said = {"pledge": pledge, "amount": amount, "by": by, "now": now, "day": booked_on}
    _call(connection, key, "suspense_give_pledge", ":pledge, :amount, :by, :now, :day", **said)


def _call(connection: Connection, key: Key, function: str, places: str, **values: object) -> None:
    find(connection, key)
    with as_errors(_ERRORS):
        connection.execute(
            text(f"select {function}(:household, :cause, {places})"),
            {"household": key.household_id, "cause": key.cause, **values},
        )
