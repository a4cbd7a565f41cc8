"""What must not happen to a list that hangs, or to whoever objects to it."""

import io
import re
from datetime import datetime, timedelta

import pypdfium2
import pytest
from sqlalchemy import text

from app.access.roles import Role
from app.flows.conflicts.bring_police import bring_police
from app.flows.keep.addresses import found_of
from app.flows.roster.post import own, poster, ripen
from core.clock import BEIJING, beijing
from tests.app.flows.test_police import a_list as a_police_list
from tests.app.flows.test_police import line
from tests.app.roster.hands import drawn, offices, stand, to_the_agent
from tests.app.roster.test_post import HERE, agent_client, code_of, hang, resident, with_agent
from tests.builders import a_person, an_id_number
from tests.refunding import rows

__all__ = ["agent_client", "with_agent"]


def words_of(answer):
    return pypdfium2.PdfDocument(io.BytesIO(answer.data))[0].get_textpage().get_text_bounded()


def over(running, district, with_agent):
    """The three days are over, somebody was added, and the next version is drawn."""
    roster, _, agent = with_agent
    assert hang(agent, roster, code_of(running, roster)).status_code == 303
    running.turn(running.one("select ends_at from roster_posting").ends_at + timedelta(hours=9))
    assert ripen(running.parts) == 1
    running.write(
        lambda c: a_person(c, id_number=an_id_number(sequence=70), name="钱补登", household=district.household)
    )
    assert drawn(running, place=district.village)["drawn"] == 1
    assert stand(running)[1:] == (2, "AMENDING")


def in_force(running, district, with_agent):
    over(running, district, with_agent)
    roster, hands, _ = with_agent
    here = f"/office/rosters/{roster}"
    assert hands["town"].post(f"{here}/report", data={"no": 2}).status_code == 303
    for who, step in (("lead", "TAX_CONFIRMED"), ("hrss", "EFFECTIVE")):
        assert hands[who].post(f"{here}/sign", data={"roster": f"{roster}:2:{step}"}).status_code == 303
    return code_of(running, roster, 2)


def test_who_telephoned_the_town_about_a_list_is_not_named_to_the_agent(running, district, with_agent):
    roster, hands, agent = with_agent
    hang(agent, roster, code_of(running, roster))
    said = {"words": "代办员把自己家的人写上了", "contact": "三组赵某来电"}
    assert hands["town"].post(f"/office/rosters/objections/of/{roster}", data=said).status_code == 303

    assert "三组赵某" not in agent.get(f"/agent/rosters/{roster}").text


def test_a_version_that_nobody_has_confirmed_is_not_printed_as_a_poster(running, district, with_agent):
    over(running, district, with_agent)
    roster, _, agent = with_agent

    answer = agent.get(f"/agent/rosters/{roster}/poster-a4.pdf")

    assert answer.status_code == 404, words_of(answer)[:200]


def test_a_poster_printed_again_says_the_days_on_which_the_list_hangs(running, district, with_agent):
    roster, _, agent = with_agent
    running.turn(datetime(2021, 10, 22, 15, tzinfo=BEIJING))
    hang(agent, roster, code_of(running, roster))
    running.turn(datetime(2021, 10, 25, 20, tzinfo=BEIJING))

    assert "公示到 10月25日24时" in words_of(agent.get(f"/agent/rosters/{roster}/poster-a4.pdf"))


def test_a_list_that_is_over_is_not_printed_as_if_it_hung(running, district, with_agent):
    roster, _, agent = with_agent
    hang(agent, roster, code_of(running, roster))
    running.turn(running.one("select ends_at from roster_posting").ends_at + timedelta(days=30))
    ripen(running.parts)

    assert agent.get(f"/agent/rosters/{roster}/poster-a4.pdf").status_code == 404


def test_whom_to_tell_is_written_without_an_identity_number(running, district, with_agent):
    roster, hands, agent = with_agent
    hang(agent, roster, code_of(running, roster))
    said = {"words": "名单上少了一户人家", "contact": f"赵某 {district.adult.id_number}"}

    at_town = hands["town"].post(f"/office/rosters/objections/of/{roster}", data=said)
    at_agent = agent.post(f"/agent/rosters/{roster}/objections", data=said)

    assert (at_town.status_code, at_agent.status_code) == (400, 400)


def test_a_full_phone_of_who_objected_is_read_for_a_written_reason_only(running, district, desk, with_agent):
    roster, hands, agent = with_agent
    hang(agent, roster, code_of(running, roster))
    said = {"words": "名单上少了一户人家", "contact": "赵某 13900000008"}
    hands["town"].post(f"/office/rosters/objections/of/{roster}", data=said)
    clerk, auditor = desk("clerk77", Role.TAX_CLERK), desk("audit77", Role.AUDITOR)

    for who in (clerk, auditor, agent):
        for page in ("/office/rosters/objections/", f"/office/rosters/{roster}", f"/agent/rosters/{roster}"):
            assert "13900000008" not in who.get(page).text
    assert rows(running, "select 1 from disclosure") == []


def test_what_was_changed_hangs_as_long_as_its_poster_says(running, district, with_agent):
    code, anybody = in_force(running, district, with_agent), running.app.test_client()
    [row] = own(running.parts, HERE)
    until = poster(running.parts, row, on=running.parts.clocks.today()).until
    running.turn(datetime(until.year, until.month, until.day, 23, tzinfo=BEIJING))

    assert anybody.get(f"/posted/{code}").status_code == 200, beijing(running.parts.clocks.now())


def test_what_was_changed_hangs_its_days_though_another_version_is_drawn(running, district, with_agent):
    code, anybody = in_force(running, district, with_agent), running.app.test_client()
    assert anybody.get(f"/posted/{code}").status_code == 200
    running.turn(running.parts.clocks.now() + timedelta(hours=2))
    running.write(lambda c: c.execute(text("update person set alive = false where id = :p"), {"p": district.elder.id}))
    assert drawn(running)["drawn"] >= 1 and stand(running)[1:] == (3, "AMENDING")

    assert anybody.get(f"/posted/{code}").status_code == 200


@pytest.mark.parametrize("asked", ["_external=1&_scheme=javascript", "_anchor=elsewhere", "endpoint=x"])
def test_what_is_looked_for_never_becomes_an_address(running, district, desk, with_agent, asked):
    lead = with_agent[1]["lead"]
    drawn(running, ("RES_PENSION",))

    page = lead.get(f"/office/rosters/?{asked}")

    assert page.status_code == 200
    assert "javascript:" not in page.text and "#elsewhere" not in page.text


def test_a_number_that_no_roster_can_have_is_none(running, district, with_agent):
    home = resident(running, district.adult)
    assert home.post(f"/lists/{10**20}", data={"words": "名单上没有我爸"}).status_code == 404


def test_the_message_of_an_answer_goes_with_whoever_objected_when_she_is_erased(running, district, desk, with_agent):
    """A daughter in the next village looks after her father's list: her phone lies with her own household."""
    roster, _, agent = with_agent
    daughter = resident(running, district.neighbour)
    named = {"name": district.adult.name, "id_number": district.adult.id_number, "agreed": "1", "whose": "other"}
    assert daughter.post("/who", data=named).status_code == 303
    own = text("update resident_person set own = (person_id = :p)")
    running.write(lambda c: c.execute(own, {"p": district.neighbour.id}))
    hang(agent, roster, code_of(running, roster))
    assert daughter.post(f"/lists/{roster}", data={"words": "名单上没有我爸"}).status_code == 303
    number = running.one("select id from roster_objection").id
    words = {"words": "查过了，登记里补上", "accepted": "yes"}
    doctor = desk("med01", Role.MEDICAL)
    assert doctor.post(f"/office/rosters/objections/{number}/answer", data=words).status_code == 303
    told = running.one("select cause, phone is not null as phone from notice where cause like 'objection:%'")

    with running.office.engine.begin() as connection:
        found = found_of(running.office, connection, district.neighbour.id)

    assert told.phone and told.cause in found["notices"]


def test_whose_death_is_disputed_stays_on_the_list_until_an_office_has_decided(running, district, desk, tmp_path):
    """The police's file struck a living man off the next version; who signed saw nothing of the office's word."""
    hands = offices(desk)
    drawn(running)
    roster, _, _ = stand(running)
    to_the_agent(running, hands, roster, 1)
    path = a_police_list(tmp_path / "a.xlsx", line(district.adult, "死亡"))
    assert bring_police(running.office, path).conflicts == {"ALIVE": 1}
    here = f"/office/rosters/{roster}"
    assert "登记又变了" not in hands["lead"].get(here).text

    number = running.one("select id from conflict").id
    said = {"word": "police", "why": "家属来说的，有证明"}
    assert hands["hrss"].post(f"/office/conflicts/{number}/solve", data=said).status_code == 303

    assert "有 1 人要加上或者去掉" in hands["lead"].get(here).text


def test_who_drew_what_was_put_right_is_not_offered_to_confirm_it(running, district, with_agent):
    roster, hands, agent = with_agent
    hang(agent, roster, code_of(running, roster))
    running.turn(running.one("select ends_at from roster_posting").ends_at)
    ripen(running.parts)
    running.write(
        lambda c: a_person(c, id_number=an_id_number(sequence=70), name="钱补登", household=district.household)
    )
    drawn(running, by="staff:lead01", place=district.village)
    assert hands["town"].post(f"/office/rosters/{roster}/report", data={"no": 2}).status_code == 303
    page = hands["lead"].get(f"/office/rosters/{roster}").text

    home = re.sub(r"<[^>]+>", "", hands["lead"].get("/office/").text)
    assert f"{roster}:2:TAX_CONFIRMED" not in page
    [others] = running.one("select count(*) from roster where state = 'GENERATED'")
    assert f"{others}份清册等您办" in home.replace("\n", ""), "those of other villages alone"
    answer = hands["lead"].post(f"/office/rosters/{roster}/sign", data={"roster": f"{roster}:2:TAX_CONFIRMED"})
    assert answer.status_code in (403, 409)


def test_a_flood_of_guesses_is_refused_and_closes_the_page_for_nobody(running, district, with_agent):
    """A whole village may come by one address: only what is no code counts."""
    roster, _, agent = with_agent
    code, anybody = code_of(running, roster), running.app.test_client()
    hang(agent, roster, code)

    assert {anybody.get(f"/posted/{code}").status_code for _ in range(70)} == {200}
    assert anybody.get(f"/posted/{'0' * 12}").status_code == 404, "nothing was counted"
    guesses = [anybody.get(f"/posted/{n:012d}").status_code for n in range(70)]
    assert set(guesses) == {404, 429} and guesses[-1] == 429
    assert anybody.get(f"/posted/{code}").status_code == 200
