"""What a transaction is told at its begin, whatever connection it gets; and how long anybody waits for an answer."""

import time
from collections.abc import Iterator
from math import inf

import psycopg
import pytest
from sqlalchemy import Connection, Engine, event, text
from sqlalchemy.exc import DBAPIError, OperationalError

from config.postgres import Server
from core.db import EVERYWHERE, PATIENCE, PLACES, SHORT, DatabaseSilent, Patience, connect, may_take
from tests import one_at_a_time
from tests.builders import a_household, a_person
from tests.conftest import DATABASE

SETTINGS = ("liangxian.places", "lock_timeout", "statement_timeout", "timezone", "plan_cache_mode", "liangxian.actor")


@pytest.fixture
def pooled(engine: Engine, database: Server) -> Iterator[Engine]:
    """The application's engine behind something that resets the connection between two transactions."""
    behind = connect(database.app_url(DATABASE), pool_size=1, actor="operator:x", pooler=True)

    def forget(dbapi_connection: object, *_rest: object) -> None:
        if dbapi_connection is None:  # it was given up
            return
        dbapi_connection.rollback()
        dbapi_connection.autocommit = True
        dbapi_connection.execute("discard all")
        dbapi_connection.autocommit = False

    event.listen(behind, "checkin", forget)
    event.listen(behind, "connect", forget)
    yield behind
    PLACES.set(EVERYWHERE)
    SHORT.set(False)
    behind.dispose()


def people(connection: Connection) -> int:
    return connection.execute(text("select count(*) from person")).scalar_one()


def test_each_transaction_says_what_it_may_see(engine: Engine, pooled: Engine) -> None:
    """D15: nothing is kept with a connection, so a pooler may hand out another one each time."""
    with engine.begin() as connection:
        a_person(connection)
    for _ in range(8):  # more often than a statement is asked before it is prepared
        for places, seen in (("370404103901", 1), ("370404103", 1), ("370404104", 0), (EVERYWHERE, 1), ("", 0)):
            PLACES.set(places)
            with pooled.connect() as connection:
                assert people(connection) == seen
                connection.rollback()
                assert people(connection) == seen
    SHORT.set(True)
    with pooled.connect() as connection:
        told = [connection.execute(text(f"show {name}")).scalar_one() for name in SETTINGS]
        prepared = connection.execute(text("select count(*) from pg_prepared_statements")).scalar_one()
    assert told == ["", "4s", "15s", "UTC", "force_generic_plan", "operator:x"]
    assert prepared == 0


@pytest.mark.parametrize("taken", ["discard all", "reset liangxian.places", "set local liangxian.places = ''"])
def test_a_transaction_that_was_told_nothing_sees_nothing(engine: Engine, pooled: Engine, taken: str) -> None:
    """D15: whoever goes past core/db.py, or takes the word away, finds no row of anybody."""
    with engine.begin() as connection:
        a_person(connection)
    with pooled.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text(taken.replace(" local", "")))
        assert people(connection) == 0
        for table in ("household", "bill", "payment", "refund", "notice", "proof"):
            assert connection.execute(text(f"select count(*) from {table}")).scalar_one() == 0


def test_a_place_that_is_no_code_is_only_text(engine: Engine, pooled: Engine) -> None:
    with engine.begin() as connection:
        a_household(connection)
    for odd in ("'", "'; reset role; --", "\\", "a\0b", "'*'"):
        PLACES.set(odd)
        with pooled.connect() as connection:
            assert connection.execute(text("select count(*) from household")).scalar_one() == 0


def test_many_rows_at_once_may_be_the_first_of_a_transaction(pooled: Engine) -> None:
    """D15: the driver sends them in a pipeline, where no message has two words."""
    with pooled.connect() as connection:
        spend = text("insert into tally (key, window_start, count) values (:key, now(), 1)")
        connection.execute(spend, [{"key": bytes([number])} for number in range(3)])
        assert connection.execute(text("show lock_timeout")).scalar_one() == "4s"
        assert connection.execute(text("select count(*) from tally")).scalar_one() == 3
        connection.rollback()


@pytest.mark.parametrize("patience", [Patience(0.7), Patience(9, until=0.7)])
def test_who_waits_too_long_for_the_database_stops_waiting(pooled: Engine, patience: Patience) -> None:
    """D8: whatever the other side does; the connection is given up, the next one is a fresh one."""
    began = time.monotonic()
    until = began + patience.until if patience.until != inf else inf
    PATIENCE.set(Patience(patience.each_s, until))
    try:
        with pytest.raises(OperationalError) as given_up, pooled.connect() as connection:
            connection.execute(text("set local statement_timeout = 0"))
            connection.execute(text("select pg_sleep(5)"))
    finally:
        PATIENCE.set(None)
    assert time.monotonic() - began < 2.5
    assert isinstance(given_up.value.orig, DatabaseSilent)
    with pooled.connect() as connection:
        assert connection.execute(text("select 1")).scalar_one() == 1


def test_a_second_connection_in_one_hand_is_seen(engine: Engine) -> None:
    """F2: the guard of every test sees what it is there for."""
    source = "def twice(engine):\n with engine.connect():\n  with engine.connect(): pass"
    names: dict[str, object] = {}
    exec(compile(source, str(one_at_a_time.ROOT / "app" / "made_up.py"), "exec"), names)

    names["twice"](engine)

    assert one_at_a_time.seconds == ["app/made_up.py:3 beside app/made_up.py:2"]
    one_at_a_time.seconds.clear()


def test_a_transaction_that_may_take_longer_is_waited_for_as_long(pooled: Engine) -> None:
    """A day of a million payments could not be closed, nor a large book looked at or a large file taken: the database
    had been told to go on, and nobody waited for it. The next transaction of the connection has its own time again."""
    PATIENCE.set(Patience(0.7))
    try:
        with pooled.connect() as connection:
            may_take(connection, 3)
            assert connection.execute(text("show statement_timeout")).scalar_one() == "3s"
            connection.execute(text("select pg_sleep(1.5)"))
            connection.commit()
            with pytest.raises(OperationalError):
                connection.execute(text("select pg_sleep(1.5)"))
    finally:
        PATIENCE.set(None)


def test_what_may_take_for_ever_has_no_end(pooled: Engine) -> None:
    PATIENCE.set(Patience(0.7))
    try:
        with pooled.connect() as connection:
            may_take(connection, inf)
            assert connection.execute(text("show statement_timeout")).scalar_one() == "0"
            connection.execute(text("select pg_sleep(1.5)"))
    finally:
        PATIENCE.set(None)


@pytest.fixture
def warm(engine: Engine, database: Server) -> Iterator[Engine]:
    """One connection of the application's, used again and again."""
    one = connect(database.app_url(DATABASE), pool_size=1)
    yield one
    one.dispose()


def read(engine: Engine, query: str) -> None:
    for _ in range(8):
        with engine.connect() as connection:
            connection.execute(text(query)).all()


def prepared(engine: Engine) -> set[str]:
    with engine.connect() as connection:
        return set(connection.execute(text("select statement from pg_prepared_statements")).scalars())


def test_what_readers_ask_is_planned_once_though_they_end_without_a_word(warm: Engine) -> None:
    read(warm, "select code from village")
    assert "select code from village" in prepared(warm)

    with pytest.raises(DBAPIError), warm.connect() as connection:
        connection.execute(text("select 1/0"))
    assert prepared(warm) == set(), "after an error nothing is known of anything"
    read(warm, "select code from village")
    assert "select code from village" in prepared(warm)


def test_a_column_that_comes_meanwhile_breaks_no_statement(warm: Engine, database: Server) -> None:
    whole, named = "select * from growing", "select a from growing"
    with psycopg.connect(database.admin_url().replace("/postgres?", f"/{DATABASE}?"), autocommit=True) as admin:
        admin.execute("create table growing (a int)")
        admin.execute("grant select on growing to liangxian_app")
        try:
            read(warm, whole)
            read(warm, named)
            admin.execute("alter table growing add column b int")
            read(warm, whole)
            read(warm, named)
            assert {whole, named} & prepared(warm) == {named}
        finally:
            admin.execute("drop table growing")
