"""What each agent holds: how much, since when, against the year's ceiling and clock."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Row, text

from app.access.sessions import Officer
from app.flows.parts import Parts
from core.money import Fen

PAGE = 100
TOO_LONG = "手里的现金超过{hours}小时没有存（或者存了，银行没有收到），现在不能再收现金。请先存银行；出码不受影响。"
TOO_MUCH = "手里的现金，加上存了银行还没有收到的，到了上限，现在不能再收现金。请先存银行；出码不受影响。"


@dataclass(frozen=True)
class Limits:
    """Of the newest year that takes cash."""

    ceiling: Fen
    warn: timedelta
    red: timedelta


@dataclass(frozen=True)
class Hand:
    """`held`: receipts not taken to the bank; `since`: when the oldest was taken; `away`: when the oldest was that he
    says he took to the bank and that its file has not, `short` how much."""

    held: Fen
    since: datetime | None
    away: datetime | None
    short: Fen
    limits: Limits
    now: datetime

    @property
    def oldest(self) -> datetime | None:
        """Since when money is not where it belongs."""
        return min((each for each in (self.since, self.away) if each), default=None)

    @property
    def room(self) -> Fen:
        """How much more he may take."""
        return 0 if self.is_red else max(0, self.limits.ceiling - self.held - self.short)

    @property
    def is_full(self) -> bool:
        """As much as the year allows, with what he says is at the bank."""
        return self.held + self.short >= self.limits.ceiling

    @property
    def is_late(self) -> bool:
        """In hand for longer than the year warns after; what he says is at the bank has a day more, until its file."""
        late, later = self.now - self.limits.warn, self.now - 2 * self.limits.warn
        return (self.since is not None and self.since <= late) or (self.away is not None and self.away <= later)

    @property
    def is_red(self) -> bool:
        """So long that he takes no more."""
        return self.oldest is not None and self.oldest <= self.now - self.limits.red

    @property
    def why_not(self) -> str:
        """Why he takes no more cash, for him to read; empty while he may."""
        if self.is_red:
            return TOO_LONG.format(hours=_hours(self.limits.red))
        return TOO_MUCH if self.is_full else ""

    @property
    def hours(self) -> int:
        """How long the oldest of it is with him."""
        return 0 if self.oldest is None else int((self.now - self.oldest).total_seconds() // 3600)


def limits(parts: Parts) -> Limits | None:
    """None where no year ever took cash: what was taken in one that is closed by now is held to them as well."""
    years = [year for year in parts.levy.ever.all if parts.levy.rules(year).campaign.agents_take_cash]
    if not years:
        return None
    campaign = parts.levy.rules(max(years)).campaign
    return Limits(
        campaign.retained_red_amount,
        timedelta(hours=campaign.retained_warn_hours),
        timedelta(hours=campaign.retained_red_hours),
    )


def hand_of(parts: Parts, agent: int) -> Hand | None:
    """An agent's; None where no year takes cash."""
    its = limits(parts)
    if its is None:
        return None
    with parts.reading() as connection:
        return _hand(connection.execute(_ONE, {"agent": agent}).one(), its, parts.clocks.now())


def hands(parts: Parts, *, by: Officer | None = None) -> list[tuple[Row, Hand]]:
    """Everybody who holds something, or whose money is not there yet, the longest first; an office so many, a town its
    own."""
    its = limits(parts)
    if its is None:
        return []
    towns = list(by.towns) if by is not None and by.role == "town" else None
    with parts.reading() as connection:
        rows: Sequence[Row] = connection.execute(_ALL, {"towns": towns, "most": PAGE if by else None}).all()
    return [(row, _hand(row, its, parts.clocks.now())) for row in rows]


def _hand(row: Any, its: Limits, now: datetime) -> Hand:
    return Hand(row.held, row.since, row.away, row.short or 0, its, now)


def _hours(span: timedelta) -> int:
    return int(span.total_seconds() // 3600)


_ONE = text(
    "select h.*, (select sum(total - arrived)::bigint from cash_batch where agent_id = :agent) as short"
    " from cash_in_hand(:agent) h"
)
_ALL = text(
    "select a.id, a.login, h.held, h.since, h.away, coalesce(s.short, 0)::bigint as short,"
    " (select string_agg(v.name, '、' order by v.code) from agent_village g join village v on v.code = g.village_code"
    "   where g.agent_id = a.id) as places"
    " from agent a cross join lateral cash_in_hand(a.id) h"
    " left join lateral (select sum(total - arrived) as short from cash_batch where agent_id = a.id) s on true"
    " where (h.held > 0 or s.short > 0) and (cast(:towns as text[]) is null or exists ("
    "   select from agent_village g where g.agent_id = a.id"
    "      and left(g.village_code, 9) = any (cast(:towns as text[]))))"
    " order by least(h.since, h.away) limit :most"
)
