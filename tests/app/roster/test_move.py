"""A roster from hand to hand: signed by different people at the version they saw, sent back with rows, issued,
handed to an agent who is active."""

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from app.access.roles import Role
from app.flows.enter.accounts import add_agent
from app.flows.keep import erase
from tests.app.roster.hands import PASSWORD, broken, drawn, offices, said, stand, to_the_agent
from tests.builders import a_household, a_person, an_id_number
from tests.refunding import rows


def test_two_offices_sign_the_town_hands_it_to_an_active_agent(running, district, desk):
    hands = offices(desk)
    drawn(running)
    roster, _, _ = stand(running)
    board = hands["lead"].get("/office/rosters/").text
    assert f'value="{roster}:1:TAX_REVIEWED" checked' in board and "份清册等您办" in hands["lead"].get("/office/").text
    ticked = {
        "roster": [f"{roster}:1:TAX_REVIEWED", f"{stand(running, district.other_village)[0]}:1:TAX_REVIEWED", "x:1"]
    }
    assert hands["lead"].post("/office/rosters/sign", data=ticked).status_code == 303
    assert stand(running, district.other_village)[2] == "TAX_REVIEWED"
    here = f"/office/rosters/{roster}"
    twice = hands["lead"].post(f"{here}/sign", data={"roster": f"{roster}:1:TAX_REVIEWED"})
    assert twice.status_code == 409 and "看一遍再办" in said(twice)
    assert hands["lead"].post(f"{here}/sign", data={"roster": f"{roster}:1:HRSS_REVIEWED"}).status_code == 404
    assert hands["hrss"].post(f"{here}/sign", data={"roster": f"{roster}:2:HRSS_REVIEWED"}).status_code == 409
    assert hands["hrss"].post(f"{here}/sign", data={"roster": f"{roster}:1:HRSS_REVIEWED"}).status_code == 303
    assert hands["town"].post(f"{here}/hand", data={"no": 1, "agent": 1}).status_code in (404, 409)
    assert hands["lead"].post(f"{here}/sign", data={"roster": f"{roster}:1:ISSUED_TO_TOWN"}).status_code == 303
    assert "还没有在岗的代办员" in hands["town"].get(here).text
    gone = add_agent(running.office, login="gone", name="离岗", password=PASSWORD, villages=[district.village])
    far = add_agent(running.office, login="far", name="别村", password=PASSWORD, villages=[district.other_village])
    good = add_agent(running.office, login="good", name="王代办", password=PASSWORD, villages=[district.village])
    running.write(lambda c: c.execute(text("update agent set active = false where id = :a"), {"a": gone}))
    for agent in (gone, far, 0, ""):
        assert hands["town"].post(f"{here}/hand", data={"no": 1, "agent": agent}).status_code == 404
    assert hands["town"].post(f"{here}/hand", data={"no": 1, "agent": good}).status_code == 303
    page = hands["town"].get(here).text
    assert "在代办员手里" in page and "王代办" in page and broken(running) == []
    assert drawn(running)["busy"] == 2 and stand(running)[1:] == (1, "WITH_AGENT")
    running.write(lambda c: a_household(c, village="370404104901"))
    other = desk("town09", Role.TOWN, towns=["370404104"])
    assert other.get(here).status_code == 404 and "今年还没有出清册" in other.get("/office/rosters/").text
    assert "示例村" in desk("audit01", Role.AUDITOR).get("/office/rosters/").text


def test_sent_back_with_rows_and_a_reason_it_is_drawn_anew_and_signed_anew(running, district, desk):
    hands = offices(desk)
    drawn(running)
    roster, _, _ = stand(running)
    here = f"/office/rosters/{roster}"
    hands["lead"].post(f"{here}/sign", data={"roster": f"{roster}:1:TAX_REVIEWED"})
    bare = hands["hrss"].post(f"{here}/back", data={"no": 1, "why": " ", "row": [district.poor.id]})
    assert bare.status_code == 400 or bare.status_code == 422
    assert f'value="{district.poor.id}" checked' in bare.text, "what was ticked stays"
    sent = {"no": 1, "why": "这两户已经迁走", "row": [district.poor.id, district.neighbour.id, "x"]}
    assert hands["hrss"].post(f"{here}/back", data=sent).status_code == 303
    step = rows(running, "select * from roster_step where what = 'SENT_BACK'")[0]
    assert step.people == [district.poor.id] and "迁走".encode() not in bytes(step.words), "only rows of this village"
    page = hands["lead"].get(here).text
    assert "这两户已经迁走" in page and "退回了，等重新出" in page and "审过</button>" not in page
    assert hands["hrss"].post(f"{here}/back", data=sent).status_code in (404, 409)

    assert drawn(running, place=district.village)["drawn"] == 1, "a new version, though the register says the same"
    assert stand(running)[1:] == (2, "GENERATED")
    assert hands["hrss"].post(f"{here}/sign", data={"roster": f"{roster}:2:HRSS_REVIEWED"}).status_code == 409
    to_the_agent(running, hands, roster, 2)
    running.write(
        lambda c: a_person(c, id_number=an_id_number(sequence=60), name="后来人", household=district.household)
    )
    assert hands["town"].post(f"{here}/back", data={"no": 2, "why": "名单少一户"}).status_code == 303
    drawn(running, place=district.village)
    compared = hands["lead"].get(f"{here}/compare").text
    assert "后*人" in compared.partition("少了的")[0] and broken(running) == []
    assert hands["lead"].get(f"{here}?no=1").status_code == 200
    why = {"ground": "asked", "reason": "本人书面申请，见申请表", "by": "staff:a"}
    erase.agree(running.office, erase.ask(running.office, id_number=district.poor.id_number, **why), by="staff:b")
    said_of = rows(running, "select words is not null as there from roster_step where what = 'SENT_BACK' order by id")
    assert [row.there for row in said_of] == [False, True], "of who was erased, and of nobody else"


def test_nobody_signs_twice_nor_what_he_drew_and_the_medical_bureau_signs_where_the_year_says_so(
    running, district, desk
):
    hands, doctor = offices(desk), desk("med01", Role.MEDICAL)
    drawn(running, by="staff:lead01", medical=True)
    roster, _, _ = stand(running)
    here = f"/office/rosters/{roster}"
    own = hands["lead"].post(f"{here}/sign", data={"roster": f"{roster}:1:TAX_REVIEWED"})
    assert own.status_code == 403 and "请换一个人" in said(own)
    clerk = desk("clerk01", Role.TAX_CLERK)
    for who, step, status in (
        (clerk, "TAX_REVIEWED", 303), (hands["hrss"], "HRSS_REVIEWED", 303), (clerk, "ISSUED_TO_TOWN", 409),
        (doctor, "MEDICAL_REVIEWED", 303), (clerk, "ISSUED_TO_TOWN", 303),
    ):  # fmt: skip
        assert who.post(f"{here}/sign", data={"roster": f"{roster}:1:{step}"}).status_code == status, step
    assert drawn(running, ("RES_PENSION",))["drawn"] == 2
    assert all(row.medical for row in rows(running, "select medical from roster")), "as the first of the year said"
    with running.office.engine.connect() as connection, pytest.raises(DBAPIError, match="permission denied"):
        connection.execute(
            text("insert into roster_step (roster_id, no, what, by, at) values (1, 1, 'POSTED', 'x', now())")
        )
    assert broken(running) == []
