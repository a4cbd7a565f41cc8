"""A migrant worker is asked first whether he paid elsewhere (R08, J2); the answer decides what is paid here."""

import re

import pytest

from tests.app.web.test_api import Api


@pytest.fixture
def away(running, district):
    with running.office.engine.begin() as connection:
        connection.exec_driver_sql("update person set is_migrant = true where id = %s", (district.adult.id,))


def to_the_confirmation(browser, district, *also):
    page = browser.look_up(district.adult.name, district.adult.id_number)
    for person in also:
        page = browser.look_up(person.name, person.id_number)
    return browser.get("/confirm", item=page.values("item"))


def test_who_did_not_pay_elsewhere_pays_here(running, district, browser, away):
    question = to_the_confirmation(browser, district)
    assert "在外地交过吗" in question.text and "元" not in question.text.split("打电话")[0]

    page = browser.get(question.link("没有交过"))

    assert "请核对，再付款" in page.text and "一共 320 元" in page.text


def test_who_paid_elsewhere_does_not(running, district, browser, away):
    page = browser.get(to_the_confirmation(browser, district).link("交过了"))

    assert "不用在这里交了" in page.text and "付 320 元" not in page.text


def test_who_paid_elsewhere_is_led_on_to_his_own_pension(running, district, browser, away):
    """R7: the page led nowhere. Who has no pension to pay here is led nowhere but back."""
    page = browser.get(to_the_confirmation(browser, district).link("交过了"))
    tier = browser.get(page.link("接着办养老"))

    assert "张*例的养老保险是另一回事" in page.text
    assert "2022年居民养老，张*例交哪一档？" in tier.text

    with running.office.engine.begin() as connection:
        connection.exec_driver_sql("update enrolment set employee_insured = true where insurance = 'RES_PENSION'")
    page = browser.get(to_the_confirmation(browser, district).link("交过了"))
    assert "不用在这里交了" in page.text and "接着办养老" not in page.text


def test_the_rest_of_the_family_still_pays(running, district, browser, away):
    with running.office.engine.begin() as connection:
        connection.exec_driver_sql("delete from category")

    page = browser.get(to_the_confirmation(browser, district, district.poor).link("交过了"))

    assert "一共 320 元" in page.text and "没有算进来" in page.text
    assert len(page.values("item")) == 1


def test_each_migrant_is_asked_for_himself(running, district, browser):
    with running.office.engine.begin() as connection:
        connection.exec_driver_sql("update person set is_migrant = true")
        connection.exec_driver_sql("delete from category")
    question = to_the_confirmation(browser, district, district.poor)
    first = re.search(r"(\S+)登记的是外出", question.text)[1]

    second = browser.get(question.link("没有交过"))
    assert re.search(r"(\S+)登记的是外出", second.text)[1] != first

    assert "一共 640 元" in browser.get(second.link("没有交过")).text


def test_who_stayed_is_not_asked(running, district, browser):
    assert "请核对，再付款" in to_the_confirmation(browser, district).text


def test_the_mini_program_is_told_what_to_ask(running, district, away):
    api = Api(running)
    medical, pension = api.find(district.adult.name, district.adult.id_number).json["due"]

    assert "在外地交过吗" in medical["ask_first"] and pension["ask_first"] is None
