"""Conflicts whose day is over wake the office that owns them: somebody cannot pay meanwhile."""

from sqlalchemy import text

from app.flows.parts import Parts


def watch_conflicts(parts: Parts) -> int:
    """How many are late; one word for each office."""
    with parts.reading() as connection:
        rows = connection.execute(_LATE, {"today": parts.clocks.today()}).all()
    for row in rows:
        parts.alert("conflicts_wait", office=row.owner, conflicts=row.conflicts, since=row.since.isoformat())
    return sum(row.conflicts for row in rows)


_LATE = text(
    "select c.owner, count(*) as conflicts, min(c.due_on) as since from conflict c"
    " join person p on p.id = c.person_id and p.restricted_at is null"
    " where c.state = 'open' and c.due_on < :today group by 1 order by 1"
)
