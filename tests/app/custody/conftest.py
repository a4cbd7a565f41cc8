"""A village that takes cash today, with a book of receipts, a roster in force, and an agent who is there."""

from types import SimpleNamespace

import pytest

from app.access.roles import Role
from app.flows.custody import books, switch
from app.flows.custody.take import Asked, take
from app.flows.enter.accounts import add_agent
from app.flows.pay.start import Want
from app.policy.facts import Insurance
from payments.truths.invariants import INVARIANTS
from tests.app.flows.conftest import IN_TIME
from tests.app.flows.test_erase import superuser
from tests.app.flows.test_helped_pages import desk
from tests.app.roster.hands import PASSWORD, a_session, an_officer
from tests.app.web.conftest import browser, district, far_folder, running
from tests.builders import a_household, a_person, an_id_number
from tests.rosters import in_force
from tests.watching import broken

__all__ = ["broken", "browser", "desk", "district", "far_folder", "running", "superuser"]
MEDICAL = Insurance.RES_MEDICAL


class Village:
    """Hands that take cash in 示例村."""

    def __init__(self, running, district):
        self.running, self.district = running, district
        self.clerk = SimpleNamespace(token_hash=an_officer(running, Role.TAX_CLERK).session)
        self.town = SimpleNamespace(token_hash=an_officer(running, Role.TOWN, towns=[district.village[:9]]).session)
        self.agent = self.an_agent("agent01")
        self.others = [self._somebody(sequence) for sequence in (31, 33, 35)]
        in_force(running, district.village)
        books.give_book(running.parts, district.village, year=2022, first="101", last="103", by=self.clerk)
        switch.switch(running.parts, [district.village], running.parts.clocks.today(), on=True, by=self.town)

    def an_agent(self, login):
        number = add_agent(
            self.running.office, login=login, name="王代办", password=PASSWORD, villages=[self.district.village]
        )
        return SimpleNamespace(
            token_hash=a_session(self.running, "agent_id", number), agent=SimpleNamespace(id=number, login=login)
        )

    def _somebody(self, sequence):
        def made(connection):
            house = a_household(connection, village=self.district.village, number=f"09{sequence}")
            return a_person(connection, id_number=an_id_number(sequence=sequence), household=house)

        return SimpleNamespace(id=self.running.write(made))

    def wants(self, *people):
        return [Want(each.id, MEDICAL, levy_year=2022) for each in people or (self.district.adult,)]

    def take(self, *people, key="a-request-key", by=None, total=None):
        wants = self.wants(*people)
        total = 32000 * len(wants) if total is None else total
        return take(self.running.parts, Asked(wants, total, key), by=by or self.agent)


@pytest.fixture
def village(running, district, broken):
    """At the end all that must hold of the book holds."""
    yield Village(running, district)
    timeless = [
        one for number, one in INVARIANTS.items() if number not in IN_TIME | {"INV-81"}
    ]  # somebody of the district was put in by hand
    clocks = running.parts.clocks
    assert broken(timeless, wall=clocks.wall(), today=clocks.today()) == {}
