"""A file that was handed in is taken away again, in full: for a reason, which is written down like every list's."""

from collections.abc import Iterator

from sqlalchemy import Row

from app.access import disclosures
from app.access.sessions import Officer
from app.flows.hand_in.keep import FileGone, kept, pieces
from app.flows.offices.people import allow_reading, good_reason
from app.flows.parts import Parts


def take_away(parts: Parts, officer: Officer, number: int, *, reason: str) -> tuple[Row, Iterator[bytes]]:
    """Its row and its bytes, a piece at a time. BadReadingReason, NoSuchUpload, FileGone, TooOften."""
    why = good_reason(reason)
    row = kept(parts, number, role=officer.role)
    if row.gone_at is not None:
        raise FileGone(str(number))
    allow_reading(parts, officer)
    with parts.engine.begin() as connection:
        noted = {"session": officer.session, "reason": why, "at": parts.clocks.wall(), "place": f"upload:{number}"}
        disclosures.note(connection, **noted)
    return row, pieces(parts, number)
