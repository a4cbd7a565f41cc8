"""A day is closed: when the books agree by one person, with named exceptions by two. Then it never changes again."""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from sqlalchemy import text

from app.flows.certify import write_certificate
from app.flows.parts import Parts
from core.clock import business_day
from payments.ledger import seal
from payments.ledger.seal import Closing

SEAL_WITHIN = "5min"  # a day of a million payments; other days' writers wait for nobody


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


def close_day(parts: Parts, day: date, *, by: str) -> bool:
    """Close a day whose books agree; False if it was closed before. NotTheDay, HasExceptions."""
    return _close(parts, day, Closing(by, None, parts.clocks.now()))


def ask_to_close(parts: Parts, day: date, *, by: str) -> list[dict[str, Any]]:
    """Ask that a day be closed with what is open now; another person must agree. The exceptions by name."""
    with parts.engine.begin() as connection:
        return connection.execute(
            text("select ask_to_close(:day, :by, :now)"), {"day": day, "by": by, "now": parts.clocks.now()}
        ).scalar_one()


def confirm_close(parts: Parts, day: date, *, by: str) -> bool:
    """A second person agrees to the named exceptions, and the day is closed; False if it was closed before.

    NotTheDay; HasExceptions: nobody asked, somebody of the same name asked, or something new is open."""
    asked = standing(parts, day).asked_by
    closing = Closing(asked or by, by if asked else None, parts.clocks.now())
    return _close(parts, day, closing)


def days_until(parts: Parts, *, most: int = 60) -> list[date]:
    """The days from the first that was booked to yesterday, newest first, at most `most`."""
    yesterday = business_day(parts.clocks.now()) - timedelta(days=1)
    with parts.reading() as connection:
        first = connection.execute(text("select min(booked_on) from entry")).scalar_one()
    if first is None:
        return []
    return [yesterday - timedelta(days=place) for place in range(min(most, (yesterday - first).days + 1))]


def _close(parts: Parts, day: date, closing: Closing) -> bool:
    with parts.engine.begin() as connection:
        connection.execute(text(f"set local statement_timeout = '{SEAL_WITHIN}'"))
        closed = seal.seal(connection, day, closing)
        if closed:
            write_certificate(parts, connection, day)
        return closed
