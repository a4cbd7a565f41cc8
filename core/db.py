"""The table base, the constraint-name pattern, and how an engine is made: what is told at the begin of a transaction,
and how long anybody waits for an answer."""

import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import lru_cache
from math import inf
from time import monotonic
from typing import Any, NamedTuple

import psycopg
from psycopg import generators
from psycopg.errors import _WaitTimeout, error_from_result
from psycopg.pq import ExecStatus, TransactionStatus
from sqlalchemy import Connection, Engine, MetaData, create_engine, event, text
from sqlalchemy.orm import DeclarativeBase

from core.elected import elected, forget

EVERYWHERE = "*"
PLACES: ContextVar[str] = ContextVar("places", default=EVERYWHERE)  # what this thread may see; empty: nothing
SHORT: ContextVar[bool] = ContextVar("short", default=False)  # this thread asks by key: a statement is planned once
CONNECT_S = 2  # the least that libpq allows
NAMES = {
    "ix": "ix__%(table_name)s__%(column_0_N_name)s",
    "uq": "uq__%(table_name)s__%(column_0_N_name)s",
    "ck": "ck__%(table_name)s__%(constraint_name)s",
    "fk": "fk__%(table_name)s__%(column_0_N_name)s",
    "pk": "pk__%(table_name)s",
}


class Table(DeclarativeBase):
    """Every table of ours; names of constraints follow one pattern."""

    metadata = MetaData(naming_convention=NAMES)


class Patience(NamedTuple):
    """How long this thread waits: seconds for each answer of the database, and no later than `until` (monotonic)."""

    each_s: float
    until: float = inf


PATIENCE: ContextVar[Patience | None] = ContextVar("patience", default=None)  # None: a little more than a statement may


class DatabaseSilent(psycopg.OperationalError):
    """The database gave no answer in time. What became of the statement is unknown; its connection is closed."""


_WHOLE_ROWS = re.compile(r"\bselect (\w+\.)?\*|, \w+\.\*", re.IGNORECASE)


class Asking(psycopg.Cursor[Any]):
    """A statement is prepared when it was asked a few times; but not one that gives whole rows: a column that an
    upgrade adds changes its result, and the server refuses what was prepared for another one."""

    def execute(self, query: Any, params: Any = None, *, prepare: bool | None = None, **more: Any) -> Any:
        """As psycopg's."""
        if prepare is None and isinstance(query, str) and _gives_whole_rows(query):
            prepare = False
        return super().execute(query, params, prepare=prepare, **more)


@lru_cache(maxsize=4096)
def _gives_whole_rows(query: str) -> bool:
    return _WHOLE_ROWS.search(query) is not None


class Told(psycopg.Connection[Any]):
    """A connection that says, with the very message that begins a transaction, what the transaction may see and how
    long it may take. Nothing is kept with the connection: between two transactions it may be another one's, behind a
    pooler too. It waits for no answer longer than its user's patience, whatever the other side does."""

    settings: "Settings"
    stands_alone = False  # a statement without a transaction around it (core/alone.py)
    longer_s = 0.0  # how long this very transaction waits for each answer, beyond its user's patience

    def _start_query(self) -> Any:
        """As psycopg's, with more than one word in the message; in its pipeline each word goes on its own."""
        if self.stands_alone or self.autocommit or self.pgconn.transaction_status != TransactionStatus.IDLE:
            return
        words = (self._get_tx_start_command(), *self._told())
        if self._pipeline:
            for word in words:
                yield from self._exec_command(word)
            yield from self._pipeline._sync_gen()
            return
        self._check_connection_ok()
        self.pgconn.send_query(b"; ".join(words))
        for result in (yield from generators.execute(self.pgconn)):
            if result.status != ExecStatus.COMMAND_OK:
                raise error_from_result(result, encoding=self.info.encoding)

    @contextmanager
    def alone(self) -> Iterator[None]:
        """No transaction is begun meanwhile."""
        assert self.pgconn.transaction_status == TransactionStatus.IDLE, "a transaction is open"
        self.stands_alone = True
        try:
            yield
        finally:
            self.stands_alone = False

    def _rollback_gen(self) -> Any:
        """As psycopg's, but what was prepared stays when a reader has read. It forgets all, lest a statement knows a
        table that was never made; no transaction makes one here, and planning a statement costs more than its work."""
        reads = self.pgconn.transaction_status == TransactionStatus.INTRANS
        if reads and not self._pipeline and not self._num_transactions:
            yield from self._exec_command(b"ROLLBACK")
            return
        yield from super()._rollback_gen()

    def _told(self) -> tuple[bytes, ...]:
        patience = PATIENCE.get()
        most_ms = self.settings.statement_timeout_ms
        if patience is not None and most_ms:
            most_ms = min(most_ms, max(500, int(patience.each_s * 1000) - 500))  # the server gives up first
        mode = "force_generic_plan" if SHORT.get() else "auto"
        return _words(PLACES.get(), mode, most_ms, self.settings.actor)

    def wait(self, gen: Any, interval: float = 0.1, timeout: float | None = None) -> Any:
        """As psycopg's, with an end. DatabaseSilent."""
        if self.pgconn.transaction_status == TransactionStatus.IDLE:
            self.longer_s = 0.0  # the transaction that was given it is over
        patience = PATIENCE.get() or self.settings.patience
        most = max(0.2, min(patience.each_s, patience.until - monotonic()), self.longer_s)
        if timeout is not None or most == inf:
            return super().wait(gen, interval, timeout)
        try:
            return super().wait(gen, interval, most)
        except _WaitTimeout:
            self.close()
            raise DatabaseSilent("no answer in time") from None


class Settings(NamedTuple):
    """What every transaction of an engine has: the longest a statement may take (0: no end), and in whose name."""

    statement_timeout_ms: int
    actor: str

    @property
    def patience(self) -> Patience:
        """For a thread that said nothing of its own."""
        return Patience(self.statement_timeout_ms / 1000 + 5 if self.statement_timeout_ms else inf)


def connect(
    url: str, *, pool_size: int = 16, statement_timeout_ms: int = 15_000, actor: str = "", pooler: bool = False
) -> Engine:
    """An engine with a pool as large as the threads of one process; a lock is waited for 4 s at most.

    Transactions run in UTC. `url` is a libpq URL (postgresql://…). `actor`: in whose name the database notes what is
    done to accounts and the register; letters, digits, dots and dashes stay of it. `pooler`: something in between hands
    every transaction another connection of the server, so nothing is prepared there."""
    engine = create_engine(
        url.replace("postgresql://", "postgresql+psycopg://", 1),
        pool_size=pool_size,
        max_overflow=0,
        pool_timeout=2,
        pool_use_lifo=True,  # the fewest connections stay warm: each has planned its statements for itself
        pool_pre_ping=False,
        hide_parameters=True,  # they are people
        connect_args={
            "connect_timeout": CONNECT_S,
            "prepare_threshold": None if pooler else 5,
            "tcp_user_timeout": 10_000,  # of bytes that nobody takes, as when a host is gone
        },
    )
    settings = Settings(statement_timeout_ms, re.sub(r"[^A-Za-z0-9:._-]", "", actor))
    event.listen(engine, "do_connect", _connect_with(settings))
    event.listen(engine, "checkout", _taken)
    event.listen(engine, "checkin", _given_back)
    return engine


def may_write(connection: Connection) -> bool:
    """Whether the server takes writes at the moment: it stands by for no other, and nobody made it read only."""
    return bool(connection.execute(_WRITABLE).scalar_one())


_WRITABLE = text("select not pg_is_in_recovery() and current_setting('transaction_read_only') = 'off'")


def may_take(connection: Connection, seconds: float) -> None:
    """The statements of this very transaction may take so long each (inf: no end), whoever waits for them."""
    connection.execute(text(f"set local statement_timeout = {0 if seconds == inf else int(seconds * 1000)}"))
    told = connection.connection.driver_connection
    assert isinstance(told, Told)
    told.longer_s = seconds + 5  # the server gives up first


def holds_connection() -> bool:
    """Has this thread one in hand? Then it must not wait for another: others may do the same until none is left."""
    return bool(getattr(_IN_HAND, "count", 0))


_IN_HAND = threading.local()


def _taken(_connection: object, _record: object, _proxy: object) -> None:
    _IN_HAND.count = getattr(_IN_HAND, "count", 0) + 1


def _given_back(_connection: object, _record: object) -> None:
    _IN_HAND.count = max(0, getattr(_IN_HAND, "count", 0) - 1)


def _connect_with(settings: Settings) -> Callable[..., Told]:
    def open_one(_dialect: object, _record: object, words: Any, named: Any) -> Told:
        patience = PATIENCE.get()
        if patience is not None and patience.until - monotonic() < CONNECT_S:
            raise DatabaseSilent("no time left to connect")
        try:
            told = Told.connect(*words, **elected(named))
        except psycopg.OperationalError:
            forget()
            raise
        told.settings, told.cursor_factory = settings, Asking
        return told

    return open_one


@lru_cache(maxsize=1024)
def _words(places: str, mode: str, statement_timeout_ms: int, actor: str) -> tuple[bytes, ...]:
    """What a transaction is told. Plain SET: it takes no snapshot."""
    wanted = {
        "timezone": "UTC",
        "lock_timeout": "4000",
        "statement_timeout": str(statement_timeout_ms),
        "plan_cache_mode": mode,
        "liangxian.places": places,
        "liangxian.actor": actor,
    }
    quoted = {name: value.replace("'", "''").replace("\0", "") for name, value in wanted.items()}
    return tuple(f"set local {name} = '{value}'".encode() for name, value in quoted.items())
