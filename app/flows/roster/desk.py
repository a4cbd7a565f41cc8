"""Every village's roster: where it stands and since when, one with its rows, what is odd, who did each step, and two
versions side by side. Names are masked."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from sqlalchemy import Row, text

from app.access.sessions import Officer
from app.flows.parts import Parts
from app.flows.roster.move import NoSuchRoster
from app.registry.rosters import FEWER, Stage, next_step
from core.clock import business_day

PAGE, ROWS, MOST_ODD, MOST = 50, 100, 100, 1_000
LATE = timedelta(days=3)  # in one hand


@dataclass(frozen=True)
class Wanted:
    """What is looked for; empty: everything."""

    year: int
    town: str = ""
    insurance: str = ""
    state: str = ""
    page: int = 1


@dataclass(frozen=True)
class Line:
    """One roster in the list. `fewer`: percent by which it has shrunk, if that is much; `step`: what who looks may
    sign for now."""

    row: Any
    fewer: int | None
    late: bool
    step: Stage | None


@dataclass(frozen=True)
class Sheet:
    """One version: its line, a page of its rows (person_id, masked, household), of what is odd of whom and of what was
    changed, every step of the roster, and the agents whom the town may give it to. `unheeded`: an objection was agreed
    to, and no version since. `behind`: how many the register puts on it, or takes off it, since it was drawn."""

    line: Line
    versions: Sequence[Row]
    version: Any
    rows: Sequence[Row]
    odd: Sequence[Row]
    steps: Sequence[Mapping[str, Any]]
    agents: Sequence[Mapping[str, Any]]
    newest: bool
    posting: Any
    changes: Sequence[Row]
    odd_count: int
    changes_count: int
    unheeded: bool
    behind: int


def board(parts: Parts, who: Officer, wanted: Wanted) -> tuple[list[Line], int]:
    """A page of the rosters of a year, by village, and how many there are."""
    asked = _asked(wanted) | {"most": PAGE, "after": (wanted.page - 1) * PAGE, "now": parts.clocks.now()}
    today = parts.clocks.today()
    with parts.reading() as connection:
        count = connection.execute(_COUNT, asked).scalar_one()
        rows = connection.execute(_LIST, asked).all()
    return [_line(row, who, today) for row in rows], count


def stands(parts: Parts, wanted: Wanted) -> Mapping[str, int]:
    """How many rosters of a year stand where, in the places that he sees."""
    with parts.reading() as connection:
        rows = connection.execute(_STANDS, _asked(wanted)).all()
    return {row.state: row.number for row in rows}


def waiting_count(parts: Parts, who: Officer) -> int:
    """How many wait for his hand."""
    found = 0
    with parts.reading() as connection:
        for row in connection.execute(_WAITING, {"by": who.by}):
            step = next_step(row.state, who.role, medical=row.medical)
            found += row.number if step is not None and row.state != Stage.WITH_AGENT else 0
    return found


def towns(parts: Parts) -> Sequence[Row]:
    """Towns and villages that he sees, to choose from: code, name, town (none: it is one)."""
    with parts.reading() as connection:
        return connection.execute(_TOWNS).all()


def sheet(parts: Parts, who: Officer, roster: int, *, no: int | None = None, page: int = 1, odd_page: int = 1) -> Sheet:
    """One version (None: the one in hand). `odd_page`: of what is odd, and of what was changed. NoSuchRoster."""
    with parts.reading() as connection:
        row = connection.execute(_ONE, {"id": roster, "now": parts.clocks.now()}).one_or_none()
        versions = connection.execute(_VERSIONS, {"id": roster}).all()
        version = next((each for each in versions if each.no == (no or versions[0].no)), None)
        if row is None or version is None:
            raise NoSuchRoster(str(roster))
        of = {"id": roster, "no": version.no, "most": ROWS, "after": (page - 1) * ROWS}
        rows = connection.execute(_ROWS, of).all()
        beside = of | {"most": MOST_ODD, "after": (odd_page - 1) * MOST_ODD}
        odd = connection.execute(_ODD, beside).all()
        steps = connection.execute(_STEPS, {"id": roster}).all()
        posting = connection.execute(_POSTING, of).one_or_none()
        changes = connection.execute(_CHANGES, beside).all()
        counted = connection.execute(_COUNTED, of).one()
        agents = connection.execute(_AGENTS, {"village": row.village_code}).all()
        behind = connection.execute(_BEHIND, of).scalar_one() if version.no == row.no else 0
    return Sheet(
        line=_line(row, who, parts.clocks.today()),
        versions=versions,
        version=version,
        rows=rows,
        odd=odd,
        steps=[_step(parts, each) for each in steps],
        agents=[{"id": each.id, "login": each.login, "name": _agent(parts, each)} for each in agents],
        newest=version.no == row.no,
        posting=posting,
        changes=changes,
        odd_count=counted.odd,
        changes_count=counted.changes,
        unheeded=counted.unheeded and version.no == row.no,
        behind=behind,
    )


def compared(parts: Parts, roster: int, before: int, after: int) -> tuple[list[Row], list[Row]]:
    """Who is on the one and not on the other: added, removed (masked, household), MOST of each and one more if
    there are more. NoSuchRoster."""
    with parts.reading() as connection:
        known = connection.execute(_VERSIONS, {"id": roster}).all()
        if not {before, after} <= {each.no for each in known}:
            raise NoSuchRoster(str(roster))
        rows = [
            connection.execute(_ONLY, {"id": roster, "on": on, "not_on": not_on, "most": MOST + 1}).all()
            for on, not_on in ((after, before), (before, after))
        ]
    return list(rows[0]), list(rows[1])


def _asked(wanted: Wanted) -> dict[str, object]:
    return {"year": wanted.year, "town": wanted.town, "insurance": wanted.insurance, "state": wanted.state}


def _line(row: Any, who: Officer, today: date) -> Line:
    step = next_step(row.state, who.role, medical=row.medical)
    if step in (Stage.TAX_REVIEWED, Stage.HRSS_REVIEWED, Stage.MEDICAL_REVIEWED) and who.by in row.hands:
        step = None
    if step in (Stage.TAX_CONFIRMED, Stage.EFFECTIVE) and row.drawn_by == who.by and not row.hung:
        step = None  # another one than who drew it, as the database says
    lost = round((row.before - row.people) * 100 / row.before) if row.before else 0
    late = row.state != Stage.EFFECTIVE and today - business_day(row.at) > LATE
    return Line(row, lost if row.before and (row.before - row.people) * 100 >= FEWER * row.before else None, late, step)


def _step(parts: Parts, row: Row) -> Mapping[str, Any]:
    words = parts.vault.open(row.words, bound_to=f"roster_step.words:{row.id}") if row.words else ""
    return {**row._mapping, "words": words, "agent": _agent(parts, row) if row.login else ""}


def _agent(parts: Parts, row: Row) -> str:
    return parts.vault.open(row.name, bound_to=f"agent.name:{row.login}")


_SELECT = (
    "select r.*, v.people, v.before, v.drawn_by, s.name as village, t.name as town, last.at, last.by,"
    " exists (select from closing c join closing_step h on h.closing_id = c.id and h.what = 'HUNG'"
    "          where (c.levy_year, c.insurance, c.village_code) = (r.levy_year, r.insurance, r.village_code)"
    "            and c.ends_at <= :now) and not exists ("
    "   select from closing c join closing_step h on h.closing_id = c.id and h.what = 'HUNG'"
    "    where (c.levy_year, c.insurance, c.village_code) = (r.levy_year, r.insurance, r.village_code) and not exists ("
    "      select from closing_step d"
    "       where (d.closing_id, d.what, d.place) = (c.id, 'TAKEN_DOWN', h.place))) as archived,"
    " (select count(*) from roster_odd o where o.roster_id = r.id and o.no = r.no) as odd,"
    " exists (select from roster_posting h where (h.roster_id, h.no) = (r.id, r.no)) as hung,"
    " array(select drawn_by union select st.by from roster_step st"
    "        where st.roster_id = r.id and st.no = r.no and st.what like '%\\_REVIEWED') as hands"
    " from roster r join roster_version v on v.roster_id = r.id and v.no = r.no"
    " join village s on s.code = r.village_code join town t on t.code = s.town_code"
    " cross join lateral (select st.at, st.by from roster_step st where st.roster_id = r.id"
    "                     order by st.id desc limit 1) last"
)  # archived: what hung after the season is taken down everywhere (domain.md 3.1)
_OF = (
    " where r.levy_year = :year and :insurance in ('', r.insurance) and :state in ('', r.state)"
    " and :town in ('', left(r.village_code, 9), r.village_code)"
)
_LIST = text(f"{_SELECT}{_OF} order by r.village_code, r.insurance limit :most offset :after")
_ONE = text(f"{_SELECT} where r.id = :id")
_BEHIND = text(  # as `roster_gather` says who is on it, of the year that is the register's own
    "with mine as (select * from roster where id = :id and levy_year = (select max(year) from levy_year)),"
    " fresh as (select p.id from mine m join household h on h.village_code = m.village_code"
    "   join person p on p.household_id = h.id and p.alive and p.restricted_at is null"
    "   join enrolment e on (e.person_id, e.insurance, e.status) = (p.id, m.insurance, 'NORMAL')"
    "   where p.id not in (select said_dead())),"
    " drawn as (select w.person_id as id from mine m join roster_row w on (w.roster_id, w.no) = (m.id, m.no))"
    " select (select count(*) from fresh f where not exists (select from drawn d where d.id = f.id))"
    "      + (select count(*) from drawn d where not exists (select from fresh f where f.id = d.id))"
)
_COUNT = text(f"select count(*) from roster r{_OF} and r.no > 0")
_STANDS = text(f"select r.state, count(*) as number from roster r{_OF} and r.no > 0 group by 1")
_WAITING = text(
    "select r.state, r.medical, count(*) as number from roster r"
    " join roster_version v on v.roster_id = r.id and v.no = r.no"
    " where r.state in ('GENERATED', 'TAX_REVIEWED', 'HRSS_REVIEWED', 'MEDICAL_REVIEWED', 'ISSUED_TO_TOWN', 'AMENDING',"
    "   'REPORTED', 'TAX_CONFIRMED')"
    " and (r.state not in ('GENERATED', 'TAX_REVIEWED', 'HRSS_REVIEWED') or v.drawn_by <> :by and not exists ("
    "   select from roster_step s where (s.roster_id, s.no, s.by) = (r.id, r.no, :by) and s.what like '%\\_REVIEWED'))"
    " and (r.state not in ('REPORTED', 'TAX_CONFIRMED') or v.drawn_by <> :by"
    "   or exists (select from roster_posting h where (h.roster_id, h.no) = (r.id, r.no)))"
    " group by 1, 2"
)
_TOWNS = text(
    "select v.code, v.name, t.code as town_code, t.name as town from village v join town t on t.code = v.town_code"
    " where current_setting('liangxian.places', true) = '*' or in_places(v.code) order by v.code"
)
_VERSIONS = text("select * from roster_version where roster_id = :id order by no desc")
_ROWS = text(
    "select r.person_id, r.masked, h.number as household from roster_row r"
    " left join person p on p.id = r.person_id left join household h on h.id = p.household_id"
    " where r.roster_id = :id and r.no = :no order by h.number, r.person_id limit :most offset :after"
)
_ODD = text(
    "select o.kind, o.person_id, r.masked, h.number as household from roster_odd o"
    " join roster_row r on (r.roster_id, r.no, r.person_id) = (o.roster_id, o.no, o.person_id)"
    " left join person p on p.id = o.person_id left join household h on h.id = p.household_id"
    " where o.roster_id = :id and o.no = :no order by o.kind, h.number, o.person_id limit :most offset :after"
)
_COUNTED = text(
    "select (select count(*) from roster_odd where roster_id = :id and no = :no) as odd,"
    " (select count(*) from roster_change where roster_id = :id and no = :no) as changes,"
    " exists (select from roster_objection o join roster_version v on (v.roster_id, v.no) = (:id, :no)"
    "         where o.roster_id = :id and o.state = 'ACCEPTED' and o.answered_at >= v.drawn_at) as unheeded"
)
_STEPS = text(
    "select s.*, a.login, a.name from roster_step s left join agent a on a.id = s.agent_id"
    " where s.roster_id = :id order by s.id"
)
_POSTING = text("select * from roster_posting where roster_id = :id and no = :no")
_CHANGES = text(
    "select masked, what, why from roster_change where roster_id = :id and no = :no order by what, masked, person_id"
    " limit :most offset :after"
)
_AGENTS = text(
    "select a.id, a.login, a.name from agent a join agent_village v on v.agent_id = a.id"
    " where v.village_code = :village and a.active order by a.login"
)
_ONLY = text(
    "select a.masked, h.number as household from roster_row a"
    " left join person p on p.id = a.person_id left join household h on h.id = p.household_id"
    " where a.roster_id = :id and a.no = :on and not exists (select from roster_row b"
    "   where (b.roster_id, b.no, b.person_id) = (a.roster_id, :not_on, a.person_id))"
    " order by h.number, a.person_id limit :most"
)
