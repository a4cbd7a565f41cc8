"""A list of who is insured hangs: a second person of the tax branch agrees to it, the agent or the town hangs it, and
takes it down when its days are over."""

import base64
from collections.abc import Mapping

from sqlalchemy import text

from app.access.sessions import Officer
from app.flows.parts import Parts
from app.flows.roster.close import NoClosingNow
from app.flows.roster.closings import NoSuchClosing
from app.flows.roster.post import plain
from app.registry.closings import Place
from core.errors import BadInput, Conflict, Refused
from payments.refusals import as_errors

MOST = 1_000


class ClosingMoved(Conflict):
    """Somebody was faster, or drew a newer version."""

    text = "这一份公示已经不是刚才那样了（有人办过，或者出过新的一版），请看一遍再办。"


class OwnClosing(Refused):
    """Who drew it."""

    text = "出公示的人不能自己复核，请换一个人。"


class WrongClosingPoster(BadInput):
    """The code of another poster, or no photo."""

    text = "公示码不对：这不是这一份参保缴费公示的表。请看照片上那张表右上角的12位公示码；贴错了的先取下来。"


class StillHangs(Conflict):
    """Its days are not over."""

    text = "公示还没有到期，到期以后再撤下。"


class NoClosingChosen(BadInput):
    """No list, or too many."""

    text = "请先勾选公示。"


def agree(parts: Parts, seen: Mapping[int, int], *, by: Officer) -> int:
    """复核过 of these lists at the versions that he saw, all of them or none; how many. NoClosingChosen, NoSuchClosing,
    ClosingMoved, OwnClosing, NoClosingNow."""
    if not 0 < len(seen) <= MOST:
        raise NoClosingChosen
    asked = {"session": by.session, "lists": list(seen), "nos": list(seen.values()), **_moments(parts)}
    with parts.engine.begin() as connection, as_errors(_REFUSED):
        return int(connection.execute(_AGREES, asked).scalar_one())


def hang(parts: Parts, closing: int, no: int, *, session: bytes, code: str = "", photo: bytes | None = None) -> None:
    """It hangs: an agent's village, with its code and a photo drawn anew (app.documents.picture); a town's hall
    without. WrongClosingPoster, NoSuchClosing, ClosingMoved, NoClosingNow."""
    with parts.engine.begin() as connection, as_errors(_REFUSED):
        number = connection.execute(_NEXT).scalar_one()
        drawn = base64.b64encode(photo).decode() if photo else ""
        asked = {
            "session": session,
            "list": closing,
            "no": no,
            "code": plain(code),
            "photo": parts.vault.seal(drawn, bound_to=f"closing_step.photo:{number}") if photo else None,
            "id": number,
            **_moments(parts),
        }
        connection.execute(_HANGS, asked)


def take_down(parts: Parts, closing: int, place: Place, *, session: bytes) -> None:
    """已撤下. NoSuchClosing, ClosingMoved, StillHangs."""
    asked = {"session": session, "list": closing, "place": str(place), **_moments(parts)}
    with parts.engine.begin() as connection, as_errors(_REFUSED | {"LX148": StillHangs}):
        connection.execute(_DOWN, asked)


def photo_of(parts: Parts, closing: int, step: int) -> bytes:
    """How it hung. NoSuchClosing."""
    with parts.reading() as connection:
        sealed = connection.execute(_PHOTO, {"list": closing, "id": step}).scalar_one_or_none()
    if sealed is None:
        raise NoSuchClosing(str(closing))
    return base64.b64decode(parts.vault.open(sealed, bound_to=f"closing_step.photo:{step}"))


def _moments(parts: Parts) -> dict[str, object]:
    return {"at": parts.clocks.wall(), "now": parts.clocks.now()}


_REFUSED: dict[str, type[Exception]] = {
    "LX140": NoSuchClosing,
    "LX080": NoSuchClosing,
    "LX142": OwnClosing,
    "LX146": WrongClosingPoster,
    "LX148": NoClosingNow,
    **dict.fromkeys(("LX141", "LX143", "55P03"), ClosingMoved),
}
_NEXT = text("select nextval(pg_get_serial_sequence('closing_step', 'id'))")
_AGREES = text("select officer_agrees_closings(:session, :lists, :nos, :at, :now)")
_HANGS = text("select closing_hangs(:session, :list, :no, :code, :photo, :id, :at, :now)")
_DOWN = text("select closing_is_taken_down(:session, :list, :place, :at, :now)")
_PHOTO = text("select photo from closing_step where closing_id = :list and id = :id")
