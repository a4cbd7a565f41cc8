"""A village's agent collects for whoever is on its roster in force, and nobody else (R38); anybody pays himself."""

from datetime import timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from app.access.roles import Role
from app.flows.due.quote import AGENT, SELF
from app.flows.enter.accounts import add_agent
from app.flows.pay.start import Kind, NotPayable, OnNoRoster, Payer, Want, start_payment
from app.flows.roster import move
from app.flows.roster.post import ripen
from app.flows.village.people import villagers
from app.policy.facts import Insurance
from app.registry.rosters import Stage
from payments.truths.invariants import INVARIANTS
from tests.app.roster.hands import PASSWORD, hung
from tests.app.roster.test_post import agent_client
from tests.browsing import Page
from tests.builders import a_bill, a_household, a_person, a_started_payment, an_id_number
from tests.refunding import rows, state
from tests.rosters import in_force
from tests.system import eventually
from tests.watching import broken

__all__ = ["broken"]
MEDICAL, PENSION = Insurance.RES_MEDICAL, Insurance.RES_PENSION
COLLECTED = [INVARIANTS["INV-141"], INVARIANTS["INV-142"]]


@pytest.fixture
def agent(running, district, desk):
    both = [district.village, district.other_village]
    return add_agent(running.office, login="agent01", name="王代办", password=PASSWORD, villages=both)


@pytest.fixture
def begin(running, agent):
    """A payment begun by the agent; the reason if it is none."""

    def act(*wants, by=None, channel=AGENT, key):
        payer = Payer(by or f"agent:{agent}", channel, "wechat", Kind.NATIVE)
        try:
            return start_payment(running.parts, wants, payer, request_key=f"collected-{key}")
        except NotPayable as refused:
            return refused.reason

    return act


@pytest.fixture
def holds(running, broken):
    """What was collected was on the roster that was in force then."""
    clocks = running.parts.clocks
    return lambda: broken(COLLECTED, wall=clocks.wall(), today=clocks.today()) == {}


def written(running, number):
    """By which version each item of a payment was collected."""
    found = rows(running, "select roster_no from payment_bill where number = :n order by bill_id", n=number)
    return [row.roster_no for row in found]


def test_an_agent_collects_from_the_moment_in_which_his_villages_roster_is_in_force(
    running, district, agent, begin, holds
):
    adult, medical = district.adult.id, Want(district.adult.id, MEDICAL)
    roster, who = hung(running, agent)
    running.turn(running.one("select ends_at from roster_posting").ends_at + timedelta(hours=9))
    ripen(running.parts)
    for role, stage in ((Role.TOWN, Stage.REPORTED), (Role.TAX_LEAD, Stage.TAX_CONFIRMED)):
        move.sign(running.parts, {roster: 1}, stage, by=who[role])
    page = agent_client(running).get(f"/agent/villages/{district.village}").text
    assert "居民医保的清册：税务确认了，等人社确认；居民养老的清册：税务分局还没有出" in page
    assert "清册没生效，村里还不能收" in page and "清册上没有" not in page
    assert begin(medical, key="one moment before") == "AGENT_NO_ROSTER"
    assert begin(medical, Want(adult, PENSION, 300_00), key="both") == "AGENT_NO_ROSTER"
    elder = begin(Want(district.elder.id, MEDICAL), key="nothing to pay")
    assert elder.state == "settled", "what costs nothing is not collected: no list keeps anybody from being insured"
    own = begin(Want(adult, PENSION, 300_00), by="account:1", channel=SELF, key="own phone")
    assert own.state == "pending" and written(running, own.number) == [None]

    move.sign(running.parts, {roster: 1}, Stage.EFFECTIVE, by=who[Role.HRSS])

    begun = begin(medical, key="in force")
    assert begun.checkout and written(running, begun.number) == [1]
    assert begin(medical, key="on his other telephone").number == begun.number
    assert begin(Want(adult, PENSION, 500_00), key="other insurance") == "AGENT_NO_ROSTER"
    assert begin(Want(district.neighbour.id, MEDICAL), key="other village") == "AGENT_NO_ROSTER"
    assert holds()


def test_of_a_family_who_is_not_on_it_pays_himself_and_the_others_are_collected(running, district, agent, begin, holds):
    in_force(running)
    late = running.write(
        lambda c: a_person(c, id_number=an_id_number(sequence=70), name="钱补登", household=district.household)
    )
    client = agent_client(running)
    listed = Page(200, "", client.get(f"/agent/villages/{district.village}").text)
    assert "清册生效以前" not in listed.text
    few = Page(200, "", client.get(listed.link("清册上没有 1 人")).text)
    assert "钱补登" in few.text and district.adult.name not in few.text

    page = Page(200, "", client.get(few.link("钱补登")).text)

    assert "清册上没有" in page.text and "该在清册上的，请反映" in page.text and "一共 320 元" not in page.text
    assert len(page.values("item")) == 1, "the adult's; the late one's cannot be ticked"
    case = client.get(page.link("反映一下")).text
    assert 'value="NOT_LISTED:RES_MEDICAL" required checked' in case and "钱补登（0001户）登记了" in case
    assert client.get(page.link("打印这一户的纸条")).status_code == 200
    medical = [Want(district.adult.id, MEDICAL), Want(late, MEDICAL)]
    assert begin(*medical, key="all of them") == "AGENT_NOT_LISTED"
    begun = begin(*medical[:1], Want(district.adult.id, PENSION, 300_00), key="the others")
    assert begun.amount == 620_00 and written(running, begun.number) == [1, 1]
    assert begin(medical[1], by="account:2", channel=SELF, key="himself").amount == 320_00
    assert holds()


def test_who_falls_off_the_list_pays_by_the_code_that_is_out_and_gets_no_other(running, district, agent, begin, holds):
    in_force(running)
    medical = Want(district.adult.id, MEDICAL)
    begun = begin(medical, key="on the list")
    gone = "update enrolment set status = 'ENDED' where person_id = :p and insurance = 'RES_MEDICAL'"
    running.write(lambda c: c.execute(text(gone), {"p": district.adult.id}))
    in_force(running, district.village)
    again = gone.replace("ENDED", "NORMAL")
    running.write(lambda c: c.execute(text(again), {"p": district.adult.id}))

    assert begin(medical, key="off the list") == "AGENT_NOT_LISTED"
    assert running.outside.pay(begun.checkout.code_url).status == 200
    eventually(lambda: state(running, begun.number) == "paid")
    assert holds()


def test_who_moved_away_is_the_former_agents_no_more_and_on_no_list_of_the_new_one(running, district, agent, begin):
    in_force(running)
    home = running.write(lambda c: a_household(c, village=district.other_village, number="0009"))
    moved = text("update person set household_id = :h where id = :p")
    running.write(lambda c: c.execute(moved, {"h": home, "p": district.adult.id}))

    assert begin(Want(district.adult.id, MEDICAL), key="moved") == "AGENT_NOT_LISTED"
    lines, _ = villagers(running.parts, district.other_village)
    assert {line.subject.name: line.words for line in lines} == {
        district.adult.name: "清册上没有，村里不能收",
        district.neighbour.name: "还没交",
    }


def test_the_database_looks_itself_whom_an_agent_collects_for(running, district, agent):
    in_force(running)
    late = running.write(
        lambda c: a_person(c, id_number=an_id_number(sequence=70), name="钱补登", household=district.household)
    )
    stranger = add_agent(
        running.office, login="agent09", name="赵代办", password=PASSWORD, villages=[district.other_village]
    )

    def hold(person, by, **memo):
        """By the application's own role, past every flow."""
        with running.parts.engine.connect() as connection:
            bill = a_bill(connection, household_id=district.household, person_id=person)
            attempt = a_started_payment(connection, bill, started_by=by, memo=memo)
            asked = text("select roster_no from payment_bill where number = :n")
            return connection.execute(asked, {"n": attempt.number}).scalar_one()

    asked = {"by_roster": [2022]}
    assert hold(district.adult.id, f"agent:{agent}", **asked) == 1
    for person, by in ((late, agent), (district.adult.id, stranger)):
        with pytest.raises(DBAPIError, match="on no roster") as refused:
            hold(person, f"agent:{by}", **asked)
        assert refused.value.orig.sqlstate == "LX154"
    assert hold(late, f"agent:{agent}") is None, "a process of the version before goes on"
    assert hold(late, "account:1", **asked) is None


def test_on_a_clock_that_was_set_back_to_before_it_was_in_force_nobody_collects(running, district, agent, begin, holds):
    """An exercise sets it so: the database asks what the truth asks."""
    in_force(running)
    running.turn(running.parts.clocks.now() - timedelta(hours=2))

    with pytest.raises(OnNoRoster):
        begin(Want(district.adult.id, MEDICAL), key="set-back")
    assert holds()
