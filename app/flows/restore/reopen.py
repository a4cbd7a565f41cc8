"""Service begins again on a server that was restored or promoted: what the lost minutes gave out is never given out a
second time, and nobody goes on as if they had not been lost."""

from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import Connection, Engine, text

from app.flows.keep.erase_again import NOBODY, Again, erase_again
from app.flows.parts import Parts
from core.errors import BadInput, TryLater

SKIPPED = 1_000_000  # numbers of each counter that may have been given out


class NotYetLost(BadInput):
    """A loss that is still to come."""

    text = "“从何时起可能丢失”不能晚于现在。"


class StillRecovering(TryLater):
    """A server that still reads its log, or stands by for another one."""

    text = "这台库还在恢复，或者是备库，还不能写。等它能写了再办。"


@dataclass(frozen=True)
class Reopened:
    """What was done; `before` if somebody reopened this very server earlier: then nothing was, but for `erased`."""

    before: bool
    sessions: int = 0
    first_household: int = 0
    lost_since: datetime | None = None
    erased: Again = NOBODY


def last_commit(connection: Connection) -> datetime | None:
    """The last moment of which everything is there: of the last commit that recovery brought back; where the server was
    started again since, or there was none, the newest that the tables themselves know of. None: they know of none."""
    return connection.execute(_LAST_COMMIT).scalar_one()


def reopen(parts: Parts, owner: Engine, *, by: str, lost_since: datetime | None = None) -> Reopened:
    """As `_once`, and who was erased since the moment that was restored is erased again, each time it is called."""
    done = _once(parts, owner, by=by, lost_since=lost_since)
    return replace(done, erased=erase_again(parts, owner, by=by))


def _once(parts: Parts, owner: Engine, *, by: str, lost_since: datetime | None) -> Reopened:
    """Once for each server that took over (its timeline). `lost_since`: the last moment of which everything is there;
    never later than `last_commit`, which is taken where nobody names one.

    Counters leap over what may have been given out (a household's number is part of every order's number), everybody
    comes in anew, and the lists of every day since `lost_since` are fetched and asked about whole. NotYetLost,
    StillRecovering."""
    wall = parts.clocks.wall()
    if lost_since is not None and lost_since > wall:
        raise NotYetLost
    with owner.begin() as connection:
        if connection.execute(text("select pg_is_in_recovery()")).scalar_one():
            raise StillRecovering
        connection.execute(text("select pg_advisory_xact_lock(hashtext('reopen'))"))
        timeline = connection.execute(_TIMELINE).scalar_one()
        if connection.execute(text("select id from reopening where timeline = :t"), {"t": timeline}).one_or_none():
            return Reopened(before=True)
        since = min(filter(None, (lost_since, last_commit(connection))), default=wall)
        last = connection.execute(text("select coalesce(max(id), 0) from household")).scalar_one()
        for name in connection.execute(_COUNTERS).scalars().all():
            connection.execute(text("select setval(:name, nextval(:name) + :more)"), {"name": name, "more": SKIPPED})
        sessions = connection.execute(text("delete from session")).rowcount
        connection.execute(text("delete from login_code"))
        first = connection.execute(_FIRST).scalar_one()
        connection.execute(
            _WRITTEN,
            {
                "lost_since": parts.clocks.now() - (wall - since),
                "lost_until": parts.clocks.now(),
                "at": wall,
                "by": by,
                "timeline": timeline,
                "last": last,
                "first": first,
            },
        )
    return Reopened(False, sessions, first, since)


_LAST_COMMIT = text(
    "select coalesce(pg_last_xact_replay_timestamp(), greatest((select max(at) from procrastinate_events),"
    " (select max(written_at) from entry), (select max(received_at) from received), (select max(at) from act)))"
)
_TIMELINE = text("select ('x' || left(pg_walfile_name(pg_current_wal_lsn()), 8))::bit(32)::int")
_COUNTERS = text(
    "select quote_ident(schemaname) || '.' || quote_ident(sequencename) from pg_sequences"
    " where schemaname = 'public' order by 1"
)
_FIRST = text("select last_value + 1 from pg_sequences where sequencename = 'household_id_seq'")
_WRITTEN = text(
    "insert into reopening (lost_since, lost_until, at, by, timeline, last_household, first_household)"
    " values (:lost_since, :lost_until, :at, :by, :timeline, :last, :first)"
)
