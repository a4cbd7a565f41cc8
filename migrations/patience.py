"""How an upgrade waits: for a lock a second at most, then it lets everybody pass and asks again (F28). Whoever queues
behind a lock that is waited for waits as long, so no request waits longer for an upgrade than that."""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from random import uniform
from typing import TypeVar

import psycopg
from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import DBAPIError

from core.elected import elected_url

Done = TypeVar("Done")
LOCK_MS = 900  # less than the second after which the server looks for a deadlock, so we are who gives up
GIVE_UP_S = 300.0
ALONE = "hashtext('liangxian upgrade')"
_HELD = (psycopg.errors.LockNotAvailable, psycopg.errors.QueryCanceled, psycopg.errors.DeadlockDetected)


class StillHeld(Exception):
    """Somebody held what the upgrade needs for as long as it was asked for. Nothing of this step was done."""


def lock(connection: Connection, tables: Sequence[str]) -> None:
    """All of them for this transaction, or none: together they are waited for as long as one."""
    if tables:
        connection.execute(text(f"set local statement_timeout = {LOCK_MS}"))
        connection.execute(text(f"lock table {', '.join(tables)} in access exclusive mode"))
        connection.execute(text("set local statement_timeout = 0"))


def patiently(engine: Engine, act: Callable[[Connection], Done], *, give_up_s: float = GIVE_UP_S) -> Done:
    """`act` in one transaction, tried again until its locks were free. StillHeld."""
    until, pause = time.monotonic() + give_up_s, 0.2
    while True:
        try:
            with engine.begin() as connection:
                connection.execute(text(f"set local lock_timeout = {LOCK_MS}"))
                return act(connection)
        except DBAPIError as error:
            if not isinstance(error.orig, _HELD):
                raise
            if time.monotonic() > until:
                raise StillHeld from error
        time.sleep(uniform(pause / 2, pause))  # noqa: S311 no secret
        pause = min(2.0, pause * 1.5)


@contextmanager
def alone(owner_url: str) -> Iterator[None]:
    """Until the block ends whoever upgrades the same database waits. It holds no transaction open meanwhile."""
    with psycopg.connect(elected_url(owner_url), autocommit=True) as connection:
        connection.execute(f"select pg_advisory_lock({ALONE})")
        yield


def somebody_upgrades(connection: Connection) -> bool:
    """Whether somebody is at it now. Takes the lock for the moment of asking."""
    return not connection.execute(text(f"select pg_try_advisory_xact_lock({ALONE})")).scalar_one()
