"""Who read what in full, as rows. Nothing here commits: what is read and why it was is one transaction."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection, Row, select, text

from app.access.models import Disclosure


def note(
    connection: Connection, *, session: bytes, reason: str, at: datetime, person_id: int | None = None, place: str = ""
) -> None:
    """One reading: of one person's numbers, or of a place's list; in the name of whoever's `session` (the hash of its
    token) it is."""
    connection.execute(
        text("select note_reading(:session, :person, :place, :reason, :at)"),
        {"session": session, "person": person_id, "place": place, "reason": reason, "at": at},
    )


def of_person(connection: Connection, person_id: int) -> Sequence[Row]:
    """Every reading of one person's numbers, the latest first."""
    mine = select(Disclosure.__table__).where(Disclosure.person_id == person_id)
    return connection.execute(mine.order_by(Disclosure.id.desc())).all()


def listed(connection: Connection, *, before: int | None, most: int) -> Sequence[Row]:
    """All of them, the latest first, from before an id on."""
    found = select(Disclosure.__table__).order_by(Disclosure.id.desc()).limit(most)
    return connection.execute(found.where(Disclosure.id < before) if before else found).all()
