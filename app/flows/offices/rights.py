"""Who might do what on a day: the auditor's list of accounts with their roles and places, as the trail tells it."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import Connection, text

from app.access.rights import standing_at
from app.access.roles import ROLES, Role
from app.flows.parts import Parts
from core.clock import beijing_midnight
from core.errors import BadInput


class NotThatDay(BadInput):
    """A day that is none, or that has not come."""

    text = "请写一个今天或以前的日子，例如 2021-11-05。"


@dataclass(frozen=True)
class Right:
    """One account as it stood when a day ended. `name` in clear, empty for one that is gone by now; `since` (system
    clock) None: it was there before the trail was kept, and what it may is told as it is today."""

    whose: str
    name: str
    role: str
    places: str
    active: bool
    since: datetime | None
    by: str


def rights_on(parts: Parts, day: str) -> tuple[date, list[Right]]:
    """The day that was typed (today for nothing) and who had which right when it ended. NotThatDay."""
    on, ahead = _day(day.strip(), parts.clocks.today()), parts.clocks.ahead()
    with parts.reading() as connection:
        rows = standing_at(connection, beijing_midnight(on + timedelta(days=1)) - ahead)
        named = _places(connection)
    return on, [
        Right(
            whose=row.whose,
            name=_name(parts, row.whose, row.name),
            role=ROLES.get(_role(row.role), "村（居）代办员"),
            places=_where(row.role, row.villages, named | parts.departments),
            active=row.active,
            since=row.since,
            by=row.by,
        )
        for row in rows
    ]


def _day(typed: str, today: date) -> date:
    try:
        on = date.fromisoformat(typed) if typed else today
    except ValueError:
        raise NotThatDay from None
    if not date(2000, 1, 1) <= on <= today:
        raise NotThatDay
    return on


def _role(said: str) -> Role | None:
    first = said.partition(" ")[0]
    return Role(first) if first in {*Role} else None


def _where(role: str, villages: Sequence[str], named: Mapping[str, str]) -> str:
    """The places of his account, or the departments whose lists are his."""
    if _role(role) is Role.DEPARTMENT:
        return "、".join(named.get(code, code) for code in re.findall(r"[a-z][a-z0-9_]*", role)[1:])
    codes = re.findall(r"[0-9]{9}", role) if _role(role) else villages
    if not codes:
        return "全区" if _role(role) else "没有村（居）"
    return "、".join(f"{named.get(code, '')}{code}" for code in codes)


def _name(parts: Parts, whose: str, sealed: bytes | None) -> str:
    if sealed is None:
        return ""
    kind, _, login = whose.partition(":")
    return parts.vault.open(sealed, bound_to=f"{kind}.name:{login}")


def _places(connection: Connection) -> dict[str, str]:
    found = text("select code, name from town union all select code, name from village")
    return {row.code: row.name for row in connection.execute(found)}
