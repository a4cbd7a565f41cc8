"""What hangs after the season says of nobody what his own page does not, and no old sheet stays unseen."""

from sqlalchemy import text

from app.access.roles import Role
from app.flows.due.quote import all_due, subjects
from app.flows.enter.accounts import add_agent
from app.policy.facts import Insurance
from tests.app.roster.hands import PASSWORD, listed
from tests.app.roster.test_closing import STARTS, closed, put_up
from tests.app.roster.test_post import agent_client, with_agent
from tests.builders import a_person, an_id_number
from tests.refunding import rows

__all__ = ["with_agent"]
PENSION = Insurance.RES_PENSION


def stands_at(running, person, insurance="RES_MEDICAL"):
    """True: insured; False: not yet; None: in neither column."""
    found = rows(
        running,
        "select w.done from closing_row w join closing c on c.id = w.closing_id and c.no = w.no"
        " where w.person_id = :p and c.insurance = :i",
        p=person,
        i=insurance,
    )
    return found[0].done if found else None


def test_whose_page_says_that_he_pays_nothing_does_not_hang_as_one_who_has_not_paid(running, district):
    """A poor man who chose 300 himself last year: this year's page says 不用交 (D16), whatever he chose then."""
    poor = {
        tier: running.write(
            lambda c, at=at: a_person(
                c, id_number=an_id_number(sequence=80 + at), household=district.household, categories=("DIBAO",)
            )
        )
        for at, tier in enumerate((None, 100_00, 300_00))
    }
    told = text("update enrolment set last_tier = :t where person_id = :p and insurance = 'RES_PENSION'")
    for tier, person in poor.items():
        running.write(lambda c, t=tier, p=person: c.execute(told, {"t": t, "p": p}))
    for person in subjects(running.parts, list(poor.values())):
        [due] = [d for d in all_due(running.parts, person, at=running.parts.clocks.now()) if d.insurance is PENSION]
        assert due.is_free, "his page: nothing to pay"
    running.turn(STARTS)

    closed(running, ("RES_PENSION",), place=district.village)

    assert {tier: stands_at(running, person, "RES_PENSION") for tier, person in poor.items()} == dict.fromkeys(
        poor, True
    )


def test_nobody_of_another_place_has_anything_of_a_list(running, district, desk, with_agent):
    roster, hands, agent = with_agent
    running.turn(STARTS)
    closed(running, place=district.village)
    number, _, _, code = listed(running)
    hands["lead"].post("/office/rosters/closing/agree", data={"closing": f"{number}:1"})
    assert put_up(agent, number, 1, code).status_code == 303
    step = running.one("select id from closing_step where what = 'HUNG'").id
    running.write(lambda c: c.execute(text("insert into town (code, name) values ('370404104', '他镇')")))
    other = desk("town09", Role.TOWN, towns=["370404104"])
    add_agent(running.office, login="agent09", name="别村", password=PASSWORD, villages=[district.other_village])
    far = agent_client(running, "agent09")
    here = f"/office/rosters/closing/{number}"
    for path in (here, f"{here}/photo/{step}", f"{here}/poster-a4.pdf", f"/office/rosters/{roster}/archive.pdf"):
        assert other.get(path).status_code == 404, path
        assert hands["town"].get(path).status_code == 200, path
    assert other.post(f"{here}/hang", data={"no": 1}).status_code == 404
    assert other.post(f"{here}/down", data={"place": "hall"}).status_code == 404
    assert far.get(f"/agent/rosters/closings/{number}").status_code == 404
    assert far.get(f"/agent/rosters/closings/{number}/poster-a4.pdf").status_code == 404
    assert put_up(far, number, 1, code).status_code == 404
    assert "示例村" not in other.get("/office/rosters/closing/").text
