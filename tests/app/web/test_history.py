"""Who missed years reads why he waits, and asks the medical bureau to look: on a phone, by the API, at the agent's."""

from datetime import datetime

import pytest
from sqlalchemy import text

from app.access.roles import Role
from app.flows.enter.accounts import add_agent
from app.flows.register.desk import listed
from app.flows.register.determine import Ruling, decide
from core.clock import BEIJING
from tests.app.web.test_api import Api
from tests.app.web.test_office_people import at_desk, page_of
from tests.browsing import Browser
from tests.gap_years import gap_district

JANUARY = datetime(2022, 1, 15, 9, tzinfo=BEIJING)
WHY = "2019、2020、2021年没有参加，为此多等2个月"
ASKED = "已经请医保局核对参保年度，还没有结果。"
BUTTON = "请医保局核对参保年度</button>"


@pytest.fixture(scope="module")
def also(tmp_path_factory):
    return {"DISTRICT": gap_district(tmp_path_factory.mktemp("years"))}


@pytest.fixture
def running(running):
    running.turn(JANUARY)
    return running


@pytest.fixture
def missed(running, district):
    """The adult was enrolled until 2018, as the bureau says; of his neighbour nothing is known."""
    years = "update person set medical_years = '{2017,2018}', school = 'university', student = true where id = :p"
    running.write(lambda c: c.execute(text(years), {"p": district.adult.id}))
    return district.adult


def test_a_resident_asks_on_the_sheet(running, district, missed, browser):
    other = Browser(running.url)
    due = browser.look_up(missed.name, missed.id_number)
    assert "其中2个月是因为往年断过保" in due.text
    sheet = browser.get(due.link("打印或保存这张说明"))
    assert WHY in sheet.text and BUTTON in sheet.html

    after = browser.submit(sheet, sheet.url.removeprefix(running.url) + "/history", form="/history")

    assert ASKED in after.text and BUTTON not in after.html and after.url == sheet.url
    beside = other.look_up(district.neighbour.name, district.neighbour.id_number)
    assert "断过保" not in beside.text
    own, address = beside.fields("/leave"), beside.link("打印或保存这张说明")
    beside = other.get(address)
    assert WHY not in beside.text and BUTTON not in beside.html
    assert other.post(f"{address}/history", own).status == 409
    assert len(listed(running.parts)) == 1


def test_the_api_asks_once(running, district, missed):
    api = Api(running)
    person = api.look_up(missed)
    path = f"/people/{person}/sheet/RES_MEDICAL@2022"
    told = api.get(path).json
    assert WHY in told["record"][0] and told["may_ask"]

    answers = [api.post(f"{path}/history", {}) for _ in range(2)]

    assert [answer.status_code for answer in answers] == [200, 200] and ASKED in answers[1].json["text"]
    assert not api.get(path).json["may_ask"] and len(listed(running.parts)) == 1
    neighbour = api.look_up(district.neighbour)
    assert api.post(f"/people/{neighbour}/sheet/RES_MEDICAL@2022/history", {}).status_code == 409
    assert api.post("/people/nobody/sheet/RES_MEDICAL@2022/history", {}).status_code == 404


def test_an_agent_asks_for_somebody_of_the_village_and_a_desk_reads_it(running, district, missed, browser):
    add_agent(
        running.office, login="wang", name="王代办", password="correct horse battery", villages=[district.village]
    )
    browser.log_in("wang", "correct horse battery")
    found = browser.get(f"/agent/villages/{district.village}", show="all")
    sheet = browser.get(browser.get(found.link(missed.name)).link("打印或保存这张说明"))
    assert WHY in sheet.text, "he pays on his own phone, and the agent can tell him why"

    after = browser.submit(sheet, sheet.url.removeprefix(running.url) + "/history", form="/history")

    assert ASKED in after.text
    (case,) = listed(running.parts)
    assert case.requested_by.startswith("agent:")
    decide(running.office, case.id, Ruling(True, years=(2021,)), by="staff:hsa")
    desk = at_desk(running, Role.MEDICAL)
    page = desk.get(page_of(desk, missed)).text
    for words in ("参过保，医保局核对认定", "参过保，医保局报来", "没有参保的记录", "认定2021年参加过医保", "大学"):
        assert words in page
    unknown = desk.get(page_of(desk, district.neighbour)).text
    assert "不知道：医保局没有报来过，按一直参保算" in unknown and "认定" not in unknown
