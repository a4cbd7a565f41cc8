"""What an auditor looks at: who read personal data in full, and what is out of order at this moment. Reads only."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Row, text

from app.access import acts, disclosures
from app.flows.parts import Parts
from app.registry import find
from app.registry.identity import clean_name
from core.redact import mask_name
from notifications.send import NOBODY_WAITS

PAGE = 50


@dataclass(frozen=True)
class Reading:
    """One reading: whose numbers (masked) or which place's list, by whom, why, when (system clock)."""

    by: str
    what: str
    whose: str
    reason: str
    at: datetime


@dataclass(frozen=True)
class Readings:
    """A page, the latest first; `after` is where the next one begins, or None."""

    rows: Sequence[Reading]
    after: int | None


@dataclass(frozen=True)
class Acts:
    """A page of what people did at the door, the latest first."""

    rows: Sequence[Row]
    after: int | None


@dataclass(frozen=True)
class Alarm:
    """One thing out of order: what, how many, the page where it is dealt with."""

    what: str
    count: int
    endpoint: str


def readings(parts: Parts, *, before: int | None) -> Readings:
    """Every reading in full, a page at a time."""
    with parts.reading() as connection:
        rows = disclosures.listed(connection, before=before, most=PAGE + 1)
        ids = sorted({row.person_id for row in rows if row.person_id})
        people = {each.id: each for each in find.by_ids(connection, parts.vault, ids, years=parts.levy.years)}
    shown = rows[:PAGE]
    return Readings(
        [
            Reading(row.by, _WHAT[row.what], _whose(row, people), row.reason, row.at)  # type: ignore[arg-type]
            for row in shown
        ],
        shown[-1].id if len(rows) > PAGE else None,
    )


def acts_of(parts: Parts, *, before: int | None = None, who: str = "", sought: str = "", what: str = "") -> Acts:
    """Every act at the door and with an account, a page at a time: by or about `who` (as the
    trail writes it), or about what was `sought`, which is known by its digest only."""
    words = clean_name(sought)[:60]
    named = acts.sought(parts.vault, words) if words else who
    with parts.reading() as connection:
        rows = acts.listed(connection, before=before, most=PAGE + 1, who=named, what=what)
    return Acts(rows[:PAGE], rows[PAGE - 1].id if len(rows) > PAGE else None)


def alarms(parts: Parts) -> list[Alarm]:
    """What should be nothing, counted."""
    with parts.reading() as connection:
        row = connection.execute(
            _ALARMS,
            {"now": parts.clocks.now(), "today": parts.clocks.today(), "nobody_waits": list(NOBODY_WAITS)},
        ).one()
    return [Alarm(what, getattr(row, column), endpoint) for column, (what, endpoint) in _NAMES.items()]


_WHAT = {"numbers": "身份证号和手机号", "list": "名单文件", "complaint": "投诉人的电话和原话"}


def _whose(row: Row, people: dict) -> str:  # type: ignore[type-arg]
    kind, _, key = row.place.rpartition(":")
    if what := "投诉单" if row.what == "complaint" else _PLACES.get(kind):
        return f"{what} {key}"
    if row.person_id is None:
        return f"村（居）{row.place}"
    person = people.get(row.person_id)
    return f"{person.town}{person.village}{mask_name(person.name)}" if person else "—"


_PLACES = {
    "upload": "交来的文件",
    "helped": "部门名单",
    "demand": "代缴账单",
    "sponsor": "资助方",
    "newborn": "新生儿登记",
}
_NAMES = {
    "broken": ("账上不成立的检查", "day.days"),
    "late_differences": ("过了期还没处理的差异", "day.days"),
    "late_suspense": ("过了期的待查款", "office_suspense.listed"),
    "late_complaints": ("过了平台时限的投诉", "office_complaints.all_of_them"),
    "stuck_refunds": ("退不出去、要人工处理的退费", "office_refunds.listed"),
    "given_up": ("没有送到的通知（近七天）", "audit.now"),
    "silent": ("一小时没有结果的付款", "audit.now"),
    "unproved": ("没有备好、或者恢复演练没有成立的备份", "audit.now"),
}
_ALARMS = text("""
select (select count(*) from book_check where rows > 0) as broken,
       (select count(*) from discrepancy where state <> 'cleared' and deadline < :now) as late_differences,
       (select count(*) from suspense where solved_at is null and due_on < :today) as late_suspense,
       (select count(*) from complaint where ended_at is null
           and (end_by < :now or answered_at is null and answer_by < :now)) as late_complaints,
       (select count(*) from refund where state in ('abnormal', 'failed')) as stuck_refunds,
       (select count(*) from notice where rank = 4 and queued_at > now() - interval '7 days' and visited_at is null
           and coalesce(last_error, '') <> all (:nobody_waits) and not starts_with(cause, 'objection:')) as given_up,
       (select count(*) from payment where state in ('created', 'pending', 'unknown', 'closing', 'left')
           and started_at < now() - interval '1 hour') as silent,
       (select count(*) from (select trouble <> '' as wrong from backup_run order by id desc limit 1) run where wrong)
         + (select count(*) from (select cardinality(damage) > 0 as wrong from backup_run where damage is not null
           order by id desc limit 1) examined where wrong)
         + (select count(*) from (select ended_at < now() - interval '26 hours' as wrong from backup
           order by ended_at desc limit 1) newest where wrong)
         + (select count(*) from (select not coalesce(holds, false) as wrong from drill where ended_at is not null
           order by id desc limit 1) last where wrong) as unproved
""")
