"""The police's files that somebody of a bureau handed in at a page: looked at, taken in once, or thrown away; and every
batch that was ever taken in, a terminal's too."""

from collections.abc import Mapping
from typing import Any, BinaryIO

from sqlalchemy import Row

from app.access.sessions import Officer
from app.flows.hand_in.ask import ask
from app.flows.hand_in.files import Files, untaken
from app.flows.parts import Parts
from app.registry.police import Code
from core.errors import Conflict

FILES = Files("police_look", "police_take", police=True)
look_of, taking_of, throw, listed = FILES.look_of, FILES.taking_of, FILES.throw, FILES.listed


class NothingToTake(Conflict):
    """Taken in is what was looked at to its end and says something new, and only once."""

    text = "这份名单现在不能导入：还没有看完，或者没有新的内容，或者已经导入了。"


def hand_in(parts: Parts, officer: Officer, file: BinaryIO, *, name: str, code: Code | None) -> int:
    """The number of its look; `code`: what its rows say that say nothing. EmptyFile."""
    return FILES.hand_in(parts, officer, file, name=name, about={"code": code or ""})


def confirm(parts: Parts, officer: Officer, number: int) -> int:
    """The number of the work. NoSuchJob, NothingToTake, FileGone."""
    look = look_of(parts, officer, number)
    if not may_take(look, taking_of(parts, look)):
        raise NothingToTake(str(number))
    about = {"look": number, "code": look.about.get("code", "")}
    return ask(parts, officer, FILES.take, upload=look.upload_id, about=about)


def may_take(look: Row, taking: Row | None) -> bool:
    """Does it say anything, and may it still be taken in? Pure."""
    return untaken(look, taking) and brings(look.outcome)


def brings(outcome: Mapping[str, Any]) -> bool:
    """Does what was seen say anything new, be it only that a name is disputed? Pure."""
    return bool(outcome["added"] + outcome["changed"] or outcome["conflicts"])
