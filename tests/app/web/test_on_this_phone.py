"""Every phone pays on itself: WeChat's H5 page outside WeChat, the account's dialogue or the mini-program inside."""

import re
from dataclasses import replace
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
from flask import render_template
from sqlalchemy import text

from app.flows.enter import detour
from tests.app.web.test_resident import number_of, wait_for
from tests.browsing import Browser
from tests.builders import NOON

ANDROID = "Mozilla/5.0 (Linux; Android 12) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/99 Mobile Safari/537.36"
WECHAT = f"{ANDROID} MicroMessenger/8.0.40"


@pytest.fixture
def inside(browser):
    browser.session.headers["User-Agent"] = WECHAT
    return browser


@pytest.fixture
def outside_wechat(browser):
    browser.session.headers["User-Agent"] = ANDROID
    return browser


def confirmation(browser, person):
    due = browser.look_up(person.name, person.id_number)
    return browser.get("/confirm", item=due.values("item"))


def by(browser, page, way):
    return browser.submit(page, "/pay", form='action="/pay"', by=way)


def led_away(browser, page, way):
    """The form is sent; where it leads is not followed."""
    fields = page.fields('action="/pay"') | {"by": way}
    return browser.session.post(f"{browser.base}/pay", data=fields, allow_redirects=False, timeout=10)


def tapped(browser, page):
    """打开微信: the answer, not followed."""
    number = number_of(page)
    fields = page.fields(f"/pay/{number}/open")
    return browser.session.post(f"{browser.base}/pay/{number}/open", data=fields, allow_redirects=False, timeout=10)


def row(running, number):
    return running.one("select * from payment where number = :n", n=number)


def paid(running, browser, number):
    """The payment's page once it says so, and WeChat has heard that we know."""
    page = wait_for(browser, number, "缴费成功")
    assert running.outside.callback_statuses(number, 1) == [204]
    return page


def code_behind(browser, link):
    """A browser goes to WeChat's page, out of ours; the code of the dialogue, or what the page complains of."""
    went = browser.session.get(link, headers={"Referer": f"{browser.base}/"}, allow_redirects=False, timeout=10)
    went.encoding = "utf-8"
    return parse_qs(urlsplit(went.headers["location"]).query)["code"][0] if went.status_code == 303 else went.text


def test_an_ordinary_phone_pays_by_wechat_and_comes_back(running, district, outside_wechat):
    page = by(outside_wechat, confirmation(outside_wechat, district.adult), "wechat:h5")
    assert "打开微信， 付 320 元" in page.text and "data:image" not in page.html

    went = tapped(outside_wechat, page)
    back = running.outside.post("/phone/pay", {"code_url": code_behind(outside_wechat, went.headers["location"])})

    assert went.headers["Referrer-Policy"] == "origin" and went.status_code == 303
    assert back["return"]["url"] == f"{outside_wechat.base}/back/wechat?out_trade_no={number_of(page)}"
    assert "缴费成功" in paid(running, outside_wechat, number_of(page)).text
    assert number_of(page) in outside_wechat.get(back["return"]["url"]).url


def test_where_he_comes_from_is_told_on_this_one_step_alone(running, district, outside_wechat):
    page = by(outside_wechat, confirmation(outside_wechat, district.adult), "wechat:h5")

    said = {
        path: outside_wechat.session.get(outside_wechat.base + path, timeout=10).headers
        for path in (f"/pay/{number_of(page)}", "/due", "/")
    }

    policies = [headers["Referrer-Policy"] for headers in said.values()]
    assert policies == ["origin", "no-referrer", "no-referrer"]
    targets = re.search(r"form-action ([^;]*)", said[f"/pay/{number_of(page)}"]["Content-Security-Policy"])[1]
    assert targets.split() == ["'self'", running.outside.url, "https://wx.tenpay.com"]


def test_coming_back_in_the_middle_is_believed_of_nothing(running, district, outside_wechat):
    page = by(outside_wechat, confirmation(outside_wechat, district.adult), "wechat:h5")
    tapped(outside_wechat, page)

    back = outside_wechat.get("/back/wechat", out_trade_no=number_of(page), result="SUCCESS")

    assert "打开微信" in back.text and "缴费成功" not in back.text.replace("等到出现“缴费成功”", "")
    assert row(running, number_of(page)).state == "pending"


def test_an_address_that_is_old_is_asked_for_anew_under_the_same_number(running, district, outside_wechat, request):
    page = by(outside_wechat, confirmation(outside_wechat, district.adult), "wechat:h5")
    first = tapped(outside_wechat, page).headers["location"]
    neighbour = Browser(running.url)
    request.addfinalizer(neighbour.close)
    neighbour.session.headers["User-Agent"] = ANDROID
    other = by(neighbour, confirmation(neighbour, district.neighbour), "wechat:h5")
    before = row(running, number_of(other))
    assert tapped(outside_wechat, page).headers["location"] == first, "while it lives it is handed out again"

    running.turn(NOON + timedelta(minutes=6))
    fresh = tapped(outside_wechat, page).headers["location"]

    assert fresh != first and "支付请求已失效" in code_behind(outside_wechat, first)
    assert running.outside.pay(code_behind(outside_wechat, fresh)).status == 200
    paid(running, outside_wechat, number_of(page))
    assert row(running, number_of(other)).checkout == before.checkout


def test_a_page_left_lying_for_a_day_leads_nowhere(running, district, outside_wechat):
    page = by(outside_wechat, confirmation(outside_wechat, district.adult), "wechat:h5")
    running.turn(NOON + timedelta(days=1))

    went = tapped(outside_wechat, page)

    assert went.headers["location"].endswith(f"/pay/{number_of(page)}")
    assert "正在核对" in outside_wechat.get(went.headers["location"]).text


def test_a_phone_that_changed_its_network_gets_another_order_and_the_former_ends(running, district, outside_wechat):
    page = by(outside_wechat, confirmation(outside_wechat, district.adult), "wechat:h5")
    with running.parts.engine.begin() as connection:  # as if ordered from elsewhere
        connection.execute(
            text(
                "update payment set checkout = jsonb_set(checkout, '{link,place}', '\"elsewhere\"') where number = :n"
            ),
            {"n": number_of(page)},
        )

    went = tapped(outside_wechat, page)

    assert row(running, number_of(page)).state == "closed"
    assert running.outside.pay(code_behind(outside_wechat, went.headers["location"])).status == 200
    other = running.one("select number from payment where number <> :n", n=number_of(page))
    paid(running, outside_wechat, other.number)


@pytest.mark.parametrize("moved", [False, True], ids=["the same order", "another order"])
def test_when_wechat_says_nothing_to_a_tap_nothing_is_lost(running, district, outside_wechat, moved):
    page = by(outside_wechat, confirmation(outside_wechat, district.adult), "wechat:h5")
    if moved:
        elsewhere = "update payment set checkout = jsonb_set(checkout, '{link,place}', '\"0\"')"
        with running.parts.engine.begin() as connection:
            connection.execute(text(elsewhere))
    else:
        running.turn(NOON + timedelta(minutes=6))
    running.outside.fault("error", on="create", count=2, status=500)

    said = tapped(outside_wechat, page)

    if moved:  # it was begun all the same, and is asked about
        assert "正在核对" in outside_wechat.get(said.headers["location"]).text
        states = "select array_agg(state order by started_at) from payment"
        assert running.one(states)[0] == ["closed", "unknown"]
    else:
        assert said.status_code == 503 and row(running, number_of(page)).state == "pending"
        assert tapped(outside_wechat, page).headers["location"].startswith(running.outside.url)


def test_inside_wechat_the_account_is_asked_and_its_dialogue_called(running, district, inside):
    page = by(inside, confirmation(inside, district.adult), "wechat:account")

    number = number_of(page)
    held = row(running, number)
    assert "data-pay" in page.html and urlsplit(page.url).path == f"/pay/{number}" and not urlsplit(page.url).query
    assert (held.kind, held.app) == ("account", running.outside.keys.account_appid)
    openid = running.parts.vault.open(held.payer, bound_to=f"payment.payer:{number}")
    assert running.outside.pay(held.checkout["jsapi"]["package"].removeprefix("prepay_id="), openid).status == 200
    paid(running, inside, number)
    assert openid not in page.html
    session = running.one("select openid, detour from session where account_id is not null")
    assert tuple(session) == (None, None), "it is known of this payment alone"
    assert openid not in str(held.memo) and running.one("select count(openid) from notice")[0] == 0


def test_what_brings_somebody_back_counts_once_and_in_its_own_session(running, district, inside, request):
    confirm = confirmation(inside, district.adult)
    asked = urlsplit(led_away(inside, confirm, "wechat:account").headers["location"])
    state = parse_qs(asked.query)["state"][0]
    code = running.outside.post("/phone/account-code", {})["code"]
    other = Browser(running.url)
    request.addfinalizer(other.close)
    confirmation(other, district.neighbour)
    sent = running.one("select count(detour), count(*) from session where account_id is not null")
    assert tuple(sent) == (1, 2)

    astray = other.get("/wechat/back", state=state, code=code)
    guessed = inside.get("/wechat/back", state="0" * 32, code=code)
    right = inside.get("/wechat/back", state=state, code=code)
    again = inside.get("/wechat/back", state=state, code=code)

    assert [page.status for page in (astray, guessed, right, again)] == [409, 409, 200, 409]
    assert "不是从您刚才的付款来的" in astray.text and "data-pay" in right.html
    assert running.one("select count(*) from payment")[0] == 1


def test_who_comes_back_too_late_begins_anew(running, district, inside, monkeypatch):
    monkeypatch.setattr(detour, "LIVES", timedelta(seconds=-1))
    confirm = confirmation(inside, district.adult)
    state = parse_qs(urlsplit(led_away(inside, confirm, "wechat:account").headers["location"]).query)["state"][0]

    late = inside.get("/wechat/back", state=state, code=running.outside.post("/phone/account-code", {})["code"])

    assert (late.status, running.one("select count(*) from payment")[0]) == (409, 0)


@pytest.mark.parametrize(
    ("fault", "code"),
    [({"kind": "error", "on": "oauth"}, "right"), (None, "never given"), (None, ""), (None, "used")],
)
def test_when_wechat_does_not_say_who_it_is_the_next_way_is_offered(running, district, inside, fault, code):
    confirm = confirmation(inside, district.adult)
    state = parse_qs(urlsplit(led_away(inside, confirm, "wechat:account").headers["location"]).query)["state"][0]
    right = running.outside.post("/phone/account-code", {})["code"]
    if fault:
        running.outside.post("/faults", fault)
    if code == "used":
        running.parts.account().openid(right)

    page = inside.get("/wechat/back", state=state, code=right if code in ("right", "used") else code)

    assert urlsplit(page.url).path == "/confirm" and "刚才那种付法没有走通，没有扣钱" in page.text
    assert page.values("by")[-1] == "wechat:account" and page.values("by")[0] == "wechat:native"
    assert page.values("item") == confirm.values("item")
    assert running.one("select count(*) from payment")[0] == 0
    assert "请用微信扫码付款" in by(inside, page, "wechat:native").text


def test_an_openid_of_another_app_is_refused_there_and_the_next_way_is_offered(running, district, inside):
    running.outside.fault("other_openid", on="oauth")

    page = by(inside, confirmation(inside, district.adult), "wechat:account")

    assert urlsplit(page.url).path == "/confirm" and "没有扣钱" in page.text
    assert running.one("select state from payment").state == "failed"
    assert "请用微信扫码付款" in by(inside, page, "wechat:native").text


def test_nobody_pays_as_an_accounts_user_without_being_asked_who_he_is(running, district, inside):
    confirm = confirmation(inside, district.adult)
    inside.session.headers["User-Agent"] = ANDROID  # WeChat's page does not open there

    page = by(inside, confirm, "wechat:account")

    assert "请在微信客户端打开链接" in page.text
    assert running.one("select count(*) from payment")[0] == 0


def test_or_on_into_the_mini_program(running, district, inside):
    parts = running.app.extensions["joined"]
    program = parts.parts.channels["wechat"]._program()
    parts.__dict__["parts"] = replace(parts.parts, account=None, program_link=program.link)
    confirm = confirmation(inside, district.adult)
    assert confirm.values("by")[0] == "wechat:miniprogram"
    assert "用微信、支付宝或云闪付扫这个码" in slip(running)

    opened = by(inside, confirm, "wechat:miniprogram")
    running.outside.fault("error", on="urllink")
    failed = by(inside, confirm, "wechat:miniprogram")

    assert "小程序已打开" in opened.text and "pages/due/due" in opened.text
    assert urlsplit(failed.url).path == "/confirm" and failed.values("by")[-1] == "wechat:miniprogram"
    assert district.adult.name not in opened.url and running.one("select count(*) from payment")[0] == 0


def test_or_by_a_code_and_then_the_slip_says_so(running, district, inside):
    """WECHAT_INSIDE=code, although there is an account: what was ordered under it before is still believed."""
    parts = running.app.extensions["joined"]
    parts.__dict__["parts"] = replace(parts.parts, account=None)

    confirm = confirmation(inside, district.adult)

    assert confirm.values("by") == ["wechat:native", "alipay:native", "unionpay:native"]
    assert "请家人用另一部手机扫码" in confirm.text and by(inside, confirm, "wechat:account").status == 409
    assert "要用微信交，在手机浏览器里输入" in slip(running)


def slip(running):
    """What an agent prints."""
    with running.app.test_request_context():
        place = {"town": "榴园镇", "name": "示例村", "code": "370404103901"}
        one = {"household_number": "0001", "name": "张*", "people": 1}
        here = running.parts.account is not None or running.parts.program_link is not None
        return render_template("agent/slips.html", place=place, slips=[one], in_wechat=here, said=[], address="")


@pytest.mark.parametrize("way", ["wechat:h5", "wechat:account"])
def test_it_can_be_left_before_money_moves(running, district, browser, way):
    browser.session.headers["User-Agent"] = WECHAT if "account" in way else ANDROID
    page = by(browser, confirmation(browser, district.adult), way)

    number = number_of(page)
    left = browser.submit(page, f"/pay/{number}/close", form=f"/pay/{number}/close")

    assert "没有扣钱" in left.text and row(running, number).state == "closed"
    assert (
        "请用支付宝扫码付款"
        in by(browser, browser.get("/confirm", item=browser.get("/due").values("item")), "alipay:native").text
    )
