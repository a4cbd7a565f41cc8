"""How far the collection has come, village by village; and who of a village is still to do, as a list to work with."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import text

from app.access import disclosures
from app.access.sessions import Officer
from app.documents.spreadsheet import as_csv, as_xlsx
from app.flows.desk_people import NobodyFound, allow_reading, good_reason
from app.flows.parts import Parts
from app.flows.visit import STANDING_WORDS, TITLES, Standing, villagers
from app.flows.visit import villages as named_villages
from app.policy.facts import Insurance
from core.clock import beijing
from core.redact import mask_name

WEEK = timedelta(days=7)
HEAD = ("镇街", "村（居）", "险种", "应参保", "已缴费", "不用交已办好", "不在这里交", "还没办", "办好率", "近七天办好")


@dataclass(frozen=True)
class Row:
    """One village and insurance. `due`: enrolled here, employee schemes and other places left out; `excluded`: those
    left out; `week`: how many were done in the last seven days."""

    town: str
    village: str
    village_code: str
    insurance: str
    due: int
    paid: int
    free: int
    excluded: int
    week: int

    @property
    def left(self) -> int:
        """Who is still to do."""
        return max(0, self.due - self.paid - self.free)

    @property
    def rate(self) -> str:
        """Done of due, as people write it."""
        done = 1000 * (self.paid + self.free) // self.due if self.due else 0
        return f"{done // 10}.{done % 10}%" if self.due else "—"


def progress(parts: Parts, officer: Officer) -> list[Row]:
    """Every village of the officer's towns, both insurances, by code."""
    wanted = {
        "towns": sorted(officer.towns),
        "all": not officer.towns,
        "year": parts.rules.year,
        "since": parts.clocks.now() - WEEK,
    }
    with parts.reading() as connection:
        return [Row(**row._mapping) for row in connection.execute(_PROGRESS, wanted)]


def totals(rows: Sequence[Row]) -> list[Row]:
    """The same for all of them together, one line an insurance. Pure."""
    return [
        _total(own, insurance) for insurance in TITLES if (own := [row for row in rows if row.insurance == insurance])
    ]


def progress_file(parts: Parts, officer: Officer, kind: str) -> bytes:
    """The table as XLSX or CSV. No person is in it."""
    rows = [
        (
            *(row.town, row.village, TITLES[Insurance(row.insurance)], str(row.due), str(row.paid), str(row.free)),
            *(str(row.excluded), str(row.left), row.rate, str(row.week)),
        )
        for row in progress(parts, officer)
    ]
    return _file(kind, "参保缴费进度", HEAD, rows, _mark(parts, officer))


def to_do_file(parts: Parts, officer: Officer, village_code: str, kind: str, *, reason: str) -> bytes:
    """Who of a village is still to do, for whoever goes from door to door: names masked, households whole. It is
    written down who took it and why. BadReadingReason, NobodyFound, TooOften."""
    why = good_reason(reason)
    if (officer.towns and village_code[:9] not in officer.towns) or not named_villages(parts, [village_code]):
        raise NobodyFound
    allow_reading(parts, officer)
    with parts.engine.begin() as connection:
        disclosures.note(connection, session=officer.session, reason=why, at=parts.clocks.wall(), place=village_code)
    lines, _ = villagers(parts, village_code)
    to_do = [line for line in lines if line.standing in (Standing.UNPAID, Standing.TIER_OPEN, Standing.FREE)]
    rows = [
        (
            line.subject.household_number,
            mask_name(line.subject.name),
            line.subject.relation_to_head,
            STANDING_WORDS[line.standing],
            line.due_words,
            "外出" if line.subject.is_migrant else "",
        )
        for line in to_do
    ]
    return _file(kind, "还没办的", ("户号", "姓名", "关系", "状态", "要交", "是否外出"), rows, _mark(parts, officer))


def _total(rows: Sequence[Row], insurance: str) -> Row:
    sums = {name: sum(getattr(row, name) for row in rows) for name in ("due", "paid", "free", "excluded", "week")}
    return Row(town="合计", village="", village_code="", insurance=insurance, **sums)


def _mark(parts: Parts, officer: Officer) -> str:
    return f"{officer.login} 于 {beijing(parts.clocks.now()):%Y-%m-%d %H:%M} 导出，只供办公使用"


def _file(kind: str, name: str, head: Sequence[str], rows: Sequence[Sequence[str]], mark: str) -> bytes:
    return as_csv(head, rows, mark=mark) if kind == "csv" else as_xlsx(name, head, rows, mark=mark)


_PROGRESS = text("""
select t.name as town, v.name as village, v.code as village_code, e.insurance,
       count(*) filter (where e.own) as due,
       count(*) filter (where b.state = 'settled' and b.personal_due > 0) as paid,
       count(*) filter (where b.state = 'settled' and b.personal_due = 0) as free,
       count(*) filter (where not e.own) as excluded,
       count(*) filter (where b.state = 'settled' and b.settled_at > :since) as week
  from village v join town t on t.code = v.town_code
  join household h on h.village_code = v.code
  join person p on p.household_id = h.id and p.alive
  join (select person_id, insurance, status = 'NORMAL' and not employee_insured
               and insured_elsewhere in ('none', '') as own from enrolment) e on e.person_id = p.id
  left join bill b on b.person_id = p.id and b.insurance = e.insurance and b.levy_year = :year and b.state = 'settled'
 where :all or v.town_code = any (cast(:towns as text[]))
 group by 1, 2, 3, 4 order by 3, 4
""")
