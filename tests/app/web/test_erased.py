"""Somebody whose data was erased, on the pages: nobody finds him, an office hears the day and the ground, the auditor
reads the trail of it, and a resident is told how to ask and what stays."""

import re

import pytest

from app.access.roles import Role
from app.flows.enter.accounts import add_staff
from app.flows.keep import erase
from app.flows.pay.start import Want
from app.policy.facts import Insurance
from tests.app.web.test_office import PASSWORD, client_of
from tests.browsing import Browser
from tests.refunding import pay

ASKED = {"ground": "wrong_person", "reason": "号码是另一个人的", "by": "staff:a"}
VILLAGE = "370404103901"


@pytest.fixture
def desk(running, district):
    add_staff(running.office, login="desk8", name="示例", role=Role.TAX_CLERK, password=PASSWORD)
    return client_of(running, "desk8", PASSWORD)


@pytest.fixture
def auditor(running, district):
    add_staff(running.office, login="audit8", name="示例", role=Role.AUDITOR, password=PASSWORD)
    return client_of(running, "audit8", PASSWORD)


def gone(running, person):
    erase.agree(running.office, erase.ask(running.office, id_number=person.id_number, **ASKED), by="staff:b")


def test_an_office_that_was_on_his_page_hears_the_day_and_the_ground(running, district, desk):
    person = district.adult
    paid = pay(running, Want(person.id, Insurance.RES_MEDICAL))
    page = re.search(
        r'href="(/office/people/[^"]+)"', desk.post("/office/people/", data={"wanted": person.id_number}).text
    )[1]
    assert person.name in desk.get(page).text

    gone(running, person)

    for said in (
        desk.get(page),
        desk.post("/office/people/", data={"wanted": person.id_number}),
        desk.post("/office/people/", data={"wanted": paid}),
        desk.post(page, data={"reason": "市里来人查"}),
    ):
        assert said.status_code == 404 and "限制处理（登记成了别人的号码）" in said.text
        assert person.name not in said.text
    by_name = desk.post("/office/people/", data={"wanted": person.name, "place": VILLAGE})
    assert by_name.status_code == 404 and "限制处理" not in by_name.text


def test_a_resident_and_his_open_session_find_nobody(running, district):
    browser = Browser(running.url)
    browser.look_up(district.adult.name, district.adult.id_number)
    assert "320" in browser.get("/due").text

    gone(running, district.adult)

    assert district.adult.name[0] + "*" not in browser.get("/due").text
    assert "320" not in browser.get("/due").text
    browser.close()


def test_the_auditor_reads_who_asked_and_agreed_what_went_and_what_stays(running, district, auditor, desk):
    assert "还没有人要求删除" in auditor.get("/office/audit/kept").text
    gone(running, district.adult)

    page = auditor.get("/office/audit/kept").text

    for words in ("登记成了别人的号码：号码是另一个人的", "限制处理", "登记的手机号 1", "三十年", ">a ", ">b "):
        assert words in page, words
    assert district.adult.name not in page and district.adult.id_number not in page
    assert desk.get("/office/audit/kept").status_code == 403


def test_the_privacy_page_says_how_one_asks_and_what_stays(running):
    page = running.app.test_client().get("/privacy").text

    assert "要删除自己的信息" in page and "要求删除以后" in page and "会计凭证" in page
