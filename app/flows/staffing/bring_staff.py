"""The offices' staff from an operator's list: looked at, then made whole or not at all, a slip for each."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import select, text

from app.flows.parts import Parts
from app.flows.staffing.make import Slip, make_staff, passwords
from app.flows.staffing.staff_rows import JudgedStaff, WantedStaff, judged_staff
from app.registry.models import Town
from core.errors import Conflict


class StaffChanged(Conflict):
    """Somebody made or ended an account while passwords were being made."""

    text = "看过以后账号有了变化，什么都没有建，请再看一遍。"


@dataclass(frozen=True)
class Brought:
    """What was made: the list as it was judged, and the slips."""

    judged: JudgedStaff
    slips: Sequence[Slip]


def look(parts: Parts, path: Path) -> JudgedStaff:
    """What would come of it; nothing is changed. BadFile."""
    with parts.reading() as connection:
        return judged_staff(parts, connection, path)


def bring(parts: Parts, path: Path) -> Brought:
    """The accounts of all that can be taken, in one transaction; done again it makes nobody. BadFile, StaffChanged."""
    wanted = look(parts, path).new
    made = passwords(parts, wanted, lambda _number: None)
    with parts.engine.begin() as connection:
        connection.execute(text("lock table staff in share row exclusive mode"))
        judged = judged_staff(parts, connection, path)
        if judged.new != wanted:
            raise StaffChanged
        places = {town.code: town.name for town in connection.execute(select(Town.code, Town.name))}
        return Brought(judged, make_staff(parts, connection, wanted, made, places | dict(parts.departments)))


def place_words(parts: Parts, wanted: WantedStaff) -> str:
    """Its towns or departments, for whoever looks."""
    return "、".join((*wanted.towns, *(parts.departments[code] for code in wanted.departments)))
