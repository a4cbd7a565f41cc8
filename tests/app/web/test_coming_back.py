"""Somebody comes back: after a long pause, with the browser's own button, with a payment he did not finish."""

from sqlalchemy import text

from tests.app.web.test_api import Api
from tests.browsing import Browser


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
