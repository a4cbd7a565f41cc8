"""A back-payment on every screen: one card beside the year's, one tick with its amount, no tier to choose."""

import re
from html import unescape

import pytest

from app.flows.register import determine
from app.flows.register.apply import apply
from app.flows.register.determine import Ruling
from app.policy.facts import Insurance
from app.registry.determinations import Kind
from tests.app.web.test_agent import person_page
from tests.app.web.test_api import Api
from tests.refunding import rows
from tests.rosters import in_force

PENSION = Insurance.RES_PENSION


def determined(running, person, ruling):
    number = apply(running.parts, person, PENSION, Kind.POLICY_BACKPAY, by="staff:desk")
    determine.decide(running.office, number, ruling, by="staff:hrss")
    return number


@pytest.fixture
def amount(running, district):
    """1500 yuan for three years, of the adult: its number."""
    return determined(running, district.adult.id, Ruling(True, 150000, (2019, 2020, 2021)))


def test_a_determined_amount_is_one_tick_on_the_residents_page(running, district, browser, amount):
    """B1: the page was an error for the whole account."""
    page = browser.look_up(district.adult.name, district.adult.id_number)

    assert page.status == 200 and "2019、2020、2021年养老补缴" in page.text and "1500" in page.text
    assert page.text.count("选养老档次") == 1  # the year's own
    back = next(item for item in page.values("item") if item.endswith(f":RES_PENSION@2022:{amount}"))
    confirm = browser.get("/confirm", item=[back])
    assert "2019、2020、2021年养老补缴" in confirm.text and "1500" in confirm.text
    assert browser.submit(confirm, "/pay", form="/pay", by="wechat:native").status == 200
    assert rows(running, "select personal_due, determination from bill") == [(150000, amount)]
    sheet = re.search(rf'href="([^"]*/sheet/[^"]*(?::|%3A){amount})["?]', page.html)[1]
    assert "2019、2020、2021年养老补缴：为什么是这个数" in browser.get(sheet).text


def test_a_back_payment_of_years_has_a_tier_of_its_own(running, district, browser):
    number = determined(running, district.adult.id, Ruling(True, years=(2019, 2020, 2021)))
    page = browser.look_up(district.adult.name, district.adult.id_number)

    tier = browser.get(
        next(unescape(each) for each in re.findall(r'href="([^"]*/tier[^"]*)"', page.html) if f"of={number}" in each)
    )
    field = re.search(rf'name="(tier\.[^"]+:{number})" value="50000"', tier.html)[1]
    chosen = browser.get("/due", **{field: "50000"})

    back = next(item for item in chosen.values("item") if item.endswith(f":{number}"))
    confirm = browser.get("/confirm", **chosen.fields("/confirm"), item=[back])
    assert "1500" in confirm.text and "500 元档" in confirm.text


def test_the_api_offers_no_tier_and_takes_the_determination(running, district, amount):
    """B1: the mini-program could never tick it."""
    api = Api(running)
    person = api.look_up(district.adult)
    due = api.get("/due").json["people"][0]["due"]

    assert [each["determination"] for each in due] == [None, None, amount]
    assert (due[2]["tiers"], due[2]["personal_due"], due[2]["years"]) == ([], 150000, [2019, 2020, 2021])
    item = {"person": person, "insurance": "RES_PENSION", "determination": amount}
    started = api.pay(item)
    assert (started.status_code, started.json["amount"]) == (201, 150000)
    assert started.json["items"][0]["title"] == "2019、2020、2021年养老补缴"
    another = api.pay(item | {"determination": amount + 1})
    assert (another.status_code, another.json["code"]) == (404, "NO_SUCH_ITEM")


def test_the_agents_page_has_a_tick_and_no_list_of_equal_tiers(running, district, browser, an_agent, amount):
    """B1: twelve tiers of the same price were offered."""
    in_force(running)
    browser.log_in(*an_agent)
    page = person_page(browser, district, district.adult.name)

    assert "2019、2020、2021年养老补缴" in page.text and page.html.count("<select") == 2  # the adult's year, the poor's
    back = next(item for item in page.values("item") if item.endswith(f":RES_PENSION@2022:{amount}"))
    code = browser.submit(page, page.url, form='method="post"', by="wechat:native", item=[back], shown="150000")
    assert code.status == 200
    assert rows(running, "select personal_due, determination from bill") == [(150000, amount)]
