"""查缴费: each item as it stands, and beside it what of its money goes back."""

import re

import pytest

from app.flows.pay.start import Want
from app.flows.refund import steps as refund
from app.policy.facts import Insurance
from tests.builders import NEW_YEAR
from tests.refunding import agree, pay, rows, start
from tests.system import eventually

MEDICAL, PENSION = Insurance.RES_MEDICAL, Insurance.RES_PENSION
GOING = "正在退费，退 320 元"


@pytest.fixture
def paid_twice(running, district):
    """The adult's medical premium, by WeChat and by Alipay; the second asks for its way back by itself."""
    want = Want(district.adult.id, MEDICAL)
    first = start(running, want, gateway="wechat")
    running.outside.fault("late_success", first.number)
    pay(running, want, gateway="alipay", key="other")
    running.outside.pay(first.checkout.code_url)
    eventually(lambda: rows(running, "select 1 from suspense"))
    refund.ask_for_surplus(running.parts)
    return rows(running, "select number from refund")[0].number


def item(page, title):
    """What a page says of an item, its links and all."""
    found = re.search(rf"<li>{title}\b.*?</li>", page.html, re.S)
    return type(page)(page.status, page.url, found[0])


def test_what_was_paid_once_too_often_leaves_the_item_done(running, district, browser, paid_twice):
    """R1: 正在退费 stood in place of 办好了, and the papers were gone; a neighbour's item stays as it was."""
    pay(running, Want(district.neighbour.id, MEDICAL), key="theirs")
    browser.look_up(district.adult.name, district.adult.id_number)
    browser.look_up(district.neighbour.name, district.neighbour.id_number)

    page = browser.get("/paid")
    mine = item(page, "2022年居民医保")

    assert "办好了，交了 320 元" in mine.text and "多付的 320 元正在退" in mine.text and GOING not in page.text
    assert mine.text.index("办好了") < mine.text.index("多付的")
    assert browser.get(mine.link("缴费凭证")).status == 200
    assert mine.link("看退费办到哪一步") == f"/refunds/{paid_twice}"
    assert page.text.count("办好了，交了 320 元") == 2 and page.text.count("多付的 320 元正在退") == 1

    agree(running.parts, paid_twice)
    assert "办好了，交了 320 元" in browser.get("/paid").text, "agreed to, it takes nothing from the other payment"


def test_a_premium_asked_back_stands_until_it_is_agreed_to(running, district, browser):
    """R1: the application alone took the papers away; a sibling of the household has asked for nothing."""
    number = pay(running, Want(district.adult.id, MEDICAL), Want(district.poor.id, PENSION, 500_00), key="both")
    [mine] = rows(running, f"select id from bill where person_id = {district.adult.id}")
    asked = refund.apply(running.parts, number, by="staff:desk", bills=[mine.id]).number
    for who in (district.adult, district.poor):
        browser.look_up(who.name, who.id_number)

    page = browser.get("/paid")
    said = item(page, "2022年居民医保")

    assert "交了 320 元，正在申请退费" in said.text and "申请退 320 元" in said.text
    assert said.link("缴费凭证") and ">申请退费</a>" not in said.html
    assert "办好了，交了 400 元" in page.text

    agree(running.parts, asked)
    page = browser.get("/paid")
    said = item(page, "2022年居民医保")
    assert "还没交" in said.text and GOING in said.text and "缴费凭证" not in said.text
    assert "办好了，交了 400 元" in page.text


def test_money_of_two_items_that_came_twice_is_told_as_one_sum(running, district, browser):
    """R1: under each of two items stood the whole sum as if it were that item's."""
    wants = [Want(district.adult.id, MEDICAL), Want(district.adult.id, PENSION, 300_00)]
    first = start(running, *wants, gateway="wechat")
    running.outside.fault("late_success", first.number)
    pay(running, *wants, gateway="alipay", key="other")
    running.outside.pay(first.checkout.code_url)
    eventually(lambda: rows(running, "select 1 from suspense"))
    refund.ask_for_surplus(running.parts)
    browser.look_up(district.adult.name, district.adult.id_number)

    page = browser.get("/paid")

    assert page.text.count("多付的钱正在退，一共 620 元") == 2
    assert "办好了，交了 320 元" in page.text and "办好了，交了 300 元" in page.text


def test_who_pays_nothing_is_not_told_that_he_has_not_paid(running, district, browser):
    """R2: 还没交 for whom the government pays; who does pay is still told so."""
    browser.look_up(district.poor.name, district.poor.id_number)
    page = browser.get("/paid")
    assert page.text.count("不用交钱，还没办") == 2 and "还没交" not in page.text

    browser.look_up(district.adult.name, district.adult.id_number)
    page = browser.get("/paid")
    assert page.text.count("不用交钱，还没办") == 2 and page.text.count("还没交") == 2

    running.turn(NEW_YEAR)
    page = browser.get("/paid")
    assert "请先不要交钱。您可能由政府代缴。" in page.text
