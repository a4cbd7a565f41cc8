"""Rows of lists that nobody ended within three days wake the town's and the medical clerk: somebody may be missed."""

from sqlalchemy import text

from app.flows.helped.lists import PATIENCE
from app.flows.parts import Parts


def watch_rows(parts: Parts) -> int:
    """How many wait too long; one word for each town, and one for rows of no town we know."""
    with parts.reading() as connection:
        rows = connection.execute(_LATE, {"before": parts.clocks.now() - PATIENCE}).all()
    for row in rows:
        parts.alert("helped_rows_wait", town=row.town, rows=row.rows, oldest=row.oldest.isoformat())
    return sum(row.rows for row in rows)


_LATE = text(
    "select coalesce(town, '') as town, count(*) as rows, min(fed_back_at) as oldest from special_row"
    " where state in ('FED_BACK', 'PERSON_TOLD') and fed_back_at < :before group by 1 order by 1"
)
