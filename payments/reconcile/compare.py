"""A gateway's statement against our book: match its lines, name what differs, and say what might be healed first.

The comparison itself is in the database, over whole days at once (compare.sql and its neighbours)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import Connection, Row, text


@dataclass(frozen=True)
class BusinessDay:
    """A gateway's business day and its limits: the first moment of it and the first after it."""

    gateway: str
    day: date
    begins: datetime
    ends: datetime


def match(connection: Connection, of: BusinessDay) -> int:
    """Write what became of every line of the statement; how many lines of theirs and ours are not matched. The day
    counts as compared once its differences are named, in the same transaction."""
    return connection.execute(text("select match_statement(:gateway, :day, :begins, :ends)"), vars(of)).scalar_one()


def unhealed(connection: Connection, of: BusinessDay) -> Sequence[Row]:
    """Lines of theirs that our book does not have, with what we know of their numbers."""
    return connection.execute(text("select * from unhealed(:gateway, :day)"), vars(of)).all()


def missing_there(connection: Connection, of: BusinessDay, *, most: int) -> Sequence[Row]:
    """Differences about payments of ours that their list lacks and that nobody has asked them about."""
    return connection.execute(
        text(
            "select d.id, p.number, p.ordered_at, d.note from discrepancy d join payment p"
            " on p.household_id = household_of_number(d.number) and p.number = d.number"
            " where d.books = 'channel' and d.channel = :gateway and d.day = :day and d.kind = 'MISSING_IN_BANK'"
            " and d.what = 'payment' and d.state = 'open' and d.note in ('', 'awaits') limit :most"
        ),
        {"gateway": of.gateway, "day": of.day, "most": most},
    ).all()


def name_differences(connection: Connection, of: BusinessDay, *, now: datetime) -> int:
    """Open every difference that has no name yet and let go of those that are no more; how many are open.

    `now` is the business clock."""
    return connection.execute(
        text("select name_differences(:gateway, :day, :now)"), {"gateway": of.gateway, "day": of.day, "now": now}
    ).scalar_one()


def book_fees(connection: Connection, of: BusinessDay, *, now: datetime, booked_on: date) -> bool:
    """Book what the gateway kept of the day's money; False if there is nothing to book, or it was booked before."""
    return connection.execute(
        text("select book_fees(:gateway, :day, :now, :booked_on)"),
        {"gateway": of.gateway, "day": of.day, "now": now, "booked_on": booked_on},
    ).scalar_one()


def refund_by_hand(connection: Connection, of: BusinessDay, line: int, *, done: bool, booked_on: date) -> bool:
    """Book a refund that somebody made at the gateway without asking us: the payer owes it. False: it is ours, it was
    booked before, or nobody says that it is done; `done`: the gateway does, asked."""
    return connection.execute(
        text("select refund_by_hand(:gateway, :day, :line, :done, :booked_on)"),
        {"gateway": of.gateway, "day": of.day, "line": line, "done": done, "booked_on": booked_on},
    ).scalar_one()


def unmatched_days(connection: Connection, *, most: int) -> Sequence[Row]:
    """Statements that are in and were not compared since, or that list a refund which was under way then and is not
    now; oldest first: gateway, day."""
    return connection.execute(
        text(
            "select gateway, day from statement where state <> 'waiting' and matched_at is null"
            " union select m.gateway, m.day from discrepancy d"
            " join statement_match m on m.gateway = d.channel and m.day = d.day and m.verdict = 'MISSING_IN_LEDGER'"
            " join refund_number n on n.household_id = m.household_id and n.sent_as = split_part(m.cause, ':', 2)"
            " join refund r on r.household_id = n.household_id and r.number = n.number"
            " where d.state = 'open' and d.books = 'channel' and d.what = 'refund' and d.note = 'under_way'"
            " and not (r.state in ('approved', 'paying') and r.sent_as = n.sent_as)"
            " order by day, gateway limit :most"
        ),
        {"most": most},
    ).all()


def neighbours(connection: Connection, of: BusinessDay) -> list[date]:
    """The day before and after, where a list is in and differences are open that this day's list may explain."""
    return list(
        connection.execute(
            text(
                "select s.day from statement s where s.gateway = :gateway and s.day in (:day - 1, :day + 1)"
                " and s.state <> 'waiting' and exists (select from discrepancy d where d.books = 'channel'"
                " and d.channel = s.gateway and d.day = s.day and d.state = 'open') order by s.day"
            ),
            vars(of),
        ).scalars()
    )


def lines(connection: Connection, gateway: str, day: date, *, after: int, most: int) -> Sequence[Row]:
    """Matched lines of a day from row `after` on: row, movement, reference, amount, fee, happened_at, our_day."""
    return connection.execute(
        text(
            "select r.row, r.movement, r.number, r.reference, r.amount, r.fee, r.happened_at, m.our_day"
            " from statement_match m join statement_row r on r.gateway = m.gateway and r.day = m.day and r.row = m.row"
            " where m.gateway = :gateway and m.day = :day and m.verdict = 'matched' and r.row > :after"
            " order by r.row limit :most"
        ),
        {"gateway": gateway, "day": day, "after": after, "most": most},
    ).all()
