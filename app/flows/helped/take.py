"""A judged list is taken in: its good rows' people are of their categories from this moment, and who had paid has the
difference asked back in the same act."""

from dataclasses import dataclass

from sqlalchemy import Connection, Row, select, text

from app.flows.helped.check import refuse_taken
from app.flows.parts import Parts
from app.flows.refund.entitle_late import ask_for_entitled
from app.registry.helped_tables import SpecialBatch
from core.clock import business_day
from core.errors import Conflict, NotFound
from payments.refusals import as_errors


class NoSuchList(NotFound):
    """A number that no list has, or none that the asker may know of."""

    text = "没有这份名单。"


class ListDropped(Conflict):
    """It was thrown away."""

    text = "这份名单已经作废，请重新上传。"


class PreviewOld(Conflict):
    """A list counts as it stands on the day it is taken in (D38), and this one was judged on another."""

    text = "这份名单是{day}核对的，隔了天，请重新上传核对。"


class PeopleMoved(Conflict):
    """One of its people is of the register no more: erased since the list was judged."""

    text = "核对以后，名单里有人的登记变了，请重新上传核对。"


@dataclass(frozen=True)
class Taken:
    """What became of it. `before`: it had been taken in already, and nothing changed; `refunds` that were asked for."""

    batch: int
    good: int
    failed: int
    refunds: int
    before: bool


def take(parts: Parts, batch: int, *, by: str) -> Taken:
    """The good rows of a judged list count now, the others are fed back. NoSuchList, ListDropped, PreviewOld,
    PeopleMoved, ListTaken (by another list of the same file, meanwhile)."""
    with parts.engine.begin() as connection:
        row = _held(connection, batch)
        new = _take(parts, connection, row, by)
        people = connection.execute(_PEOPLE, {"batch": batch}).scalars().all()
        failed = row.rows - connection.execute(_GOOD, {"batch": batch}).scalar_one()
    refunds = ask_for_entitled(parts, people) if people else 0
    return Taken(batch, row.rows - failed, failed, refunds, before=not new)


def _held(connection: Connection, batch: int) -> Row:
    columns = select(SpecialBatch.__table__).where(SpecialBatch.id == batch)
    row = connection.execute(columns).one_or_none()
    if row is None:
        raise NoSuchList(str(batch))
    if row.state == "DROPPED":
        raise ListDropped
    return row


def _take(parts: Parts, connection: Connection, row: Row, by: str) -> bool:
    now = parts.clocks.now()
    if row.taken_by is None and row.judged_on != business_day(now):
        raise PreviewOld(day=f"{row.judged_on:%Y-%m-%d}")
    refuse_taken(connection, row.department, row.levy_year, row.digest, but=row.id)
    with as_errors({"LX120": PeopleMoved}):
        return bool(connection.execute(_TAKE, {"batch": row.id, "by": by, "now": now}).scalar_one())


_TAKE = text("select helped_take(:batch, :by, :now)")
_PEOPLE = text("select distinct person_id from special_row where batch_id = :batch and state = 'OK' order by 1")
_GOOD = text("select count(*) from special_row where batch_id = :batch and state = 'OK'")
