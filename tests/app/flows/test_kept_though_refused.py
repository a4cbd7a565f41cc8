"""A refused try counts; a database that is lost while it counts is told as itself."""

from datetime import timedelta

import psycopg
import pytest
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from app.access.tally import TooOften, count
from app.flows.refused import kept_though_refused
from core.clock import utc_now

LIMITS = ((timedelta(days=1), 1),)
HOW_MANY = "select coalesce(sum(count), 0) from tally"


def counted(running) -> int:
    return running.one(HOW_MANY)[0]


def tried(running, name: str) -> None:
    with running.parts.engine.connect() as connection, kept_though_refused(connection):
        count(connection, running.parts.vault, (name,), LIMITS, utc_now())


def test_a_refused_try_counts_and_another_errors_does_not(running):
    tried(running, "a:1")
    with pytest.raises(TooOften):
        tried(running, "a:1")
    before = counted(running)
    assert before == 2, "the refused one counts"

    with pytest.raises(ZeroDivisionError), running.parts.engine.connect() as connection:  # noqa: SIM117
        with kept_though_refused(connection):
            count(connection, running.parts.vault, ("a:2",), LIMITS, utc_now())
            raise ZeroDivisionError

    assert counted(running) == before


def test_a_database_that_is_lost_is_told_as_itself(running, database):
    """The commit in a finally spoke over it."""
    with (
        psycopg.connect(database.admin_url(), autocommit=True) as admin,
        running.parts.engine.connect() as connection,
        pytest.raises(OperationalError, match=r"terminating connection|closed the connection"),
        kept_though_refused(connection),
    ):
        pid = connection.execute(text("select pg_backend_pid()")).scalar_one()
        admin.execute("select pg_terminate_backend(%s)", (pid,))
        count(connection, running.parts.vault, ("a:3",), LIMITS, utc_now())
