"""A failed row's life: fed back, somebody told (whom, on which day, how), then settled or given up for a reason; the
end of its list. Who was named by mistake is taken back. A page does it in the name of the officer whose session it is,
a command in its operator's."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import Connection, text

from app.flows.helped.take import NoSuchList
from app.flows.parts import Parts
from app.registry import find
from app.registry.identity import clean_id_number
from core.errors import AppError, BadInput, Conflict, NotFound
from payments.refusals import as_errors

HOW = {"phone": "电话", "visit": "上门", "sms": "短信", "letter": "书面", "office": "窗口当面"}
WHOM = {"self": "本人", "family": "家里人", "village": "村居或代办员"}
ENDS = {"RESOLVED": "办好了", "GIVEN_UP": "不办了"}
_SHORTEST, _LONGEST = 2, 200


class RowsOpen(Conflict):
    """A list with a row that nobody ended, or one that was never taken in."""

    text = "还有没办完的行，名单不能办结。"


class RowMoved(Conflict):
    """Somebody else moved it, or it waits for another word."""

    text = "这一行已经有人办过，或者还不能办这一步。请看一遍再办。"


class NotTold(Conflict):
    """An end for a row of which nobody was told."""

    text = "先写明告诉了谁、哪天、怎么告诉的，才能写结果。"


class StaysForTheYear(Conflict):
    """Somebody settled, is paying or gets money back by what his list gave him (D20)."""

    text = "他已经按这个类别办了参保、正在付款或者正在退费，今年不收回。"


class NotOfTheList(NotFound):
    """Nobody of that number and insurance whom the list gave something that is not taken back already."""

    text = "这份名单里没有办成过这个人的这一险，或者已经收回了。请核对身份证号和险种。"


class BadEnd(BadInput):
    """An end without a word, or one we do not know."""

    status = 422
    text = "请写明办好了还是不办了，和怎么办的、为什么，2到200个字。"


class BadWay(BadInput):
    """A way of telling somebody that we do not know, or nobody we know."""

    status = 422
    text = "请选告诉了谁（本人、家里人、村居或代办员）和怎么告诉的（电话、上门、短信、书面、窗口当面）。"


class BadTold(BadInput):
    """A day before the row was fed back, or one that has not come."""

    status = 422
    text = "告知的日子要在名单导入那天以后（含当天），不能晚于今天。"


@dataclass(frozen=True)
class Hand:
    """Who does it: the hash of an officer's live session, or an operator's or officer's name."""

    session: bytes | None = None
    by: str = ""


@dataclass(frozen=True)
class Told:
    """Who was told why the row failed, how, and on which day (None: today)."""

    whom: str
    how: str
    on: date | None = None


def told(parts: Parts, batch: int, no: int, said: Told, *, hand: Hand) -> None:
    """He, or who speaks for him, knows why it failed. BadWay, BadTold, RowMoved, NoSuchList (or none of his)."""
    with parts.engine.begin() as connection:
        _tell(parts, connection, (batch, no), said, hand)


def ended(parts: Parts, batch: int, no: int, *, state: str, why: str, hand: Hand, said: Told | None = None) -> None:
    """Settled, or given up, once somebody was told: before, or as is `said` in the same act. BadEnd, NotTold, RowMoved,
    NoSuchList; BadWay, BadTold."""
    if state not in ENDS or not _SHORTEST <= len(why.strip()) <= _LONGEST:
        raise BadEnd
    one = "officer_ends_helped(:session, :batch, :no, :state, :why, :at, :now)"
    other = "helped_end(:batch, :no, :state, :why, :by, :now)"
    with parts.engine.begin() as connection:
        if said is not None:
            _tell(parts, connection, (batch, no), said, hand)
        words = {"batch": batch, "no": no, "state": state, "why": why.strip()}
        if not _asked(parts, connection, hand, (one, other), words):
            raise NotTold if _stand(connection, batch, no) == "FED_BACK" else RowMoved


def closed(parts: Parts, batch: int, *, hand: Hand) -> None:
    """Nothing of the list is left to do. RowsOpen, NoSuchList (or none of his); again changes nothing."""
    _call(parts, hand, "officer_closes_helped(:session, :batch, :at)", "helped_close(:batch, :by, :at)", batch=batch)


def dropped(parts: Parts, batch: int, *, hand: Hand) -> None:
    """A list that was only looked at is thrown away. RowsOpen where it was taken in."""
    _call(parts, hand, "officer_drops_helped(:session, :batch, :at)", "helped_drop(:batch, :by, :at)", batch=batch)


def taken_back(parts: Parts, batch: int, number: str, insurance: str, *, why: str, hand: Hand) -> bool:
    """Whom a list named by mistake has nothing of it any more; False: another list gives him something all the same.
    BadEnd, NotOfTheList, StaysForTheYear, NoSuchList (or none of his)."""
    if not _SHORTEST <= len(why.strip()) <= _LONGEST:
        raise BadEnd
    one = "officer_takes_helped_back(:session, :batch, :index, :insurance, :why, :at, :now)"
    other = "helped_take_back(:batch, :index, :insurance, :why, :by, :now)"
    index = find.index_of(parts.vault, clean_id_number(number))
    said = {"batch": batch, "index": index, "insurance": insurance, "why": why.strip()}
    word = _call(parts, hand, one, other, **said)
    if word in _NOT_BACK:
        raise _NOT_BACK[word]
    return bool(word == "gone")


def _tell(parts: Parts, connection: Connection, row: tuple[int, int], said: Told, hand: Hand) -> None:
    if said.how not in HOW or said.whom not in WHOM:
        raise BadWay
    one = "officer_tells_whom(:session, :batch, :no, :whom, :on, :how, :at, :now)"
    other = "helped_tell_whom(:batch, :no, :whom, :on, :how, :by, :now)"
    words = {"batch": row[0], "no": row[1], "whom": said.whom, "how": said.how, "on": said.on or parts.clocks.today()}
    if not _asked(parts, connection, hand, (one, other), words):
        raise BadTold if _stand(connection, *row) == "FED_BACK" else RowMoved


def _stand(connection: Connection, batch: int, no: int) -> str | None:
    """Where a row stands; None for one that whoever asks may not see."""
    found = text("select state from special_row where batch_id = :batch and no = :no")
    return connection.execute(found, {"batch": batch, "no": no}).scalar_one_or_none()


def _call(parts: Parts, hand: Hand, of_session: str, of_name: str, **said: Any) -> Any:
    with parts.engine.begin() as connection:
        return _asked(parts, connection, hand, (of_session, of_name), said)


def _asked(parts: Parts, connection: Connection, hand: Hand, steps: tuple[str, str], said: Mapping[str, Any]) -> Any:
    """What the database's function says: of the officer's session, or of who is named."""
    values = {**said, "now": parts.clocks.now(), "at": parts.clocks.wall(), "session": hand.session, "by": hand.by}
    with as_errors(_REFUSED):
        return connection.execute(text(f"select {steps[hand.session is None]}"), values).scalar_one()


_NOT_BACK: Mapping[str, type[AppError]] = {"used": StaysForTheYear, "none": NotOfTheList}
_REFUSED = {"LX080": NoSuchList, "LX119": RowsOpen, "LX120": RowsOpen}
