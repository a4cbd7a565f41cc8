"""The second wall: whatever a page asks, the database shows an agent his villages and an official his towns."""

from types import SimpleNamespace

import pytest
from sqlalchemy import create_engine, text

from app.access.roles import Role
from app.flows.pay.start import Want
from app.flows.roster.close import close
from app.flows.roster.draw import Asked, draw
from app.policy.facts import Insurance
from core.db import EVERYWHERE, PLACES
from migrations.guards import SCOPED, missing_guards
from tests.app.roster.hands import AFTER
from tests.app.web.conftest import an_agent, browser, district, far_folder, running
from tests.app.web.test_office_people import at_desk
from tests.refunding import agreed, pay

__all__ = ["an_agent", "browser", "district", "far_folder", "running"]

MEDICAL = Insurance.RES_MEDICAL
EMPTY = (
    "proof",
    "door_note",
    "special_batch",
    "special_row",
    "roster_odd",
    "roster_posting",
    "roster_change",
    "roster_objection",
)
CASH = ("receipt_book", "cash_switch", "receipt", "cash_batch", "cash_slip")  # of a village of their own


@pytest.fixture
def places():
    """Turns this thread's scope; everything again afterwards."""
    yield PLACES.set
    PLACES.set(EVERYWHERE)


def count(running, table):
    with running.parts.engine.connect() as connection:
        return connection.execute(text(f"select count(*) from {table}")).scalar_one()


def test_each_table_shows_one_place_and_hides_the_other(running, district, places):
    for person in (district.adult, district.neighbour):
        agreed(running.parts, pay(running, Want(person.id, MEDICAL), key=f"key-{person.id}"))
    draw(running.office, Asked(2022, ("RES_MEDICAL",)), by="staff:a1")
    running.turn(AFTER)
    close(running.office, Asked(2022, ("RES_MEDICAL",)), by="staff:a1")
    whole = {table: count(running, table) for table in SCOPED if table not in (*EMPTY, *CASH)}
    assert min(whole.values()) >= 2

    for scope, other in ((district.village, district.other_village), (district.other_village, district.village)):
        places(scope)
        seen = {table: count(running, table) for table in whole}
        places(other)
        rest = {table: count(running, table) for table in whole}
        assert {table: seen[table] + rest[table] for table in whole} == whole
        assert all(0 < seen[table] < whole[table] for table in whole)
    places(district.village[:9])
    assert {table: count(running, table) for table in whole} == whole, "a town is all its villages"
    for nothing in ("", "none", "**", "*,x", "' or 1=1 --", "370404103", "37", "%"):
        places(nothing)
        assert (count(running, "person") > 0) is (nothing == district.village[:9])


def test_nothing_of_another_place_can_be_written(running, district, places):
    places(district.village)
    with running.office.engine.begin() as connection:
        wanted = {"id": district.neighbour.id}
        assert connection.execute(text("update person set alive = false where id = :id"), wanted).rowcount == 0
    with pytest.raises(Exception, match="row-level security"), running.parts.engine.begin() as connection:
        household = connection.execute(text("select household_id from person limit 1")).scalar_one() + 1000
        connection.execute(
            text("insert into notice (household_id, cause, kind, fields) values (:household, 'x', 'paid', '{}')"),
            {"household": household},
        )


def test_a_door_that_forgets_to_ask_still_shows_nothing(running, district, browser, an_agent, monkeypatch):
    """The first wall is taken away: every village is the agent's own, and the database shows his all the same."""
    browser.log_in(*an_agent)
    everything = type("All", (frozenset,), {"__contains__": lambda self, _one: True})()
    monkeypatch.setattr("app.web.agent.households.agent", lambda: SimpleNamespace(villages=everything, login="wang"))

    page = browser.get(f"/agent/villages/{district.other_village}")

    assert district.neighbour.name not in page.html


def test_one_visitor_after_the_other_sees_his_own(running, district, browser, an_agent):
    """Threads and connections are used again: nothing of the former visitor stays."""
    official = at_desk(running, Role.TOWN, "town01", [district.village[:9]])
    clerk = at_desk(running, Role.TAX_CLERK, "clerk01")
    browser.log_in(*an_agent)

    for _ in range(8):
        assert "邻家村" not in browser.get("/agent/").text
        assert "邻家村" in official.get("/office/progress/").text
        assert "邻家村" in clerk.get("/office/progress/").text
        assert browser.get("/").status == 200


def test_the_wall_is_among_the_guards(running, database):
    owner = database.admin_url().replace("/postgres?", "/liangxian_test?")
    engine = create_engine(owner.replace("postgresql://", "postgresql+psycopg://", 1))
    with engine.connect() as connection:
        assert missing_guards(connection) == []
        connection.execute(text("alter table payment disable row level security"))
        assert missing_guards(connection) == ["row security on payment"]
        connection.rollback()
        connection.execute(text("alter policy places on bill using (coalesce(current_setting('x', true), '') = '')"))
        assert missing_guards(connection) == ["row security on bill"]
        connection.rollback()
    engine.dispose()
