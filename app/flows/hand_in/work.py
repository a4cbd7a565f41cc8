"""What the office process does: one piece of work after another, each in the name of who asked, his role asked about
again. Whoever works on it holds a lock of the database, so what a killed process left is taken up at once by the next
and never done by two."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import takewhile
from threading import Event, Thread
from typing import Any

import structlog
from sqlalchemy import Connection, Engine, Row, select, text, update

from app.access.handed_in import OfficeJob
from app.access.models import Staff
from app.access.roles import Role, may
from app.flows.one_by_one import one_by_one
from app.flows.parts import Parts
from core.errors import AppError, Conflict, Refused

MOST_TURNS = 3
TELL_S = 1.0  # so often a page hears how far it is; and the lock's transaction is not idle
THREE_TIMES = "试了三次都没有办完。办到哪一步，请先看名单或登记现在的样子，再联系运维人员，编号：{number}。"
Progress = Callable[[int, int], None]  # rows done, of about how many (0: not known)


class NoSuchKind(Conflict):
    """Work of a kind that this version does not know."""

    text = "这一项现在的系统不会办，没有办。请联系运维人员。"


class NotYoursAnyMore(Refused):
    """Who asked has another place by now, or none."""

    text = "您现在的岗位不能办这一项，没有办。要办请换有这个权限的人。"


@dataclass(frozen=True)
class Job:
    """Work in hand. What it changes for good it commits together with its end: `end` in that very transaction."""

    id: int
    kind: str
    upload: int | None
    about: Mapping[str, Any]
    by: str  # staff:<login>

    def end(self, connection: Connection, outcome: Mapping[str, Any], parts: Parts) -> None:
        """It is done, with the caller's transaction; a second end changes nothing."""
        done = {"state": "done", "outcome": dict(outcome), "ended_at": parts.clocks.wall()}
        connection.execute(update(OfficeJob).where(OfficeJob.id == self.id, OfficeJob.state == "doing").values(**done))


@dataclass(frozen=True)
class Kind:
    """A kind of work: what does it, and which permission it needs."""

    permission: str
    act: Callable[[Parts, Job, Progress], Mapping[str, Any]]


def work(
    parts: Parts,
    held: Engine,
    in_name_of: Callable[[str], Parts],
    kinds: Mapping[str, Kind],
    *,
    stopped: Callable[[], bool] = lambda: False,
) -> int:
    """All that waits and all that somebody left, the oldest first; how many were taken. `held`: connections for locks
    alone. `in_name_of`: the parts as who asked has them, with connections of their own."""
    taken = 0

    def take(number: int) -> None:
        nonlocal taken
        with _alone(held, number) as ours:
            row = _begun(parts, number) if ours else None
            if ours and row:
                taken += 1
                theirs = in_name_of(row.by)
                try:
                    _do(theirs, row, kinds, ours)
                finally:
                    theirs.engine.dispose()

    one_by_one(parts, "office_job", takewhile(lambda _number: not stopped(), _open(parts)), take, name=str)
    return taken


def _open(parts: Parts) -> list[int]:
    found = select(OfficeJob.id).where(OfficeJob.state.in_(("waiting", "doing"))).order_by(OfficeJob.id)
    with parts.reading() as connection:
        return list(connection.execute(found).scalars())


@contextmanager
def _alone(held: Engine, number: int) -> Iterator[Connection | None]:
    """The connection whose open transaction is the lock; None if somebody else has it."""
    with held.connect() as connection:
        got = text("select pg_try_advisory_xact_lock(hashtext('office job'), cast(:number as int))")
        yield connection if connection.execute(got, {"number": number}).scalar_one() else None
        connection.rollback()


def _begun(parts: Parts, number: int) -> Row | None:
    """Its row, in hand from now on; None if it is over by now, or was begun in vain too often."""
    of = update(OfficeJob).where(OfficeJob.id == number, OfficeJob.state.in_(("waiting", "doing")))
    now = parts.clocks.wall()
    with parts.engine.begin() as connection:
        begun = {"state": "doing", "turns": OfficeJob.turns + 1, "began_at": now, "rows": 0}
        row = connection.execute(of.values(**begun).returning(*OfficeJob.__table__.c)).one_or_none()
        if row is not None and row.turns > MOST_TURNS:
            _fail(connection, number, THREE_TIMES.format(number=number), parts)
            return None
    return row


def _do(parts: Parts, row: Row, kinds: Mapping[str, Kind], ours: Connection) -> None:
    """Done, or failed for a reason that a person can read; what nobody foresaw is tried again."""
    job, kind = Job(row.id, row.kind, row.upload_id, row.about, row.by), kinds.get(row.kind)
    try:
        if kind is None:
            raise NoSuchKind(row.kind)
        if not _may(parts, row.by, kind.permission):
            raise NotYoursAnyMore(row.by)
        with _told(parts, job.id, ours) as progress:
            outcome = kind.act(parts, job, progress)
    except AppError as error:
        with parts.engine.begin() as connection:
            _fail(connection, job.id, error.sentence(), parts)
        structlog.get_logger("office").info("job_failed", job=job.id, kind=job.kind, code=error.code)
        return
    with parts.engine.begin() as connection:
        job.end(connection, outcome, parts)
    structlog.get_logger("office").info("job_done", job=job.id, kind=job.kind)


def _may(parts: Parts, by: str, permission: str) -> bool:
    """As his account is now, not as it was when he asked."""
    login = by.removeprefix("staff:")
    with parts.reading() as connection:
        role = connection.execute(select(Staff.role).where(Staff.login == login, Staff.active)).scalar_one_or_none()
    return role is not None and may(Role(role), permission)


@contextmanager
def _told(parts: Parts, number: int, ours: Connection) -> Iterator[Progress]:
    """How far it is, written down by a second connection; each time the lock is asked whether it still holds."""
    far, over = [0, 0], Event()

    def tell() -> None:
        shown = (0, 0)
        while not over.wait(TELL_S):
            ours.execute(select(1))  # a transaction that says nothing for a minute would be ended
            if (now := (far[0], far[1])) != shown:
                _move(parts, number, shown := now)

    def progress(rows: int, about: int) -> None:
        far[:] = rows, about

    teller = Thread(target=tell, name="progress")
    teller.start()
    try:
        yield progress
    finally:
        over.set()
        teller.join()
        _move(parts, number, (far[0], far[1]))


def _move(parts: Parts, number: int, far: tuple[int, int]) -> None:
    of = update(OfficeJob).where(OfficeJob.id == number, OfficeJob.state == "doing")
    with parts.engine.begin() as connection:
        connection.execute(of.values(rows=far[0], rows_about=far[1]))


def _fail(connection: Connection, number: int, problem: str, parts: Parts) -> None:
    failed = {"state": "failed", "problem": problem, "ended_at": parts.clocks.wall()}
    connection.execute(update(OfficeJob).where(OfficeJob.id == number, OfficeJob.state == "doing").values(**failed))
