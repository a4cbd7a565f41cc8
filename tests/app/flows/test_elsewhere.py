"""Somebody says that he paid in another place: found so by a paper he leaves the count, with the reason, is not urged
and may say that it is not so; it is asked again before the season ends, and taken back for a reason (N8)."""

from datetime import date, timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from app.access.roles import Role
from app.flows.cases.say import say
from app.flows.due.coverage import coverage, left_in
from app.flows.due.replay import replay
from app.flows.pay.start import NotPayable, Want
from app.flows.register.import_roster import import_roster
from app.flows.tell.remind import left_to_tell
from app.policy.answer import Reason
from app.policy.facts import Insurance
from tests.app.flows.test_helped_pages import desk
from tests.app.flows.test_police import due
from tests.app.registry.files import a_csv, a_row
from tests.app.web.people import a_district
from tests.builders import NOON
from tests.refunding import rows, start

__all__ = ["desk"]
MEDICAL = Insurance.RES_MEDICAL
PROOF = "昆山医保缴费凭证，电话问过昆山医保中心"


@pytest.fixture
def district(running):
    return running.write(a_district)


def counted(running, village):
    [row] = [row for row in coverage(running.parts, since=NOON, village=village) if row.insurance == MEDICAL]
    return row.due, row.excluded, row.elsewhere


def test_who_paid_elsewhere_leaves_the_count_is_asked_again_and_may_come_back(running, district, desk, tmp_path):
    adult, before = district.adult.id, counted(running, district.village)
    said = say(running.parts, "PAID_ELSEWHERE_MEDICAL", "在昆山交过了", person_id=adult, village=None, by="account:1")
    other = say(running.parts, "PAID_NOT_SHOWN", "昨天付的没显示", person_id=adult, village=None, by="account:1")
    medical, hrss = desk("med01", Role.MEDICAL), desk("hrss01", Role.HRSS)
    where, wanted = f"/office/matters/{said}/elsewhere", {"code": "medical_outside_zz", "proof": PROOF}

    assert hrss.post(where, data=wanted).status_code == 404
    assert medical.post(f"/office/matters/{other}/elsewhere", data=wanted).status_code == 404
    short = medical.post(where, data=wanted | {"proof": "见"})
    assert short.status_code == 400 and ">见</textarea>" in short.text
    assert medical.post(where, data=wanted | {"code": "pension_elsewhere"}).status_code == 400
    for _ in range(2):  # pressed twice
        assert medical.post(where, data=wanted).status_code == 303

    [found] = rows(running, "select id, by, again_on, levy_year from paid_elsewhere")
    assert (found.by, found.again_on, found.levy_year) == ("staff:med01", date(2021, 12, 11), 2022)
    assert counted(running, district.village) == (before[0] - 1, before[1] + 1, 1)
    item = due(running, adult)
    assert (item.quote.reason_code, item.elsewhere, item.payable) == (Reason.DUP_OUTSIDE_ZAOZHUANG, True, False)
    with pytest.raises(NotPayable):
        start(running, Want(adult, MEDICAL))
    assert due(running, adult, Insurance.RES_PENSION).choice_open, "his pension is another matter"
    assert adult in left_in(running.parts, district.village), "for the pension"
    rules = running.parts.rules
    whole = replay(running.office, rules, rules, at=NOON, processes=1).whole()[MEDICAL]
    assert whole.asked == 5
    # The bureau's next file says nothing of another place, and takes nothing away.
    same = a_row(1, id_number=district.adult.id_number, name="张示例", sex="", mobile="13900000001")
    assert import_roster(running.office, a_csv(tmp_path / "a.csv", same)).changed == 1
    assert due(running, adult).elsewhere and counted(running, district.village)[2] == 1

    listed = "/office/elsewhere/"
    assert "昆山医保缴费凭证" in medical.get(listed).text and district.adult.name not in medical.get(listed).text
    assert "该再问了" not in medical.get(listed).text and "还没有核实过的" in hrss.get(listed).text
    running.turn(NOON + timedelta(days=40))
    assert "该再问了" in medical.get(listed).text and "该再问一次" in medical.get("/office/").text
    assert hrss.post(f"{listed}{found.id}/again").status_code == 404
    assert medical.post(f"{listed}{found.id}/again").status_code == 303
    assert medical.post(f"{listed}{found.id}/again").status_code == 409
    assert "问过，还是这样" in medical.get(listed).text
    empty = medical.post(f"{listed}{found.id}/back", data={"why": "错"})
    assert empty.status_code == 400 and 'value="错"' in empty.text
    assert medical.post(f"{listed}{found.id}/back", data={"why": "昆山那边退了"}).status_code == 303
    assert medical.post(f"{listed}{found.id}/back", data={"why": "昆山那边退了"}).status_code == 409

    assert counted(running, district.village) == before and due(running, adult).payable
    assert (
        "昆山那边退了" in medical.get(f"{listed}?done=1").text
        and "这一页没有了" in medical.get(f"{listed}?page=3").text
    )
    assert medical.post(where, data=wanted).status_code == 303, "found anew"
    assert len(rows(running, "select 1 from paid_elsewhere")) == 2
    causes = rows(running, "select distinct cause from register_change where of = 'paid_elsewhere'")
    assert {row.cause.split(":")[0] for row in causes} == {"elsewhere"}


def test_nobody_urges_and_the_web_finds_nothing_by_itself(running, district):
    said = say(
        running.parts, "PAID_ELSEWHERE_MEDICAL", "在昆山交过", person_id=district.adult.id, village=None, by="agent:1"
    )
    assert "张*例" not in left_to_tell(running.parts, district.household)[1]["names"]
    for statement in (
        f"insert into paid_elsewhere (person_id, levy_year, insurance, code, matter_id, proof, by, at, again_on)"
        f" values ({district.adult.id}, 2022, 'RES_MEDICAL', 'medical_outside_zz', {said}, 'xxxx', 'a', now(), now())",
        "update paid_elsewhere set back_at = now()",
        "select elsewhere_of('x', 1, now())",
    ):
        with pytest.raises(DBAPIError, match="permission denied"), running.parts.engine.begin() as connection:
            connection.execute(text(statement))
