"""Finding and writing complaints. Nothing here commits."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, all_, and_, bindparam, delete, func, literal, or_, select, text, update
from sqlalchemy.dialects.postgresql import insert

from payments.complaints.tables import ComplaintCase, ComplaintHint, ComplaintLine, ComplaintPoll, ComplaintReply

OPEN, SENDING = ComplaintCase.ended_at.is_(None), ("pending", "unknown")


def find(connection: Connection, gateway: str, number: str, *, lock: bool = False) -> Row | None:
    """One case."""
    mine = select(ComplaintCase.__table__).where(_is(ComplaintCase, gateway, number))
    return connection.execute(mine.with_for_update() if lock else mine).one_or_none()


def begin(connection: Connection, values: Mapping[str, Any]) -> bool:
    """A new case; False if somebody wrote it in this moment."""
    written = insert(ComplaintCase).values(**values).on_conflict_do_nothing().returning(ComplaintCase.number)
    return connection.execute(written).one_or_none() is not None


def change(connection: Connection, row: Row, values: Mapping[str, Any]) -> bool:
    """Write a case anew, if it is still the one that was seen before the gateway was asked."""
    mine = update(ComplaintCase).where(_is(ComplaintCase, row.gateway, row.number), ComplaintCase.seen == row.seen)
    done = connection.execute(mine.values(**values, seen=row.seen + 1).returning(ComplaintCase.number))
    return done.one_or_none() is not None


def note(connection: Connection, values: Sequence[Mapping[str, Any]]) -> set[str]:
    """Lines of a conversation; the keys of those that are new."""
    if not values:
        return set()
    added = insert(ComplaintLine).values([dict(each) for each in values]).on_conflict_do_nothing()
    return set(connection.execute(added.returning(ComplaintLine.key)).scalars())


def lines_of(connection: Connection, gateway: str, number: str) -> Sequence[Row]:
    """What was said and done, the first first."""
    mine = select(ComplaintLine.__table__).where(_is(ComplaintLine, gateway, number))
    return connection.execute(mine.order_by(ComplaintLine.at, ComplaintLine.key)).all()


def listed(connection: Connection, *, ended: bool, gateway: str, offset: int, most: int) -> Sequence[Row]:
    """Those that wait, the nearest end first; or those that ended, the latest first."""
    mine = select(ComplaintCase.__table__).where(~OPEN if ended else OPEN)
    if gateway:
        mine = mine.where(ComplaintCase.gateway == gateway)
    ordered = mine.order_by(ComplaintCase.ended_at.desc() if ended else ComplaintCase.end_by, ComplaintCase.number)
    return connection.execute(ordered.offset(offset).limit(most)).all()


def counted(connection: Connection, *, ended: bool, gateway: str = "") -> int:
    """How many of them."""
    mine = select(func.count()).select_from(ComplaintCase).where(~OPEN if ended else OPEN)
    found: int = connection.execute(mine.where(ComplaintCase.gateway == gateway) if gateway else mine).scalar_one()
    return found


def open_ones(connection: Connection) -> Sequence[Row]:
    """Every case that has not ended."""
    return connection.execute(select(ComplaintCase.__table__).where(OPEN).order_by(ComplaintCase.end_by)).all()


def ring(connection: Connection, row: Row, bell: str) -> bool:
    """An alarm of this turn is about to ring; False if it has."""
    mine = update(ComplaintCase).where(
        _is(ComplaintCase, row.gateway, row.number),
        ComplaintCase.turn == row.turn,
        literal(bell) != all_(ComplaintCase.rung),
    )
    done = connection.execute(
        mine.values(rung=func.array_append(ComplaintCase.rung, bell)).returning(ComplaintCase.number)
    )
    return done.one_or_none() is not None


def set_refund(connection: Connection, gateway: str, number: str, refund: str) -> None:
    """The case knows what was asked back for it."""
    connection.execute(update(ComplaintCase).where(_is(ComplaintCase, gateway, number)).values(refund=refund))


def write(connection: Connection, values: Mapping[str, Any]) -> bool:
    """A reply, to go out soon; False if the very same was written before."""
    written = insert(ComplaintReply).values(**values).on_conflict_do_nothing().returning(ComplaintReply.cause)
    return connection.execute(written).one_or_none() is not None


def replies_of(connection: Connection, gateway: str, number: str) -> Sequence[Row]:
    """What we wrote, the first first."""
    mine = select(ComplaintReply.__table__).where(_is(ComplaintReply, gateway, number))
    return connection.execute(mine.order_by(ComplaintReply.at, ComplaintReply.cause)).all()


def lease(connection: Connection, *, now: datetime, lease: timedelta, most: int) -> Sequence[Row]:
    """Replies that are due, as they stood, now unknown and ours until `now + lease` (system clock): whoever dies while
    one goes out leaves it so. One a case at a time, the earliest first, so that nothing is said out of order."""
    return connection.execute(_LEASE, {"now": now, "until": now + lease, "most": most}).all()


def settle_reply(connection: Connection, row: Any, state: str, **also: Any) -> bool:
    """Where a reply stands now; False if it has ended meanwhile."""
    mine = update(ComplaintReply).where(
        _is(ComplaintReply, row.gateway, row.number),
        ComplaintReply.cause == row.cause,
        or_(ComplaintReply.state.in_(SENDING), and_(ComplaintReply.state == "sent", bindparam("may") == True)),  # noqa: E712
    )
    changed = mine.values(state=state, **({"next_try_at": None} if state not in SENDING else {}), **also)
    found = connection.execute(changed.returning(ComplaintReply.cause), {"may": state == "confirmed"})
    return found.one_or_none() is not None


def hint(connection: Connection, gateway: str, number: str, *, at: datetime) -> None:
    """Somebody should ask about it; however often it is said, once, and not before it was said last."""
    row = insert(ComplaintHint).values(gateway=gateway, number=number, at=at)
    connection.execute(row.on_conflict_do_update(index_elements=["gateway", "number"], set_={"at": at}))


def hints(connection: Connection, *, most: int) -> Sequence[Row]:
    """What is to be asked about."""
    return connection.execute(select(ComplaintHint.__table__).order_by(ComplaintHint.at).limit(most)).all()


def was_asked(connection: Connection, row: Row) -> None:
    """The hint is gone, unless another came since."""
    mine = delete(ComplaintHint).where(_is(ComplaintHint, row.gateway, row.number), ComplaintHint.at == row.at)
    connection.execute(mine)


def listed_until(connection: Connection, gateway: str) -> datetime | None:
    """Until when its list was read whole."""
    mine = select(ComplaintPoll.listed_until).where(ComplaintPoll.gateway == gateway)
    return connection.execute(mine).scalar_one_or_none()


def was_listed(connection: Connection, gateway: str, until: datetime) -> None:
    """Its list was read whole until a moment."""
    row = insert(ComplaintPoll).values(gateway=gateway, listed_until=until)
    connection.execute(row.on_conflict_do_update(index_elements=["gateway"], set_={"listed_until": until}))


def _is(table: Any, gateway: str, number: str) -> Any:
    return and_(table.gateway == gateway, table.number == number)


_LEASE = text(
    "with due as (select r.* from complaint_reply r where r.next_try_at <= :now"
    "   and not exists (select from complaint_reply e where e.gateway = r.gateway and e.number = r.number"
    "     and e.state in ('pending', 'unknown') and (e.at, e.cause) < (r.at, r.cause))"
    "  order by r.next_try_at limit :most for update skip locked)"
    " update complaint_reply r set state = 'unknown', tries = r.tries + 1, next_try_at = :until from due"
    "  where r.gateway = due.gateway and r.number = due.number and r.cause = due.cause"
    " returning due.gateway, due.number, due.cause, due.kind, due.words, due.picture, due.media, due.state, due.tries,"
    "  due.at, due.by"
)
