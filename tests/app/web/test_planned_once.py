"""A look-up by key is planned once a connection; an office's list is planned for the values it asks for."""

import pytest
from sqlalchemy import event

from tests.app.web.test_api import Api
from tests.app.web.test_office import PASSWORD, client_of
from tests.app.web.test_office_people import at_desk

__all__ = ["PASSWORD", "client_of"]


@pytest.fixture
def modes(running):
    """How the database plans each statement that is run, as it says itself."""
    seen = set()

    def ask(connection, *_rest) -> None:
        seen.add(connection.connection.dbapi_connection.execute("show plan_cache_mode").fetchone()[0])

    event.listen(running.parts.engine, "before_cursor_execute", ask)
    yield seen
    event.remove(running.parts.engine, "before_cursor_execute", ask)


def test_a_resident_asks_by_key_and_an_office_does_not(running, district, modes):
    clerk, api = at_desk(running, "tax_clerk", "clerk01"), Api(running)
    api.look_up(district.adult)

    for ask, mode in (
        (lambda: api.get("/due"), "force_generic_plan"),
        (lambda: clerk.get("/office/progress/"), "auto"),
        (lambda: api.get("/payments"), "force_generic_plan"),
    ):
        modes.clear()
        assert ask().status_code == 200
        assert modes == {mode}

    modes.clear()
    with running.parts.engine.connect() as connection:
        connection.exec_driver_sql("select 1")
    assert modes == {"auto"}, "what a request was like ends with it"
