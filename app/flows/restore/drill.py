"""A restore to a second server, proved: begun at a moment somebody names or chance does, looked at, written down, and
gone again, whatever happens."""

import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from time import monotonic
from typing import Any
from urllib.parse import quote

from psycopg.types.json import Jsonb
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from app.flows.parts import Clocks, Parts, Urls
from app.flows.restore.keeper import KeeperFailed, NoKeeper, ask
from app.flows.restore.lists import Counted, count_lists, last_listed
from app.flows.restore.prove import Proof, Stopped, prove
from app.flows.restore.reopen import last_commit
from app.policy.year import funds_of
from core.db import connect
from core.errors import AppError, BadInput, TryLater
from migrations.standing import serves
from migrations.upgrade import upgrade

INTO = "drill"
LATEST, BACKUP = "latest", "backup"
SETTLED = timedelta(minutes=2)  # a moment chance picks is so long ago that its log is in the archive


class NoSuchMoment(BadInput):
    """A moment before the oldest backup, or one that is still to come."""

    text = "只能恢复到最早一份备份（{oldest}）以后、现在以前的时刻。"


class AnotherDrill(TryLater):
    """One is under way: it would be proved in the folder of the other."""

    text = "另一次恢复演练正在做，等它做完再来。"


@dataclass
class Drilled:
    """What a drill found. Times in seconds. `holds`: nothing differs."""

    moment: str
    restore_s: float = 0
    whole_s: float = 0
    last_commit: datetime | None = None
    lost_s: int = 0
    bytes: int = 0
    upgraded: bool = False
    proof: Proof = field(default_factory=Proof)
    lists: list[Counted] = field(default_factory=list)
    differences: list[str] = field(default_factory=list)

    @property
    def holds(self) -> bool:
        """Whether one could go on from there."""
        return not self.differences


@dataclass(frozen=True)
class Ground:
    """What a drill stands on: the running system (None: it is gone), how the parts of another database are joined, the
    years it collects for."""

    parts: Parts
    alive: bool
    database: str
    years: tuple[int, ...]


def drill(ground: Ground, *, moment: str | None = None, into: str = INTO, say: Callable[[str], None]) -> Drilled:
    """Restore, prove, write down, clean up. `moment` in UTC as the keeper takes it, `latest`, `backup`, or None: any
    since the oldest backup. AnotherDrill; NoKeeper, KeeperFailed, NoSuchMoment: written down, too."""
    parts, began = ground.parts, monotonic()
    asked_at = parts.clocks.wall()
    with alone(parts) if ground.alive else nullcontext(), _written_down(ground, moment or "random") as note:
        kept = ask(parts.keeper, "look")
        chosen = moment or _any_moment(kept, asked_at)
        if chosen not in (LATEST, BACKUP):
            _possible(chosen, kept, asked_at)
        found = Drilled(chosen)
        note.append(found)
        if ground.alive:
            ask(parts.keeper, "check")  # what was committed until the moment is in the archive
        try:
            say(f"恢复到 {chosen} ……")
            server = ask(parts.keeper, "restore", chosen, into)
            found.restore_s, found.bytes = monotonic() - began, server["bytes"]
            _look(ground, found, server, _moment_of(chosen, kept, asked_at), say)
            named = asked_at if chosen in (LATEST, BACKUP) else _read(chosen)
            found.lost_s = max(0, round((named - (found.last_commit or named)).total_seconds()))
            say("逐页核对索引和数据页 ……")
            for verb in ("amcheck", "checksums"):
                found.differences += [f"{verb}：{line}" for line in ask(parts.keeper, verb, into)["damage"]]
        finally:
            ask(parts.keeper, "forget", into)
        found.whole_s = monotonic() - began
    return found


def clean_up(parts: Parts, into: str = INTO) -> bool:
    """What a killed drill left: its server ended, its folder gone. True if there was anything."""
    return bool(ask(parts.keeper, "forget", into)["gone"])


def _look(ground: Ground, found: Drilled, server: dict[str, Any], moment: datetime, say: Callable[[str], None]) -> None:
    """Everything that is asked of the restored database itself, as it should stand at `moment`."""
    urls = _urls(server, ground.database)
    live = ground.parts if ground.alive else None
    engine = connect(urls.app, pool_size=4, statement_timeout_ms=0)
    try:
        with engine.connect() as connection:
            found.last_commit = last_commit(connection)
            current = serves(connection)
        if not current:  # a moment before the last upgrade: as after a real restore, its database is brought to now
            say("这一时刻的库是旧版本，先升级 ……")
            funds = funds_of(ground.parts.year_files)
            upgrade(urls.owner, years=ground.years, departments=ground.parts.departments, funds=funds)
            found.upgraded = True
        clocks: Clocks = Stopped(engine, at=found.last_commit or moment, movable=ground.parts.clocks.is_movable)
        restored = replace(ground.parts, engine=engine, clocks=clocks)
        say("核对账本的每一条不变量、日结链 ……")
        found.proof = prove(live, restored, until=moment)
        found.differences += found.proof.differences
        say("与各渠道的对账单逐笔核对 ……")
        found.lists = count_lists(live, restored, until=last_listed(ground.parts))
        found.differences += [
            f"{one.gateway} {one.day}：恢复以前账上有、恢复以后没有的 {one.lost} 笔" for one in found.lists if one.lost
        ]
    finally:
        engine.dispose()


def _any_moment(said: dict[str, Any], now: datetime) -> str:
    """A moment since the oldest backup, whose log is in the archive; the latest where there is none yet."""
    since, until = _oldest(said), now - SETTLED
    if since >= until:
        return LATEST
    return _written(since + (until - since) * random.random())  # noqa: S311 chance, no secret


def _moment_of(chosen: str, said: dict[str, Any], asked_at: datetime) -> datetime:
    """Until when everything should be there: of a backup alone, until it began."""
    if chosen == LATEST:
        return asked_at
    if chosen == BACKUP:
        return datetime.fromtimestamp(max(one["started"] for one in said["backups"]), UTC)
    return _read(chosen)


def _possible(chosen: str, said: dict[str, Any], now: datetime) -> None:
    oldest = _oldest(said)
    if not oldest <= _read(chosen) <= now:
        raise NoSuchMoment(chosen, oldest=_written(oldest))


def _oldest(said: dict[str, Any]) -> datetime:
    """The end of the oldest backup: before it nothing can be had. KeeperFailed: there is none."""
    ends = [one["stopped"] for one in said["backups"]]
    if not ends:
        raise KeeperFailed("look", why="一份备份也没有")
    return datetime.fromtimestamp(min(ends) + 1, UTC)


def _written(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M:%S}+00"


def _read(moment: str) -> datetime:
    return datetime.fromisoformat(moment)


def _urls(server: dict[str, Any], database: str) -> Urls:
    """The restored server's database under its three roles."""
    place = f"@/{database}?host={quote(server['sockets'], safe='')}&port={server['port']}"
    return Urls(*(f"postgresql://liangxian_{role}{place}" for role in ("app", "office", "owner")))


@contextmanager
def alone(parts: Parts) -> Iterator[None]:
    """Nobody else drills until the block ends. Its transaction reads and writes nothing, so it holds nobody up; of a
    session a pooler would make many. AnotherDrill."""
    engine = connect(parts.engine.url.render_as_string(hide_password=False), pool_size=1)
    try:
        with engine.begin() as connection:
            connection.execute(text("set local idle_in_transaction_session_timeout = 0"))
            if not connection.execute(text("select pg_try_advisory_xact_lock(hashtext('drill'))")).scalar_one():
                raise AnotherDrill
            yield
    finally:
        engine.dispose()


@contextmanager
def _written_down(ground: Ground, moment: str) -> Iterator[list[Drilled]]:
    """The drill's row: begun, so that one that was killed is seen; and how it ended, also if it could not be done."""
    note: list[Drilled] = []
    if not ground.alive:
        yield note
        return
    engine, wall = ground.parts.engine, ground.parts.clocks.wall
    with engine.begin() as connection:
        row = connection.execute(_BEGUN, {"moment": moment, "at": wall()}).scalar_one()
    trouble: Exception | None = None
    try:
        yield note
    except (KeeperFailed, NoKeeper, NoSuchMoment, SQLAlchemyError) as failed:
        trouble = failed
        raise
    finally:
        found = note[0] if note else Drilled(moment)
        wrong = [*found.differences, *([_sentence(trouble)] if trouble else [])]
        with engine.begin() as connection:
            connection.execute(
                _ENDED,
                {
                    "id": row,
                    "moment": found.moment,
                    "at": wall(),
                    "holds": not wrong and found.whole_s > 0,
                    "lost": found.lost_s,
                    "bytes": found.bytes,
                    "wrong": wrong[:50],
                    "figures": Jsonb(figures(found)),
                },
            )


def figures(found: Drilled) -> dict[str, Any]:
    """What is kept of it, and shown."""
    return {
        "restore_s": round(found.restore_s, 1),
        "whole_s": round(found.whole_s, 1),
        "truths": found.proof.truths,
        "days": found.proof.days,
        "papers": found.proof.papers,
        "closed_later": [day.isoformat() for day in found.proof.closed_later],
        "there": sum(one.there for one in found.lists),
        "there_amount": sum(one.there_amount for one in found.lists),
        "back": sum(one.back[0] for one in found.lists),
        "back_amount": sum(one.back[1] for one in found.lists),
    }


def _sentence(trouble: Exception) -> str:
    return trouble.sentence() if isinstance(trouble, AppError) else type(trouble).__name__


_BEGUN = text("insert into drill (moment, began_at) values (:moment, :at) returning id")
_ENDED = text(
    "update drill set moment = :moment, ended_at = :at, holds = :holds, lost_s = :lost, bytes = :bytes,"
    " differences = :wrong, figures = :figures where id = :id"
)
