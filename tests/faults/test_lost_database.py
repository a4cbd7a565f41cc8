"""Connections that end under us: nothing is guessed, and the next message is booked on a fresh one."""

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import SQLAlchemyError

from app.flows.parts import Clocks
from app.flows.pay.collect import Collector
from app.web.door.health import LOOK_S
from config.postgres import Server
from core.db import connect
from tests.builders import a_message, a_paid_word, a_started_payment
from tests.system import System


def end_all_connections(server: Server) -> None:
    admin = connect(server.admin_url(), pool_size=1)
    with admin.begin() as connection:
        connection.execute(
            text("select pg_terminate_backend(pid) from pg_stat_activity where usename ~ '^liangxian_(app|office)$'")
        )
    admin.dispose()


def test_after_a_lost_connection_the_next_message_is_booked(engine: Engine, database: Server) -> None:
    with engine.begin() as connection:
        attempt = a_started_payment(connection)
    collector = Collector(engine, Clocks(engine, movable=False))
    end_all_connections(database)

    words = []
    for _ in range(3):  # the gateway repeats what was not answered
        try:
            words.append(collector.take(a_message(a_paid_word(attempt))))
        except SQLAlchemyError as lost:
            words.append(type(lost).__name__)  # any other error is no clean "ask again"

    assert words.count("paid") == 1
    with engine.connect() as connection:
        assert connection.execute(text("select count(*) from entry")).scalar_one() == 1


@pytest.mark.parametrize("times", [1, 5])
def test_reading_survives_a_lost_connection(engine: Engine, database: Server, times: int) -> None:
    for _ in range(times):
        end_all_connections(database)
        with pytest.raises(SQLAlchemyError), engine.connect() as connection:
            connection.execute(text("select 1"))
            end_all_connections(database)
            connection.execute(text("select 1"))

    with engine.connect() as connection:
        assert connection.execute(text("select 1")).scalar_one() == 1


def test_a_database_that_is_back_is_seen_at_the_first_look(running: System, database: Server) -> None:
    client = running.app.test_client()
    assert client.get("/readyz").status_code == 200
    end_all_connections(database)
    running.app.extensions["standing"]._looked_at = -LOOK_S  # a second later

    assert client.get("/readyz").status_code == 200
