"""Who belongs to a year's insurances and whose premium is done, person by person: the one count that agents, offices
and lists read (D41, decision 24). Reads only."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import text

from app.flows.parts import Parts
from app.policy.days import born_by
from app.policy.facts import Insurance


@dataclass(frozen=True)
class Row:
    """One village and insurance. `due`: enrolled here and not left out by D41; `paid` and `free`: those of them whose
    premium of the year is done; `excluded`: those left out, whatever they paid before, `elsewhere` of them because
    an office found that they paid in another place; `doubted`: of whom offices contradict each other, so that nothing
    is asked of them; `week`: how many of the done were since a moment. Everybody is in one of `paid`, `free`, `left`,
    `doubted` and `excluded`."""

    town: str
    village: str
    village_code: str
    insurance: str
    due: int
    paid: int
    free: int
    excluded: int
    week: int
    elsewhere: int = 0
    doubted: int = 0

    @property
    def everybody(self) -> int:
        """Who is registered in the village for the insurance."""
        return self.due + self.doubted + self.excluded

    @property
    def done(self) -> int:
        """Whose premium is done."""
        return self.paid + self.free

    @property
    def left(self) -> int:
        """Who is still to do."""
        return self.due - self.done

    @property
    def rate(self) -> str:
        """Done of due, as people write it."""
        done = 1000 * self.done // self.due if self.due else 0
        return f"{done // 10}.{done % 10}%" if self.due else "—"


def coverage(
    parts: Parts, *, since: datetime, towns: Sequence[str] = (), village: str = "", year: int | None = None
) -> list[Row]:
    """Every village of these towns (none: of all), or one village, each insurance, by code: where people live now.
    `year`: the newest where none is said."""
    wanted = _asked(parts, village, year) | {"since": since, "towns": list(towns)}
    with parts.reading() as connection:
        return [Row(**row._mapping) for row in connection.execute(_COUNTED[_is_newest(parts, year)], wanted)]


def left_in(parts: Parts, village: str, *, year: int | None = None) -> set[int]:
    """Whom of a village something of the year is left of, by id: the people behind `Row.left`."""
    wanted = _asked(parts, village, year) | {"towns": []}
    with parts.reading() as connection:
        return set(connection.execute(_LEFT[_is_newest(parts, year)], wanted).scalars())


def one_by_one(
    parts: Parts, *, towns: Sequence[str] = (), village: str = "", year: int | None = None
) -> tuple[str, Mapping[str, Any]]:
    """The query behind the count, and what it is asked with: a row for each person and insurance, with village_code,
    person, `own` (not left out by D41, nor waiting for an office's word) and `done`."""
    return _ONES[_is_newest(parts, year)], _asked(parts, village, year) | {"towns": list(towns)}


def _is_newest(parts: Parts, year: int | None) -> bool:
    return year is None or year == parts.levy.years.newest


def _asked(parts: Parts, village: str, year: int | None) -> Mapping[str, Any]:
    rules = parts.rules if year is None else parts.levy.rules(year)
    today = min(parts.clocks.today(), rules.dates.benefit_to)  # a year that is over stands still
    joins, ends = (pension.join_age, pension.due_until_age) if (pension := rules.has_pension) else (0, 0)
    return {
        "year": rules.year,
        "village": village,
        "today": today,
        "insurances": [each for each in Insurance if rules.offers(each)],
        "nonlocals": rules.has_medical is not None and rules.has_medical.nonlocals,
        "old_enough": born_by(today, joins),
        "too_old": born_by(today, ends),
    }


# The order of reasons is the rules' (policy/checks.py, exclusion); here only whether there is one. Of whom offices
# contradict each other nothing is billed (due/doubt.py), but what is done is done, unless it is whether he lives.
_ONE = """
select *, counted and (done or not disputed) as own, disputed and not (counted and done) as doubted from (
select t.name as town, v.name as village, v.code as village_code, p.id as person, e.insurance, b.personal_due,
       b.settled_at, b.id is not null as done, disputed.person_id is not null as disputed,
       found.id is not null as elsewhere,
       coalesce(p.alive and dead.person_id is null and e.status = 'NORMAL'
       and ({of}.residence <> 'nonlocal' or :nonlocals and e.insurance = 'RES_MEDICAL')
       and ({of}.residence not like 'permit%'
            or ({of}.residence = 'permit' or p.parent_index is not null)
               and coalesce({permit_to} >= :today, true))
       and not e.employee_insured
       and not string_to_array(e.insured_elsewhere || '|' || coalesce(other.insured_elsewhere, ''), '|')
               && case e.insurance when 'RES_PENSION' then array['pension_elsewhere', 'drawing_pension']
                                   else array['medical_outside_zz', 'medical_inside_zz'] end
       and found.id is null
       and (e.insurance = 'RES_MEDICAL'
            or p.birth_date <= :old_enough and p.birth_date > :too_old and not {of}.student), false) as counted
  from village v join town t on t.code = v.town_code
  join household h on h.village_code = v.code
  join person p on p.household_id = h.id and p.restricted_at is null
  left join police_word dead on dead.person_id = p.id and dead.code = 'DIED' and dead.stands = 'counts'
  {said}
  left join (select distinct person_id, unnest(insurances) as insurance from conflict where state = 'open') disputed
    on disputed.person_id = p.id and disputed.insurance = e.insurance
  left join paid_elsewhere found on found.person_id = p.id and found.insurance = e.insurance
                                and found.levy_year = :year and found.back_at is null
  left join bill b on b.person_id = p.id and b.insurance = e.insurance and b.levy_year = :year
                  and b.determination is null and b.raised_from is null and b.state = 'settled'
 where (p.alive and dead.person_id is null or disputed.person_id is not null)
   and (v.code = :village or :village = '') and e.insurance = any (cast(:insurances as text[]))
   and (cardinality(cast(:towns as text[])) = 0 or v.town_code = any (cast(:towns as text[])))
) each_one
"""
_NEWEST = _ONE.format(
    of="p",
    permit_to="permit_end(p.residence, p.permit_to, p.parent_index)",
    said="join enrolment e on e.person_id = p.id"
    " left join enrolment other on other.person_id = p.id and other.insurance <> e.insurance",
)
_FORMER = _ONE.format(  # whom the register did not know then belongs to nothing then
    of="said",
    permit_to="former_permit_end(:year, said.residence, said.permit_to, p.parent_index)",
    said="join former_person said on said.person_id = p.id and said.levy_year = :year"
    " join former_enrolment e on e.person_id = p.id and e.levy_year = :year"
    " left join former_enrolment other on other.person_id = p.id and other.levy_year = :year"
    "   and other.insurance <> e.insurance",
)
_COUNT = """
select town, village, village_code, insurance,
       count(*) filter (where own) as due,
       count(*) filter (where own and done and personal_due > 0) as paid,
       count(*) filter (where own and done and personal_due = 0) as free,
       count(*) filter (where not own and not doubted) as excluded,
       count(*) filter (where elsewhere and not doubted) as elsewhere,
       count(*) filter (where doubted) as doubted,
       count(*) filter (where own and done and settled_at > :since) as week
  from ({one}) one group by 1, 2, 3, 4 order by 3, 4
"""
_WHO = "select distinct person from ({one}) one where own and not done"
_ONES = {True: _NEWEST, False: _FORMER}
_COUNTED = {True: text(_COUNT.format(one=_NEWEST)), False: text(_COUNT.format(one=_FORMER))}  # by: is it the newest?
_LEFT = {True: text(_WHO.format(one=_NEWEST)), False: text(_WHO.format(one=_FORMER))}
