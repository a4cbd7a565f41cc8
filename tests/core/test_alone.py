"""A statement that stands alone: no transaction, the same errors as any other, and a connection as it was before."""

from collections.abc import Iterator

import psycopg
import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import DBAPIError

from config.postgres import Server
from core.alone import ask_alone
from core.db import EVERYWHERE, PLACES, connect
from tests.builders import a_person
from tests.conftest import DATABASE


@pytest.fixture
def single(engine: Engine, database: Server) -> Iterator[Engine]:
    """The application's engine with one connection."""
    alone = connect(database.app_url(DATABASE), pool_size=1)
    yield alone
    PLACES.set(EVERYWHERE)
    alone.dispose()


def test_no_transaction_is_around_it_and_the_next_one_is_told_as_ever(engine: Engine, single: Engine) -> None:
    with engine.begin() as connection:
        a_person(connection)

    begun = {ask_alone(single, "select transaction_timestamp()", ())[0] for _ in range(8)}
    assert len(begun) == 8

    assert ask_alone(single, "select count(*) from person", ()) == [(0,)], "untold is nothing"
    PLACES.set("370404103")
    with single.connect() as connection:
        assert connection.execute(text("select count(*) from person")).scalar_one() == 1


def test_an_error_is_the_same_as_anywhere_and_harms_nobody_after_it(single: Engine) -> None:
    with pytest.raises(DBAPIError) as wrong:
        ask_alone(single, "select 1 / %s", (0,))

    assert isinstance(wrong.value.orig, psycopg.errors.DivisionByZero) and not wrong.value.connection_invalidated
    assert ask_alone(single, "select 1 / %s", (1,)) == [(1,)]


def test_a_connection_that_is_gone_is_thrown_away(engine: Engine, single: Engine, database: Server) -> None:
    [(pid,)] = ask_alone(single, "select pg_backend_pid()", ())
    with psycopg.connect(database.admin_url(), autocommit=True) as admin:
        admin.execute("select pg_terminate_backend(%s, 2000)", (pid,))

    with pytest.raises(DBAPIError) as gone:
        ask_alone(single, "select 1", ())

    assert gone.value.connection_invalidated
    assert ask_alone(single, "select 1", ()) == [(1,)]


def test_a_server_that_cannot_be_reached_is_an_error_of_the_database() -> None:
    nowhere = connect("postgresql://nobody@127.0.0.1:1/nothing")

    with pytest.raises(DBAPIError):
        ask_alone(nowhere, "select 1", ())
