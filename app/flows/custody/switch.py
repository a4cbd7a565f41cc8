"""A town says on which day which of its villages may take cash; it is off until somebody says so."""

from collections.abc import Collection, Sequence
from datetime import date, timedelta

from sqlalchemy import Row, text

from app.access.sessions import Officer, Visitor
from app.flows.custody.books import NoBusiness, NoCashThisYear, years_with_cash
from app.flows.custody.hand import hand_of
from app.flows.parts import Parts
from core.errors import BadInput
from payments.refusals import as_errors

AHEAD = 7  # days for which it can be said beforehand


class NoVillageChosen(BadInput):
    """Nothing was ticked."""

    text = "请先勾选村（居）。"


class BadDay(BadInput):
    """A day that has passed, or is far away."""

    text = "请选今天到7天以后的一天。"


def switch(parts: Parts, villages: Collection[str], day: date, *, on: bool, by: Visitor) -> int:
    """Cash may be taken there on that day, or may not; how many villages were otherwise before. NoVillageChosen,
    BadDay, NoBusiness, NoCashThisYear."""
    today = parts.clocks.today()
    if not villages:
        raise NoVillageChosen
    if not today <= day <= today + timedelta(days=AHEAD):
        raise BadDay
    if on and not years_with_cash(parts):
        raise NoCashThisYear
    asked = {"session": by.token_hash, "villages": sorted(villages), "day": day, "on": on}
    asked |= {"at": parts.clocks.wall(), "now": parts.clocks.now()}
    with parts.engine.begin() as connection, as_errors({"LX155": NoBusiness, "23503": NoBusiness}):
        return int(connection.execute(_SWITCH, asked).scalar_one())


def switches(parts: Parts, day: date, *, by: Officer) -> Sequence[Row]:
    """Each village of the towns with the last word about a day, and what receipts it has left."""
    with parts.reading() as connection:
        return connection.execute(_SWITCHES, {"day": day, "towns": list(by.towns)}).all()


def offered(parts: Parts, village: str, agent: int) -> str | None:
    """May this agent take cash there now? None: it is not on; else why he may not for the moment, empty if he may."""
    its = hand_of(parts, agent)
    return its.why_not if its is not None and is_on(parts, village) else None


def is_on(parts: Parts, village: str) -> bool:
    """May cash be taken there at this moment?"""
    asked = {"village": village, "day": parts.clocks.today(), "now": parts.clocks.now()}
    with parts.reading() as connection:
        return bool(connection.execute(text("select cash_is_on(:village, :day, :now)"), asked).scalar_one())


_SWITCH = text("select officer_switches_cash(:session, :villages, :day, :on, :at, :now)")
_SWITCHES = text(
    "select v.code, v.name, t.name as town, coalesce(s.is_on, false) as is_on, s.by, s.at,"
    " (select coalesce(sum(b.last - b.next + 1), 0) from receipt_book b where b.village_code = v.code) as left"
    " from village v join town t on t.code = v.town_code"
    " left join lateral (select * from cash_switch s where s.village_code = v.code and s.day = :day"
    "                     order by s.id desc limit 1) s on true"
    " where v.town_code = any (:towns) order by v.code"
)
