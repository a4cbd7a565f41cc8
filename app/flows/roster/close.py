"""After the season: who of each village is insured and who is not yet, from the rosters in force and settled bills in
one snapshot. The same draws nothing twice; a new version may be drawn on any day of the notice."""

from collections import Counter, defaultdict
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from math import inf
from typing import Any

from sqlalchemy import Connection, text

from app.flows.due.coverage import one_by_one
from app.flows.due.pledged import less_pledged, newly_given
from app.flows.due.quote import amount_due
from app.flows.due.replay import REMEMBERED, pays_nothing
from app.flows.hand_in.work import Job, Progress
from app.flows.parts import Parts
from app.flows.roster.draw import Asked, DrawingUnderWay, NothingToDraw, stage_names
from app.policy.days import moment_after
from app.policy.facts import Category, Insurance
from app.policy.terms import PolicyYear
from app.registry.bulk import some_people
from app.registry.find import by_ids
from core.db import may_take
from core.errors import Conflict
from payments.refusals import as_errors

TOGETHER = 5_000  # people who are reckoned at once


class NoClosingNow(Conflict):
    """The year's rules name no last day of the notice, or it is not in its days."""

    text = "现在不是公示的日子：集中征缴期结束的第二天起，到缴费标准里写的最后一天为止。"


def days_of(rules: PolicyYear) -> tuple[datetime, datetime]:
    """From when and until when lists hang, half-open. NoClosingNow where the year's file says nothing. Pure."""
    if rules.campaign.closing_until is None:
        raise NoClosingNow
    return rules.dates.agent_until, moment_after(rules.campaign.closing_until)


def draw_closings(parts: Parts, job: Job, progress: Progress) -> Mapping[str, Any]:
    """What the tax branch asked for at its page. NoClosingNow, NothingToDraw, DrawingUnderWay."""
    about = job.about
    asked = Asked(about["year"], tuple(about["insurances"]), about["place"])
    return close(parts, asked, by=job.by, job=job.id, progress=progress)


def close(
    parts: Parts,
    asked: Asked,
    *,
    by: str,
    job: int | None = None,
    progress: Callable[[int, int], None] = lambda _rows, _about: None,
) -> dict[str, Any]:
    """What came of it: `drawn` anew, `same` as before; by insurance how many are insured, not yet, in neither. As
    `draw_closings`."""
    rules = parts.levy.rules(asked.year)
    starts, ends = days_of(rules)
    now, today = parts.clocks.now(), parts.clocks.today()
    snapshot = parts.engine.connect().execution_options(isolation_level="REPEATABLE READ")
    with snapshot as connection, as_errors(_REFUSED):
        may_take(connection, inf)
        villages = list(connection.execute(_PLACES, {"place": asked.place}).scalars())
        if not villages or not all(rules.offers(Insurance(each)) for each in asked.insurances):
            raise NothingToDraw
        held = {"year": asked.year, "insurances": list(asked.insurances), "villages": villages}
        lists = connection.execute(_HOLD, held | {"starts": starts, "ends": ends, "now": now}).scalar_one()
        named = stage_names(parts.vault, connection, villages, progress)
        _gather(parts, connection, asked)
        if asked.year == parts.levy.years.newest:  # of a former year nobody's facts stand beside
            _with_who_pays_nothing(parts, connection, rules, min(now, rules.dates.normal_until - timedelta(seconds=1)))
            _with_whom_sponsors_pay_for(parts, connection, rules, now)
        wanted = {"lists": lists, "by": by, "job": job, "now": now}
        drawn = connection.execute(_WRITE, wanted).scalar_one()
        told = {row.insurance: dict(row._mapping) for row in connection.execute(_TOLD, {"lists": lists})}
        connection.commit()
    progress(named, named)
    return {
        "year": asked.year,
        "place": asked.place,
        "on": today.isoformat(),
        "drawn": drawn,
        "same": len(lists) - drawn,
        "counts": told,
    }


def _gather(parts: Parts, connection: Connection, asked: Asked) -> None:
    """Everybody of the place, and whether his premium is done: the one count that every page shows."""
    connection.execute(text("truncate new_closing_row"))
    town, village = ([asked.place], "") if len(asked.place) == _TOWN else ([], asked.place)
    query, values = one_by_one(parts, towns=town, village=village, year=asked.year)
    connection.execute(text(f"{_INTO} ({query}) one"), {**values, "insurances": list(asked.insurances)})


def _with_who_pays_nothing(parts: Parts, connection: Connection, rules: PolicyYear, at: datetime) -> None:
    """Whose premium the government pays whole counts as insured, whether somebody has opened his page or not."""
    years = [rules, *(parts.levy.rules(year) for year in parts.levy.ever.all)]
    groups = frozenset(Category).union(*(each.groups for each in years))
    raw: Any = connection.connection.driver_connection
    known: dict[tuple[Insurance, bytes], bool] = {}
    free: dict[str, list[int]] = defaultdict(list)
    left = {row.person_id: row.insurances for row in connection.execute(_LEFT)}
    people = list(left)
    for first in range(0, len(people), TOGETHER):
        for head, *lines in some_people(raw, people[first : first + TOGETHER], (rules.year,)):
            for key in zip((Insurance.RES_PENSION, Insurance.RES_MEDICAL), lines, strict=True):
                if key[0] not in left[int(head)]:
                    continue
                if key not in known:
                    if len(known) >= REMEMBERED:
                        known.clear()
                    known[key] = pays_nothing(rules, groups, *key, at=at)
                if known[key]:
                    free[key[0]].append(int(head))
    _are_done(connection, free)


def _with_whom_sponsors_pay_for(parts: Parts, connection: Connection, rules: PolicyYear, at: datetime) -> None:
    """Whom a pledge with money left may mean is asked as his page is; what pays for one is not there for the next."""
    asked = {"year": rules.year, "reference": rules.dates.age_reference}
    meant = {row.person_id: row.insurances for row in connection.execute(_MEANT, asked)}
    people, given = list(meant), Counter[int]()
    free: dict[str, list[int]] = defaultdict(list)
    for first in range(0, len(people), TOGETHER):
        for found in by_ids(connection, parts.vault, people[first : first + TOGETHER], years=parts.levy.ever):
            for insurance in meant[found.id]:
                subject = less_pledged(found, given)
                due = amount_due(parts, subject, Insurance(insurance), at=at)
                if due.is_free:
                    given += newly_given(subject, due)
                    free[insurance].append(found.id)
    _are_done(connection, free)


def _are_done(connection: Connection, free: Mapping[str, list[int]]) -> None:
    for insurance, people in free.items():
        connection.execute(_FREE, {"insurance": insurance, "people": people})


_TOWN = 9  # letters of a town's code
_REFUSED = {"LX148": NoClosingNow} | dict.fromkeys(("LX144", "40001", "55P03"), DrawingUnderWay)
_PLACES = text("select code from village where :place in ('', code, town_code) order by code")
_HOLD = text("select closing_hold(:year, :insurances, :villages, :starts, :ends, :now)")
_INTO = (
    "insert into new_closing_row (village_code, insurance, person_id, own, done)"
    " select village_code, insurance, person, own, done from"
)
_LEFT = text(
    "select person_id, array_agg(insurance) as insurances from new_closing_row where own and not done"
    " group by 1 order by 1"
)
_MEANT = text(
    "select n.person_id, array_agg(n.insurance) as insurances"
    " from new_closing_row n join person p on p.id = n.person_id"
    " where n.own and not n.done and exists ("
    "   select from pledge g join pledge_terms t on t.pledge_id = g.id"
    "    where g.levy_year = :year and g.insurance = n.insurance and pledge_room(g) > 0 and case when t.named"
    "      then exists (select from pledge_person w where (w.pledge_id, w.person_id) = (g.id, n.person_id))"
    "      else coalesce(t.village_code = n.village_code, true)"
    "       and extract(year from cast(:reference as date)) - extract(year from p.birth_date)"  # his age, or one more
    "           between coalesce(t.from_age, 0) and coalesce(t.to_age, 200) + 1"
    "       and (t.category is null"
    "            or exists (select from category c where (c.person_id, c.insurance, c.code)"
    "                                                  = (n.person_id, n.insurance, t.category))"
    "            or exists (select from helped_category c where (c.person_id, c.levy_year, c.insurance, c.code)"
    "                                                         = (n.person_id, :year, n.insurance, t.category))) end)"
    " group by 1 order by 1"
)
_FREE = text("update new_closing_row set done = true where insurance = :insurance and person_id = any (:people)")
_WRITE = text("select closing_write(:lists, :by, :job, :now)")
_TOLD = text(
    "select c.insurance, sum(v.done)::int as done, sum(v.owing)::int as owing, sum(v.excluded)::int as excluded,"
    " sum(v.beside)::int as beside, count(*) filter (where v.roster_no is null)::int as rosterless"
    " from closing c join closing_version v on v.closing_id = c.id and v.no = c.no where c.id = any (:lists)"
    " group by 1 order by 1"
)
