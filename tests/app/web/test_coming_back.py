"""Somebody comes back: after a long pause, with the browser's own button, with a payment he did not finish."""

from sqlalchemy import text

from app.flows.pay.start import Want
from app.flows.refund.steps import apply
from app.policy.facts import Insurance
from tests.app.web.test_api import Api
from tests.browsing import Browser, code_in
from tests.refunding import pay, rows
from tests.system import eventually, last_text

MEDICAL = Insurance.RES_MEDICAL


def forgotten(running):
    """Every session has ended unused; so has the minute of the texts."""
    running.write(lambda c: c.execute(text("delete from session")))
    running.write(lambda c: c.execute(text("delete from tally")))


def started(browser, district):
    """A code for the adult's medical premium: its page."""
    due = browser.look_up(district.adult.name, district.adult.id_number)
    confirm = browser.get("/confirm", item=due.values("item"))
    return browser.submit(confirm, "/pay", form="/pay", by="wechat:native"), confirm


def test_who_was_signed_out_is_told_and_led_to_the_page_he_asked_for(running, district, browser):
    """Row of complaints: sign-out after idleness without a word, afterwards not the page asked for."""
    page, _ = started(browser, district)
    forgotten(running)

    asked = browser.get(page.url.removeprefix(running.url))
    back = browser.sign_in_from(asked)

    assert "/login" in asked.url and "为了安全已经退出了" in asked.text
    assert back.url == page.url
    assert "为了安全已经退出了" not in Browser(running.url).get("/due").text  # who never came in was not signed out


def test_an_agent_signed_out_comes_to_the_village_he_asked_for(running, district, an_agent, browser):
    browser.log_in(*an_agent)
    path = f"/agent/villages/{district.village}/visits"
    forgotten(running)

    asked = browser.get(path)
    back = browser.log_in_from(asked, *an_agent)

    assert "登录过期" in asked.text and back.url == running.url + path
    elsewhere = browser.get("/agent/login?then=//evil.example/")
    assert elsewhere.url.startswith(running.url)


def test_the_lost_phones_wechat_is_out_with_its_sessions(running, district):
    """B12: 旧手机就进不来了, but its WeChat user was in again at once; another account's WeChat stays in."""
    lost, sibling = (running.outside.post("/phone/login-code", {"phone": each})["code"] for each in ("old", "sibling"))
    old, theirs = Api(running, lost), Api(running, sibling)
    old.look_up(district.adult)
    theirs.look_up(district.neighbour)
    running.write(lambda c: c.execute(text("delete from tally")))
    fresh = Browser(running.url, phone=old.phone)
    fresh.sign_in()

    fresh.submit(fresh.get("/me"), "/me/others/end", form="/me/others/end")

    codes = [running.outside.post("/phone/login-code", {"phone": each})["code"] for each in ("old", "sibling")]
    again = [Api(running, code) for code in codes]
    assert [each.get("/me").status_code for each in again] == [401, 200]
    assert fresh.get("/due").status == 200
    fresh.close()


def test_a_payment_begun_is_mentioned_and_its_tier_remembered(running, district, browser):
    """Row of complaints: nothing said that a code was out, and the tier was asked for again."""
    me = browser.look_up(district.adult.name, district.adult.id_number).values("item")[0].partition(":")[0]
    confirm = browser.get("/confirm", **{"item": f"{me}:RES_PENSION", f"tier.{me}": "50000"})
    code = browser.submit(confirm, "/pay", form="/pay", by="wechat:native")

    due = browser.get("/due")

    assert "有一笔还没付完" in due.text and "500 元，微信" in due.text
    assert browser.get(due.link("接着看这一笔")).url == code.url
    assert "换一档（现在 500 元档）" in due.text and "820 元" in browser.get("/confirm", **asked_by(due)).text
    browser.submit(code, code.url + "/close", form="/close")
    after = browser.get("/due")
    assert "有一笔还没付完" not in after.text and "换一档（现在 500 元档）" in after.text


def asked_by(due):
    return due.fields("/confirm") | {"item": due.values("item")}


def test_the_way_back_after_paying_says_what_was_paid(running, district, browser):
    """Row of complaints: browser back after success said 没有办成; 查缴费 showed no amounts."""
    page, confirm = started(browser, district)
    running.outside.pay(running.one("select checkout->>'code_url' as code from payment").code)
    eventually(lambda: "缴费成功 · " in browser.get(page.url).text)

    back = browser.get(confirm.url)
    again = browser.submit(confirm, "/pay", form="/pay", by="alipay:native", key="another-key-1")

    for seen in (back, again):
        assert seen.status == 200 and seen.url.endswith("/paid") and "没有办成" not in seen.text
    assert "办好了，交了 320 元" in back.text and "有一笔还没付完" not in browser.get("/due").text


def test_what_is_going_back_is_not_called_done(running, district, browser):
    """Row of complaints: 查缴费 said 办好了 during a refund; a sibling's stays."""
    for who in (district.adult, district.neighbour):
        pay(running, Want(who.id, MEDICAL), key=f"paid-{who.id}")
        browser.look_up(who.name, who.id_number)
    [mine, _] = rows(running, "select number from payment order by number")
    apply(running.parts, mine.number, by="staff:desk")

    page = browser.get("/paid")

    assert page.text.count("交了 320 元，正在申请退费") == 1 and page.text.count("办好了，交了 320 元") == 1
    assert "/refunds/" in page.link("看退费办到哪一步")


def test_a_first_payment_is_seven_screens_and_five_for_who_is_known(running, district, browser):
    """Row of complaints: nine screens. One way without a tier, each page counted."""
    pages = [browser.get("/"), browser.get("/login")]
    pages.append(browser.submit(pages[-1], "/login", form="/login", phone=browser.phone))
    who = {"name": district.adult.name, "id_number": district.adult.id_number, "agreed": "1"}
    code = code_in(last_text(running.url, browser.phone))
    pages.append(browser.submit(pages[-1], "/login/code", form="/login/code", code=code, **who))
    pages.append(browser.get("/confirm", **asked_by(pages[-1])))
    pages.append(browser.submit(pages[-1], "/pay", form="/pay", by="wechat:native"))
    running.outside.pay(running.one("select checkout->>'code_url' as code from payment").code)
    eventually(lambda: "缴费成功 · " in browser.get(pages[-1].url).text)

    assert [page.status for page in pages] == [200] * 6  # and 缴费成功 is the seventh
    known = [page.url.removeprefix(running.url).partition("?")[0] for page in pages]
    assert known[:4] == ["/", "/login", "/login/code", "/due"] and known[4] == "/confirm"  # known: without two of them


def test_an_open_payment_has_a_way_out_on_each_of_its_pages(running, district, browser):
    """U6: while it waits and while it is checked."""
    waiting, _ = started(browser, district)
    running.write(lambda c: c.execute(text("update payment set state = 'unknown', checkout = null")))

    checking = browser.get(waiting.url)

    assert "不付了，取消这个码" in waiting.text and "我没有付，取消这一笔" in checking.text
    left = browser.submit(checking, checking.url + "/close", form="/close")
    assert "付款码已失效" in left.text or "这个码不用了" in left.text


def test_the_lowest_tier_is_ones_own(running, district, browser):
    """Row of complaints: 最低300元 to those who may choose 100; a sibling row keeps his own."""
    running.write(lambda c: a_tier_kept(c, district.adult.id))

    due = browser.look_up(district.adult.name, district.adult.id_number)
    other = browser.look_up(district.neighbour.name, district.neighbour.id_number)

    assert "最低 100 元" in due.text and "最低 300 元" not in due.text
    assert "最低 100 元" in other.text and "最低 300 元" in other.text


def a_tier_kept(connection, person):
    """A third grade of disability: the lowest tier may be chosen, and nothing is waived."""
    kept = "insert into category values (:p, 'RES_PENSION', 'DIS3')"
    connection.execute(text(kept), {"p": person})


def test_a_code_that_is_short_is_said_to_be_short(browser):
    """Row of polish: 12位 was called false instead of 少了4位."""
    short = browser.submit(browser.get("/check"), "/check", form="/check", code="ABCD-EFGH-JKLM")

    assert "查验码是16位，这里填了12位，少了4位" in short.text


def test_nothing_to_pay_has_no_way_to_pay(running, district, browser):
    """U4: an address of items that cost nothing shows one button, and no channel."""
    page = browser.look_up(district.elder.name, district.elder.id_number)
    item = page.values("item")[0]

    confirm = browser.get("/confirm", item=item)

    assert not confirm.values("by") and "都对，办好它" in confirm.text
    assert "已经办好了" in browser.submit(confirm, "/pay", form="/pay").text
