"""All that must hold of the book, asked by one connection for all tests of a process: to plan the questions takes six
times as long as to answer them, and here each is planned once."""

from collections.abc import Callable, Iterator, Sequence
from datetime import date, datetime

import psycopg
import pytest

from config.postgres import Server
from core.db import SHORT, connect
from payments.truths.invariants import Invariant, look
from tests.conftest import DATABASE

Asked = Callable[..., dict[str, list[str]]]


@pytest.fixture(scope="session")
def broken(database: Server) -> Iterator[Asked]:
    """Which of these truths is broken, and by what, as far as it is written; the name of each → the first of them."""
    engine = connect(database.app_url(DATABASE), pool_size=1)
    with engine.connect() as connection:
        held = connection.connection.driver_connection
        assert isinstance(held, psycopg.Connection)
        held.prepare_threshold, held.prepared_max, held.cursor_factory = 0, 1000, psycopg.Cursor

    def ask(
        wanted: Sequence[Invariant], *, wall: datetime, today: date, among: Sequence[tuple[int, int]] | None = None
    ) -> dict[str, list[str]]:
        planned_once = SHORT.set(True)
        try:
            with engine.connect() as connection:
                found = look(connection, wanted, wall=wall, today=today, among=among)
        finally:
            SHORT.reset(planned_once)
        return {one.number: one.sample for one in found if one.rows}

    yield ask
    engine.dispose()
