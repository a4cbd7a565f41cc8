"""What lies too long wakes whose it is: a roster that nobody moves while the agents' weeks come near, an objection past
its day, a list whose days are over and that nobody has taken down."""

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from sqlalchemy import text

from app.flows.parts import Parts
from app.registry.rosters import Stage, next_step

PATIENCE = timedelta(days=3)  # in one hand
BEFORE = timedelta(days=10)  # so long before the agents begin a roster must move


def watch_rosters(parts: Parts) -> int:
    """How much is late; one word for each office, or town."""
    now, today = parts.clocks.now(), parts.clocks.today()
    with parts.reading() as connection:
        still = connection.execute(_STILL, {"before": now - PATIENCE}).all()
        late = connection.execute(_OBJECTIONS, {"today": today, "before": now - PATIENCE}).all()
        hang = connection.execute(_HANG, {"now": now}).all()
    found = 0
    for office, (rosters, oldest) in _by_office(row for row in still if _is_near(parts, row.levy_year)).items():
        parts.alert("rosters_wait", office=office, rosters=rosters, oldest=oldest.isoformat())
        found += rosters
    for row in late:
        parts.alert("objections_wait", office=row.office, objections=row.objections, since=row.since.isoformat())
        found += row.objections
    for row in hang:
        parts.alert("lists_hang_on", town=row.town, lists=row.lists, since=row.since.isoformat())
        found += row.lists
    return found


def _is_near(parts: Parts, year: int) -> bool:
    dates = parts.levy.rules(year).dates
    return dates.agent_open - BEFORE <= parts.clocks.today() <= dates.concentrated_end


def _by_office(rows: Iterable[Any]) -> dict[str, tuple[int, Any]]:
    found: dict[str, tuple[int, Any]] = {}
    for row in rows:
        if office := _office_of(row):
            rosters, oldest = found.get(office, (0, row.oldest))
            found[office] = (rosters + row.rosters, min(oldest, row.oldest))
    return found


def _office_of(row: Any) -> str:
    if row.state == Stage.SENT_BACK:
        return "tax"
    hands = (name for role, name in _OFFICES.items() if next_step(row.state, role, medical=row.medical) is not None)
    return next(hands, "")


_OFFICES = {"tax_clerk": "tax", "hrss": "hrss", "medical": "medical", "town": "town"}


_STILL = text(
    "select r.levy_year, r.state, r.medical, count(*) as rosters, min(last.at) as oldest from roster r"
    " cross join lateral (select max(s.at) as at from roster_step s where s.roster_id = r.id) last"
    " where r.no > 0 and r.state not in ('POSTED', 'EFFECTIVE') and last.at < :before group by 1, 2, 3 order by 1, 2, 3"
)
_OBJECTIONS = text(
    "select case o.state when 'RAISED' then o.owner else 'town' end as office, count(*) as objections,"
    " min(case o.state when 'RAISED' then o.due_on"
    "          else (o.answered_at at time zone 'Asia/Shanghai')::date end) as since"
    " from roster_objection o where o.state = 'RAISED' and o.due_on < :today"
    " or o.state <> 'RAISED' and o.told_at is null and o.answered_at < :before group by 1 order by 1"
)
_HANG = text(
    "select left(c.village_code, 9) as town, count(*) as lists, min(c.ends_at) as since from closing c"
    " where c.ends_at <= :now and exists (select from closing_step h where (h.closing_id, h.what) = (c.id, 'HUNG')"
    "   and not exists (select from closing_step d"
    "                    where (d.closing_id, d.what, d.place) = (c.id, 'TAKEN_DOWN', h.place)))"
    " group by 1 order by 1"
)
