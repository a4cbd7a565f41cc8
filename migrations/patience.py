"""How an upgrade waits: a moment for a lock, then it lets everybody pass and asks again, each time a little longer, a
second at most (F28). Whoever queues behind a lock that is waited for waits as long, so no request waits longer for an
upgrade than that, and nearly all the time nobody waits."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from random import uniform
from typing import TypeVar

import psycopg
from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import DBAPIError

from core.elected import elected_url

Done = TypeVar("Done")
LOCK_MS = 30, 900  # the first try, and the longest: less than the second after which the server looks for a deadlock
LONGER, PASS = 1.3, 3  # each next try; and everybody passes for so many times as long as was waited
GIVE_UP_S = 300.0
ALONE = "hashtext('liangxian upgrade')"
_HELD = (psycopg.errors.LockNotAvailable, psycopg.errors.DeadlockDetected)


class StillHeld(Exception):
    """Somebody held what the upgrade needs for as long as it was asked for. Nothing of this step was done."""


def patiently(engine: Engine, act: Callable[[Connection], Done], *, give_up_s: float = GIVE_UP_S) -> Done:
    """`act` in one transaction, tried again until its locks were free. StillHeld."""
    until, (wait_ms, longest_ms) = time.monotonic() + give_up_s, LOCK_MS
    while True:
        try:
            with engine.begin() as connection:
                connection.execute(text(f"set local lock_timeout = {int(wait_ms)}"))
                return act(connection)
        except DBAPIError as error:
            if not isinstance(error.orig, _HELD):
                raise
            if time.monotonic() > until:
                raise StillHeld from error
        time.sleep(PASS * wait_ms / 1000 * uniform(0.5, 1.5))  # noqa: S311 no secret
        wait_ms = min(longest_ms, wait_ms * LONGER)


@contextmanager
def alone(owner_url: str) -> Iterator[None]:
    """Until the block ends whoever upgrades the same database waits. It holds no transaction open meanwhile."""
    with psycopg.connect(elected_url(owner_url), autocommit=True) as connection:
        connection.execute(f"select pg_advisory_lock({ALONE})")
        yield


def somebody_upgrades(connection: Connection) -> bool:
    """Whether somebody is at it now. Takes the lock for the moment of asking."""
    return not connection.execute(text(f"select pg_try_advisory_xact_lock({ALONE})")).scalar_one()
