"""A levy year begins or ends here: the register of the year before is set down first. Which there are, and what stays
when one ends."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import text

from app.access.sessions import Officer
from app.flows.parts import Parts
from app.flows.register.check_year import missing
from app.policy.year import years
from app.registry.register import ImportUnderWay
from core.db import may_take
from core.errors import Conflict, NotFound
from payments.refusals import as_errors
from payments.states import LIVE

WITHIN_S = 600  # a whole district's register is set down


class YearNotReady(Conflict):
    """Something is missing for the year; what, line by line, says `check_year`."""

    text = "{year}年还不能开征：{why}"


class YearOutOfTurn(Conflict):
    """A year that does not follow on the newest."""

    text = "年度要一年接一年开，中间不能跳，也不能往回开。"


class NewestYearStays(Conflict):
    """The newest year cannot end: its register is the register."""

    text = "最新的一年不能停止征缴，要先开下一年。"


class YearNeverOpened(NotFound):
    """A year that was never collected here."""

    text = "这一年度没有开征过。"


class State(StrEnum):
    """Where a year stands."""

    WAITS = "waits"  # it has a file and was never opened
    OPEN = "open"
    CLOSED = "closed"


@dataclass(frozen=True)
class Listed:
    """A year that has a file or was opened; by whom and when (system clock) it began and ended."""

    year: int
    state: State
    opened_by: str | None = None
    opened_at: datetime | None = None
    closed_by: str | None = None
    closed_at: datetime | None = None


@dataclass(frozen=True)
class Stays:
    """What a year leaves when it ends: bills that nobody paid, and payments under way that still may be."""

    unpaid: int
    under_way: int


def open_year(parts: Parts, year: int, *, by: str | Officer) -> bool:
    """From now on `year` is collected too, or again; False if it is already. `by` is an officer, or with `parts` of the
    office staff:<login> or operator:<name>. YearNotReady, YearOutOfTurn, ImportUnderWay."""
    if why := [line.words for line in missing(parts, year)]:
        raise YearNotReady(str(year), year=year, why="；".join(why))
    departments, funds = json.dumps(dict(parts.departments)), json.dumps(dict(parts.levy.rules(year).funds))
    return _say(parts, "open_levy_year", "lead_opens_levy_year", year, by, departments=departments, funds=funds)


def close_year(parts: Parts, year: int, *, by: str | Officer) -> bool:
    """From now on nothing is charged for `year`; False if it is so already. What is under way may still be paid.
    NewestYearStays, YearNeverOpened."""
    parts.levy.look()
    if year not in parts.levy.ever.all:
        raise YearNeverOpened(str(year))
    return _say(parts, "close_levy_year", "lead_closes_levy_year", year, by)


def levy_years(parts: Parts) -> Sequence[Listed]:
    """Every year that has a file or was opened, the newest first."""
    with parts.reading() as connection:
        rows = {row.year: row for row in connection.execute(_YEARS)}
    return [
        Listed(year, State.CLOSED if row.closed_at else State.OPEN, *row[1:])
        if (row := rows.get(year))
        else Listed(year, State.WAITS)
        for year in sorted({*rows, *years(parts.year_files)}, reverse=True)
    ]


def levy_year(parts: Parts, year: int) -> Listed | None:
    """One of them."""
    return next((one for one in levy_years(parts) if one.year == year), None)


def what_stays(parts: Parts, year: int) -> Stays:
    """What would be left of a year that ended now."""
    with parts.reading() as connection:
        row = connection.execute(_LEFT, {"year": year, "live": list(LIVE)}).one()
    return Stays(row.unpaid, row.under_way)


def _say(parts: Parts, by_office: str, by_lead: str, year: int, by: str | Officer, **more: str) -> bool:
    """`more` are JSON, handed on last."""
    errors = {"LX090": YearOutOfTurn, "LX091": NewestYearStays, "55P03": ImportUnderWay}
    named = {"year": year, "by": by, "at": parts.clocks.wall(), **more}
    last = "".join(f", cast(:{name} as jsonb)" for name in more)
    call = f"{by_office}(:year, :by{last})"
    if isinstance(by, Officer):
        named["by"], call = by.session, f"{by_lead}(:by, :year, :at{last})"
    with parts.engine.begin() as connection, as_errors(errors):
        may_take(connection, WITHIN_S)
        said = connection.execute(text(f"select {call}"), named).scalar_one()
    parts.levy.look()
    return bool(said)


_YEARS = text("select year, opened_by, opened_at, closed_by, closed_at from levy_year")
_LEFT = text(
    "select (select count(*) from bill where levy_year = :year and state = 'open'"
    "   and raised_from is null) as unpaid,"  # a rise is no debt
    " (select count(distinct (pb.household_id, pb.number)) from bill b"
    "    join payment_bill pb on pb.household_id = b.household_id and pb.bill_id = b.id"
    "    join payment p on p.household_id = pb.household_id and p.number = pb.number"
    "   where b.levy_year = :year and p.state = any (:live)) as under_way"
)
