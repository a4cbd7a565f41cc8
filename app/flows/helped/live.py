"""A failed row's life: fed back, its person told, settled or given up for a reason; and the end of its list. Who was
named by mistake is taken back. A page does it in the name of the officer whose session it is, a command in
its operator's."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import text

from app.flows.helped.take import NoSuchList
from app.flows.parts import Parts
from app.registry import find
from app.registry.identity import clean_id_number
from core.errors import AppError, BadInput, Conflict, NotFound
from payments.refusals import as_errors

HOW = {"phone": "电话", "visit": "上门", "sms": "短信", "letter": "书面", "office": "窗口当面"}
ENDS = {"RESOLVED": "已解决", "GIVEN_UP": "放弃"}
_SHORTEST, _LONGEST = 2, 200


class RowsOpen(Conflict):
    """A list with a row that nobody ended, or one that was never taken in."""

    text = "还有没办完的行，名单不能办结。"


class RowMoved(Conflict):
    """Somebody else moved it, or it waits for another word."""

    text = "这一行已经有人办过，或者还没告知本人。请看一遍再办。"


class StaysForTheYear(Conflict):
    """Somebody settled, is paying or gets money back by what his list gave him (D20)."""

    text = "他已经按这个类别办了参保、正在付款或者正在退费，今年不收回。"


class NotOfTheList(NotFound):
    """Nobody of that number and insurance whom the list gave something that is not taken back already."""

    text = "这份名单里没有办成过这个人的这一险，或者已经收回了。请核对身份证号和险种。"


class BadEnd(BadInput):
    """An end without a word, or one we do not know."""

    status = 422
    text = "请写明处理结果，2到200个字；放弃也要写原因。"


class BadWay(BadInput):
    """A way of telling somebody that we do not know."""

    status = 422
    text = "告知方式写：电话、上门、短信、书面、窗口当面。"


@dataclass(frozen=True)
class Hand:
    """Who does it: the hash of an officer's live session, or an operator's or officer's name."""

    session: bytes | None = None
    by: str = ""


def told(parts: Parts, batch: int, no: int, *, how: str, hand: Hand) -> None:
    """The person, or who speaks for him, knows why it failed. BadWay, RowMoved."""
    if how not in HOW:
        raise BadWay(how)
    one = "officer_tells_helped(:session, :batch, :no, :how, :at, :now)"
    _moved(parts, hand, one, "helped_tell(:batch, :no, :how, :by, :now)", batch=batch, no=no, how=how)


def ended(parts: Parts, batch: int, no: int, *, state: str, why: str, hand: Hand) -> None:
    """Settled, or given up after the person was told. BadEnd, RowMoved."""
    if state not in ENDS or not _SHORTEST <= len(why.strip()) <= _LONGEST:
        raise BadEnd
    one = "officer_ends_helped(:session, :batch, :no, :state, :why, :at, :now)"
    other = "helped_end(:batch, :no, :state, :why, :by, :now)"
    _moved(parts, hand, one, other, batch=batch, no=no, state=state, why=why.strip())


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


def _moved(parts: Parts, hand: Hand, of_session: str, of_name: str, **said: Any) -> None:
    if not _call(parts, hand, of_session, of_name, **said):
        raise RowMoved


def _call(parts: Parts, hand: Hand, of_session: str, of_name: str, **said: Any) -> Any:
    words = of_name if hand.session is None else of_session
    values = {**said, "now": parts.clocks.now(), "at": parts.clocks.wall(), "session": hand.session, "by": hand.by}
    with parts.engine.begin() as connection, as_errors(_REFUSED):
        return connection.execute(text(f"select {words}"), values).scalar_one()


_NOT_BACK: Mapping[str, type[AppError]] = {"used": StaysForTheYear, "none": NotOfTheList}
_REFUSED = {"LX080": NoSuchList, "LX119": RowsOpen, "LX120": RowsOpen}
