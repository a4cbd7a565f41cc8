"""The register files that bureaus handed in at their page, and every batch that was ever taken in."""

from sqlalchemy import Row

from app.access.sessions import Officer
from app.flows.hand_in.ask import ask
from app.flows.hand_in.files import Files, untaken
from app.flows.parts import Parts
from core.errors import Conflict

FILES = Files("register_look", "register_take", police=False)
hand_in, look_of, taking_of, throw, listed = (
    FILES.hand_in,
    FILES.look_of,
    FILES.taking_of,
    FILES.throw,
    FILES.listed,
)


class NotLookedAt(Conflict):
    """Taken in is what was looked at to its end and brings something, and only once."""

    text = "这份文件现在不能导入：还没有看完，或者没有可导入的行，或者已经导入了。"


def confirm(parts: Parts, officer: Officer, number: int, *, good_rows: bool) -> int:
    """The number of the work. NoSuchJob, NotLookedAt, FileGone."""
    look = look_of(parts, officer, number)
    if not may_take(look, taking_of(parts, look)) or (look.outcome["refused"] and not good_rows):
        raise NotLookedAt(str(number))
    about = {"look": number, "good_rows": good_rows}
    return ask(parts, officer, FILES.take, upload=look.upload_id, about=about)


def may_take(look: Row, taking: Row | None) -> bool:
    """Does it bring anything, and may it still be taken in? Pure."""
    if not untaken(look, taking):
        return False
    return bool(look.outcome["added"] + look.outcome["changed"]) and not look.outcome["stale"]
