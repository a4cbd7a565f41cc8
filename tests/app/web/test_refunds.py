"""A resident asks for his money back, on pages and by the API, and follows every step."""

import re

import pytest

from app.flows import refund
from app.flows.pay import Want
from app.policy.facts import Insurance
from app.web.api.told_money import RefundsTold, RefundTold
from tests.app.web.test_api import Api, medical
from tests.builders import NEW_YEAR
from tests.refunding import CLERK, agree, pay, rows, run_refunds, start
from tests.system import eventually


def paid(running, person, *more, key="k"):
    return pay(running, Want(person.id, Insurance.RES_MEDICAL), *more, key=key)


def test_a_resident_asks_and_follows_each_dated_step(running, district, browser):
    paid(running, district.adult)
    browser.look_up(district.adult.name, district.adult.id_number)

    why = browser.get(browser.get("/paid").link("申请退费"))
    assert "张*例 2022年居民医保 320 元" in why.text and "单位给我参保了" in why.text
    path = re.search(r'action="(/refund/[^"]+)"', why.html)[1]
    confirm = browser.get(path, why="employee")
    assert "退到原来付款的微信账户" in confirm.text and "钱退了，这一项就算没有交过。" in confirm.text
    page = browser.submit(confirm, path, form='method="post"')
    assert "申请收到了，等税务受理。" in page.text and "申请退费 11月5日" in page.text

    number = page.url.rpartition("/")[2]
    agree(running.parts, number)
    run_refunds(running, number, "paid")
    page = browser.get(f"/refunds/{number}")
    for words in ("税务受理", "医保局核对", "同意退费", "交给微信退款", "钱已退回原来付款的微信账户。"):
        assert words in page.text
    assert "staff" not in page.html, "who did it is nobody's business but the office's"
    assert "320 元" in browser.get("/refunds").text
    assert "退费进度" in browser.get("/paid").text


def test_asking_twice_is_one_refund_and_its_page(running, district, browser):
    paid(running, district.adult)
    browser.look_up(district.adult.name, district.adult.id_number)
    path = browser.get("/paid").link("申请退费")
    confirm = browser.get(path, why="elsewhere")

    first = browser.submit(confirm, path, form='method="post"')
    again = browser.submit(confirm, path, form='method="post"')
    third = browser.get(path)

    assert first.url == again.url == third.url and len(rows(running, "select * from refund")) == 1


def test_what_has_begun_is_said_before_anything_is_asked(running, district, browser):
    paid(running, district.adult)
    running.turn(NEW_YEAR)
    browser.look_up(district.adult.name, district.adult.id_number)

    path = browser.get("/paid").link("申请退费")
    page = browser.get(path)

    assert "医保待遇已经开始，按规定不能退。可以要求书面说明。" in page.text
    assert page.values("why") == ["twice", "wrong_amount"]
    assert browser.get(path, why="elsewhere").status == 400


def test_a_no_is_read_with_its_reason(running, district, browser):
    paid(running, district.adult)
    browser.look_up(district.adult.name, district.adult.id_number)
    path = browser.get("/paid").link("申请退费")
    page = browser.submit(browser.get(path, why="twice"), path, form='method="post"')
    number = page.url.rpartition("/")[2]

    refund.decide(running.parts, number, approved=False, by=CLERK, reason="只查到一次缴费。")

    assert "没有同意退。原因：只查到一次缴费。" in browser.get(f"/refunds/{number}").text


def test_surplus_is_seen_without_asking(running, district, browser):
    want = Want(district.adult.id, Insurance.RES_MEDICAL)
    first = start(running, want, gateway="wechat")
    running.outside.fault("late_success", first.number)
    pay(running, want, gateway="alipay", key="other")
    running.outside.pay(first.checkout.code_url)
    eventually(lambda: rows(running, "select 1 from suspense"))
    refund.ask_for_surplus(running.parts)
    browser.look_up(district.adult.name, district.adult.id_number)

    page = browser.get("/refunds")

    assert "320 元" in page.text and "不用您申请" in page.text


@pytest.mark.parametrize("other", ["neighbour", "elder"])
def test_nobody_sees_or_asks_for_somebody_elses(running, district, browser, other):
    paid(running, district.adult)
    asked = refund.apply(running.parts, rows(running, "select number from payment")[0].number, by="staff:desk")
    stranger = getattr(district, other)
    browser.look_up(stranger.name, stranger.id_number)

    assert browser.get(f"/refunds/{asked.number}").status == 404
    assert browser.get("/refund/nobody/RES_MEDICAL").status == 404
    api = Api(running)
    api.look_up(stranger)
    assert api.get(f"/refunds/{asked.number}").status_code == 404
    assert api.get("/refunds").json["refunds"] == []


def ask(api, person, *, key="refund-key-1", **spoilt):
    wanted = {"why": "elsewhere", "expected_available": 32000} | medical(person) | spoilt
    return api.post("/refunds", wanted, **{"Idempotency-Key": key})


def test_the_api_lists_asks_and_follows(running, district):
    api = Api(running)
    person = api.look_up(district.adult)
    paid(running, district.adult)

    before = RefundsTold.model_validate(api.get("/refunds").json)
    assert [(each.insurance, each.available, len(each.reasons)) for each in before.refundable] == [
        ("RES_MEDICAL", 32000, 7)
    ]
    answer = ask(api, person)
    assert answer.status_code == 201
    told = RefundTold.model_validate(answer.json)
    agree(running.parts, told.number)

    followed = RefundTold.model_validate(api.get(f"/refunds/{told.number}").json)
    assert followed.state == "approved" and len(followed.steps) == 4
    after = RefundsTold.model_validate(api.get("/refunds").json)
    assert after.refundable == [] and [each.number for each in after.refunds] == [told.number]


def test_a_key_is_one_wish_and_of_one_actor(running, district):
    api, other = Api(running), Api(running)
    person = api.look_up(district.adult)
    theirs = other.look_up(district.elder)
    paid(running, district.adult)
    number = ask(api, person).json["number"]

    assert ask(api, person).json["number"] == number, "the same wish again is the same refund"
    for spoilt in ({"why": "twice"}, {"expected_available": 1}):
        answer = ask(api, person, **spoilt)
        assert (answer.status_code, answer.json["code"]) == (409, "KEY_REUSED")
    for whoever in (theirs, other.look_up(district.adult)):  # another wish, and the very same one
        answer = ask(other, whoever)
        assert answer.status_code == 409 and number not in answer.text, "no leak of the first answer"


@pytest.mark.parametrize(
    ("spoilt", "code", "status"),
    [
        ({"expected_available": 31999}, "REFUND_CHANGED", 409),
        ({"insurance": "RES_PENSION"}, "NOTHING_TO_GIVE_BACK", 409),
        ({"why": "surplus"}, None, 422),
        ({"amount": 1}, None, 422),
        ({"approved_by": "x"}, None, 422),
        ({"expected_available": "32000"}, None, 422),
        ({"key": "x"}, "IDEMPOTENCY_KEY_MISSING", 400),
    ],
)
def test_a_wish_that_is_wrong_reserves_nothing(running, district, spoilt, code, status):
    api = Api(running)
    person = api.look_up(district.adult)
    paid(running, district.adult)

    answer = ask(api, person, **spoilt)

    assert answer.status_code == status and code in (None, answer.json["code"])
    assert rows(running, "select * from refund") == []


def test_an_approval_by_the_asking_account_stays_impossible_through_the_door(running, district):
    api = Api(running)
    person = api.look_up(district.adult)
    paid(running, district.adult)
    number = ask(api, person).json["number"]

    for path in ("approve", "accept", "decide"):
        assert api.post(f"/refunds/{number}/{path}", {}).status_code == 404
    assert rows(running, "select word from refund_step") == [("applied",)]
