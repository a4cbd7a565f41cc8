"""A day is closed: when the books agree by one person, with named exceptions by two. Then it never changes again."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from hashlib import sha256
from typing import Any

from sqlalchemy import Connection, Row, text

from app.flows.parts import Parts
from app.flows.reconcile.certify import write_certificate
from app.flows.reconcile.fetch_statement import LATE_AT
from core.clock import beijing, business_day
from core.db import may_take
from core.errors import Conflict
from payments.ledger import seal
from payments.ledger.seal import Closing
from payments.reconcile import day_books, discrepancies

SEAL_WITHIN_S = 300  # a day of a million payments; other days' writers wait for nobody


class BooksChanged(Conflict):
    """The day that would be closed is not the one that was looked at."""

    text = "您看的时候和现在不一样了：这一天的账或者差异又有变化。请再看一遍，再日结。"


@dataclass(frozen=True)
class Books:
    """What somebody looks at before he closes a day: its channels, its funds (see day_books), its differences."""

    channels: Sequence[Row]
    funds: Sequence[Row]
    differences: Sequence[Row]

    @property
    def seen(self) -> str:
        """A fingerprint of every amount and every end that the page shows."""
        channels = [(row.gateway, row.state, *_amounts(row)) for row in self.channels]
        ends = [(row.id, row.state, row.remedy, row.cleared_by, row.confirmed_by) for row in self.differences]
        return sha256(repr((channels, [tuple(row) for row in self.funds], ends)).encode()).hexdigest()


@dataclass(frozen=True)
class Standing:
    """Whether a day can be closed: what is open by name, who asked to close it all the same, the day that is due."""

    exceptions: list[dict[str, Any]]
    asked_by: str | None
    due: date | None


def standing(parts: Parts, day: date) -> Standing:
    """What stands between a day and its close."""
    with parts.reading() as connection:
        exceptions = connection.execute(text("select day_exceptions(:day)"), {"day": day}).scalar_one()
        asked = connection.execute(
            text("select asked_by from closing_request where day = :day and day_exceptions(:day) <@ exceptions"),
            {"day": day},
        ).scalar_one_or_none()
        return Standing(exceptions, asked, seal.due(connection))


def books(parts: Parts, day: date) -> Books:
    """A day as whoever closes it looks at it."""
    with parts.reading() as connection:
        return _books(connection, day)


def close_day(parts: Parts, day: date, *, by: str, seen: str | None = None) -> bool:
    """Close a day whose books agree; False if it was closed before. NotTheDay, HasExceptions; BooksChanged if it is not
    what was `seen` (None: nobody looked at a page)."""
    return _close(parts, day, Closing(by, None, parts.clocks.now()), seen)


def ask_to_close(parts: Parts, day: date, *, by: str) -> list[dict[str, Any]]:
    """Ask that a day be closed with what is open now; another person must agree. The exceptions by name."""
    with parts.engine.begin() as connection:
        return connection.execute(
            text("select ask_to_close(:day, :by, :now)"), {"day": day, "by": by, "now": parts.clocks.now()}
        ).scalar_one()


def confirm_close(parts: Parts, day: date, *, by: str, seen: str | None = None) -> bool:
    """A second person agrees to the named exceptions, and the day is closed; False if it was closed before.

    NotTheDay, BooksChanged; HasExceptions: nobody asked, somebody of the same name asked, or something new is open."""
    asked = standing(parts, day).asked_by
    closing = Closing(asked or by, by if asked else None, parts.clocks.now())
    return _close(parts, day, closing, seen)


def due_to_close(parts: Parts) -> int:
    """How many days are over and not closed, as far as their lists can have arrived."""
    with parts.reading() as connection:
        due = seal.due(connection)
    return max(0, (last_listed(parts.clocks.now()) - due).days + 1) if due else 0


def last_listed(now: datetime) -> date:
    """The last day whose lists can be there: of yesterday they come in the morning. Pure."""
    return business_day(now) - timedelta(days=1 if beijing(now).time() >= LATE_AT else 2)


def days_until(parts: Parts, *, most: int = 60) -> list[date]:
    """The days from the first that was booked to yesterday, newest first, at most `most`."""
    yesterday = business_day(parts.clocks.now()) - timedelta(days=1)
    with parts.reading() as connection:
        first = connection.execute(text("select min(booked_on) from entry")).scalar_one()
    if first is None:
        return []
    return [yesterday - timedelta(days=place) for place in range(min(most, (yesterday - first).days + 1))]


def booked_today(parts: Parts) -> int:
    """How many entries of money from outside stand on the day that is not over: its lists come tomorrow."""
    with parts.reading() as connection:
        counted = text("select count(*) from entry where booked_on = :today and starts_with(cause, 'receipt:')")
        return connection.execute(counted, {"today": parts.clocks.today()}).scalar_one()


def _close(parts: Parts, day: date, closing: Closing, seen: str | None) -> bool:
    with parts.engine.begin() as connection:
        may_take(connection, SEAL_WITHIN_S)
        closed = seal.seal(connection, day, closing)
        if closed and seen is not None and _books(connection, day).seen != seen:  # nobody writes on it any more
            raise BooksChanged
        if closed:
            write_certificate(parts, connection, day)
        return closed


def _books(connection: Connection, day: date) -> Books:
    return Books(
        day_books.channels(connection, day), day_books.funds(connection, day), discrepancies.of_day(connection, day)
    )


def _amounts(row: Row) -> tuple[int | None, ...]:
    ours = (row.ours_received, row.ours_refunded, row.matched, row.open)
    return (row.received, row.refunded, row.fee, row.net, row.credited, *ours)
