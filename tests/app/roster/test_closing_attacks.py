"""What hangs after the season says of nobody what his own page does not, and no old sheet stays unseen."""

from datetime import timedelta

from sqlalchemy import text

from app.access.roles import Role
from app.access.sessions import Officer
from app.flows.conflicts.bring_police import bring_police
from app.flows.due.quote import all_due, subjects
from app.flows.enter.accounts import add_agent
from app.flows.pay.start import Want
from app.flows.roster.closings import waiting_count
from app.policy.facts import Insurance
from tests.app.flows.test_police import a_list, line
from tests.app.flows.test_sponsors import funded, quoted
from tests.app.roster.hands import AFTER, PASSWORD, listed
from tests.app.roster.test_closing import ENDS, STARTS, closed, put_up
from tests.app.roster.test_post import agent_client, with_agent
from tests.builders import a_person, an_id_number
from tests.refunding import pay, rows

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


def test_whose_premium_a_sponsor_pays_whole_hangs_as_insured(running, district):
    """Whether anybody has opened his page or not; but the money of a promise counts once."""
    second = running.write(lambda c: a_person(c, id_number=an_id_number(sequence=77), household=district.household))
    funded(running, budget="400")
    assert quoted(running, district.adult.id).is_free and quoted(running, second).is_free
    running.turn(STARTS)

    closed(running, place=district.village)

    assert [stands_at(running, person) for person in (district.adult.id, second)] == [True, False], "320 of the 400"


def test_the_town_is_told_of_a_new_sheet_for_its_hall_when_the_village_has_hung_its_own(
    running, district, desk, with_agent
):
    _, hands, agent = with_agent
    running.turn(STARTS)
    closed(running, place=district.village)
    number, _, _, code = listed(running)
    lead, drawer = (Officer(0, login, b"", Role.TAX_LEAD) for login in ("lead01", "drawer"))
    mine = Officer(0, "town01", b"", Role.TOWN, towns=[district.village[:9]])
    assert [waiting_count(running.parts, who) for who in (lead, drawer, mine)] == [1, 0, 0], "another than who drew it"
    hands["lead"].post("/office/rosters/closing/agree", data={"closing": f"{number}:1"})
    assert put_up(agent, number, 1, code).status_code == 303
    town = hands["town"]
    assert [waiting_count(running.parts, who) for who in (lead, mine)] == [0, 1], "the hall has none yet"
    assert "大厅等您贴" in town.get("/office/rosters/closing/").text
    assert town.post(f"/office/rosters/closing/{number}/hang", data={"no": 1}).status_code == 303
    assert waiting_count(running.parts, mine) == 0
    running.turn(AFTER)
    pay(running, Want(district.adult.id, Insurance.RES_MEDICAL), key="late-key")
    assert closed(running, place=district.village)["drawn"] == 1
    hands["lead"].post("/office/rosters/closing/agree", data={"closing": f"{number}:2"})
    assert waiting_count(running.parts, mine) == 1, "a new sheet for the hall"

    assert put_up(agent, number, 2, code).status_code == 303, "the village has its new one"

    assert waiting_count(running.parts, mine) == 1, "in the hall hangs that who has paid has not"
    assert "大厅贴的是旧的一版" in town.get("/office/rosters/closing/").text.replace("镇便民服务", "")
    running.turn(ENDS)
    assert waiting_count(running.parts, mine) == 1, "to be taken down"
    for place in ("village", "hall"):
        assert town.post(f"/office/rosters/closing/{number}/down", data={"place": place}).status_code == 303
    assert waiting_count(running.parts, mine) == 0, "archived"


def test_a_village_whose_new_sheet_hangs_in_the_hall_alone_is_late_on_the_board(running, district, desk, with_agent):
    """The other way round: the office's board says 正在公示 while the village's wall has the old sheet."""
    _, hands, agent = with_agent
    running.turn(STARTS)
    closed(running, place=district.village)
    number, _, _, code = listed(running)
    lead, town = hands["lead"], hands["town"]
    lead.post("/office/rosters/closing/agree", data={"closing": f"{number}:1"})
    assert put_up(agent, number, 1, code).status_code == 303
    running.turn(AFTER)
    pay(running, Want(district.adult.id, Insurance.RES_MEDICAL), key="late-key")
    closed(running, place=district.village)
    lead.post("/office/rosters/closing/agree", data={"closing": f"{number}:2"})
    assert town.post(f"/office/rosters/closing/{number}/hang", data={"no": 2}).status_code == 303
    running.turn(AFTER + timedelta(days=5))
    page = lead.get("/office/rosters/closing/").text
    assert "超过三天" in page, "the village's wall says of who has paid that he has not, for five days"


def test_whom_we_forbid_to_pay_does_not_hang_as_one_who_has_not_paid(running, district, tmp_path):
    """The police say that he moved out, the register that he lives here: his page says 先不要交钱."""
    path = a_list(tmp_path / "a.xlsx", line(district.adult, "迁出"))
    assert bring_police(running.office, path).conflicts == {"RESIDENCE": 1}
    [subject] = subjects(running.parts, [district.adult.id])
    [due] = [d for d in all_due(running.parts, subject, at=running.parts.clocks.now()) if d.insurance == "RES_MEDICAL"]
    assert due.in_doubt and "先不要交钱" in due.text
    running.turn(STARTS)

    closed(running, place=district.village)

    assert stands_at(running, district.adult.id) is None
    version = running.one(
        "select v.* from closing_version v join closing c on c.id = v.closing_id where c.village_code = :v",
        v=district.village,
    )
    assert (version.done, version.owing, version.excluded) == (2, 0, 2), "counted among who is not listed"


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
