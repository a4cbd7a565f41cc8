"""Whether a channel takes new payments. What was started before a pause goes on as if there were none: codes that are
out, callbacks, questions, refunds and statements ask nobody here (decision 0031). Nothing here commits."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy import Connection, Row, insert, select, update

from payments.taking.tables import ChannelPause

_IN_FORCE = ChannelPause.opened_at.is_(None)


def paused(connection: Connection) -> Mapping[str, str]:
    """Each channel that takes no new payment now, with the words residents see."""
    return {row.gateway: row.words for row in connection.execute(_PAUSED)}


def pause(connection: Connection, gateway: str, *, why: str, words: str, by: str, at: datetime) -> None:
    """From now on. Who pauses what is paused gives it his own reason and words; the same again changes nothing."""
    held = connection.execute(_HELD.where(ChannelPause.gateway == gateway).with_for_update()).one_or_none()
    if held is not None and (held.why, held.words) == (why, words):
        return
    if held is not None:
        open_again(connection, gateway, by=by, at=at)
    new = {"gateway": gateway, "why": why, "words": words, "paused_by": by, "paused_at": at}
    connection.execute(insert(ChannelPause).values(**new))


def open_again(connection: Connection, gateway: str, *, by: str, at: datetime) -> bool:
    """True if it was paused."""
    ended = update(ChannelPause).where(ChannelPause.gateway == gateway, _IN_FORCE)
    done = connection.execute(ended.values(opened_by=by, opened_at=at).returning(ChannelPause.id))
    return done.one_or_none() is not None


def in_force(connection: Connection) -> Sequence[Row]:
    """Every pause that lasts, the oldest first."""
    return connection.execute(_HELD.order_by(ChannelPause.paused_at)).all()


def pauses(connection: Connection, *, most: int) -> Sequence[Row]:
    """Of now and of before, the latest first."""
    return connection.execute(select(ChannelPause.__table__).order_by(ChannelPause.id.desc()).limit(most)).all()


_PAUSED = select(ChannelPause.gateway, ChannelPause.words).where(_IN_FORCE)
_HELD = select(ChannelPause.__table__).where(_IN_FORCE)
