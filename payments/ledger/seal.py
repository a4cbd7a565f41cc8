"""Close days of the book, and see whether closed days are still what was closed (INV-13)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import Connection, Row, select, text

from core.errors import Conflict
from payments.ledger.seal_tables import SealedDay, SealedTotal
from payments.refusals import as_errors


class NotTheDay(Conflict):
    """A day that cannot be closed now: it is not over, or an earlier one is open. `args[0]` says which is due."""

    text = "这一天现在还不能日结：要么还没有过完，要么前面还有没结的日子。"


class HasExceptions(Conflict):
    """A day with something open: two people must agree to close it with these exceptions, named."""

    text = "这一天还有没处理完的差异，或者账单没有齐。要带着例外日结，须由另一个人确认。"


_ERRORS = {"LX011": NotTheDay, "LX014": HasExceptions}


@dataclass(frozen=True)
class Closing:
    """Who closes a day, who agreed to its exceptions if there are any, and when (business clock)."""

    by: str
    confirmed_by: str | None
    now: datetime


def seal(connection: Connection, day: date, closing: Closing) -> bool:
    """Close a day; False if it was closed before. NotTheDay, HasExceptions."""
    with as_errors(_ERRORS):
        return connection.execute(
            text("select seal_day(:day, :by, :confirmed_by, :now)"),
            {"day": day, "by": closing.by, "confirmed_by": closing.confirmed_by, "now": closing.now},
        ).scalar_one()


def sealed(connection: Connection, day: date) -> Row | None:
    """A closed day, or None."""
    return connection.execute(select(SealedDay.__table__).where(SealedDay.day == day)).one_or_none()


def last(connection: Connection) -> date | None:
    """The last closed day, or None."""
    return connection.execute(text("select max(day) from sealed_day")).scalar_one()


def due(connection: Connection) -> date | None:
    """The day to close next; None while nothing is booked."""
    return connection.execute(
        text("select coalesce((select max(day) + 1 from sealed_day), (select min(booked_on) from entry))")
    ).scalar_one()


def totals(connection: Connection, day: date) -> Sequence[Row]:
    """What every account moved on a closed day: account, debit, credit, balance at its end, in fen."""
    return connection.execute(
        select(SealedTotal.__table__).where(SealedTotal.day == day).order_by(SealedTotal.account)
    ).all()


def broken(connection: Connection, since: date | None = None) -> list[date]:
    """Closed days that no longer are what was closed; empty when all is well."""
    found = connection.execute(
        text("select * from sealed_day_broken(coalesce(cast(:since as date), '-infinity')) order by 1"),
        {"since": since},
    )
    return list(found.scalars())
