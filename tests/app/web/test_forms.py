"""A form sent wrong keeps what was typed: name, number, consent, a ticked box; never a password or a code."""

import re
from html import unescape

from sqlalchemy import text

from app.access.tally import TEXTS_FROM
from core.redact import mask_phone
from tests.browsing import Browser, a_phone, code_in
from tests.system import early_in_the_minute, last_text
from tests.walking import Walk

TYPED = {"phone": "13800009999", "name": "张示例", "login": "somebody", "q": "示例", "code": "12345678"}
WRONG = "错"


def forms(page):
    """Address and typed fields (name → tag) of every form that somebody types into."""
    for attributes, inner in re.findall(r"<form\b([^>]*)>(.*?)</form>", page.html, re.S):
        tags = re.findall(r'<input\b[^>]*type="(?:text|password|search|tel|checkbox)"[^>]*>', inner)
        typed = {re.search(r'name="([^"]*)"', tag)[1]: tag for tag in tags}
        if any("checkbox" not in tag for tag in typed.values()):
            action = re.search(r'action="([^"]*)"', attributes)
            yield (unescape(action[1]) if action else page.path), typed


def is_secret(tag):
    return 'type="password"' in tag or "one-time-code" in tag


def kept(html, name):
    """The value of a field of the answer; of a box, whether it is ticked."""
    tag = re.search(rf'<input\b[^>]*name="{name}"[^>]*>', html)
    if tag is None:
        return None
    if 'type="checkbox"' in tag[0]:
        return " checked" in tag[0]
    value = re.search(r'value="([^"]*)"', tag[0])
    return unescape(value[1]) if value else ""


def lost(running, browser, district, page) -> list[str]:
    """What an answer forgot, for each field of each form once typed wrong."""
    found = []
    for action, typed in forms(page):
        values = {name: TYPED.get(name, district.adult.id_number) for name in typed}
        for wrong in [name for name, tag in typed.items() if "checkbox" not in tag]:
            running.write(lambda connection: connection.execute(text("delete from tally")))
            token = {"csrf_token": re.search(r'name="csrf_token" value="([^"]*)"', page.html)[1]}
            answer = browser.post(action, token | values | {wrong: WRONG})
            for name, tag in typed.items():
                expected = {True: "", False: True if "checkbox" in tag else WRONG if name == wrong else values[name]}
                held = kept(answer.html, name)
                if held is not None and held != expected[is_secret(tag)]:
                    found.append(f"{action}: {name} is {held!r} after a wrong {wrong}")
                if held is None and not is_secret(tag) and name != "agreed":  # written down, and not asked again
                    found.append(f"{action}: no {name} after a wrong {wrong}: {answer.status} {answer.text[:80]}")
    return found


def pages(running, browser, *paths):
    return list(Walk(running, browser.session, lambda _page: iter(())).from_pages(*paths).seen.values())


def test_what_a_stranger_typed_stands_there_again(running, district, browser):
    browser.submit(browser.get("/login"), "/login", form="/login", phone=browser.phone)
    seen = pages(running, browser, "/", "/login/code")

    typed_into = {action for page in seen for action, _ in forms(page)}
    assert {"/login", "/login/code", "/check", "/agent/login"} <= typed_into
    assert [fault for page in seen for fault in lost(running, browser, district, page)] == []


def test_what_a_resident_typed_stands_there_again(running, district, browser):
    browser.sign_in()
    fresh = pages(running, browser, "/who")
    assert [fault for page in fresh for fault in lost(running, browser, district, page)] == []

    browser.look_up(district.adult.name, district.adult.id_number)
    seen = pages(running, browser, "/", "/me")

    assert "/who" in {action for page in seen for action, _ in forms(page)}
    assert [fault for page in seen for fault in lost(running, browser, district, page)] == []


def test_what_an_agent_typed_stands_there_again(running, district, an_agent, browser):
    browser.log_in(*an_agent)

    seen = [page for page in pages(running, browser, "/agent/") if "/agent/pay" not in page.path]

    assert any("villages" in action for page in seen for action, _ in forms(page))
    assert [fault for page in seen for fault in lost(running, browser, district, page)] == []


def test_name_number_and_consent_stay_with_a_wrong_code_and_through_the_next_page(running, district, browser):
    asked = browser.submit(browser.get("/login"), "/login", form="/login", phone=browser.phone)
    named = {"name": "张别人", "id_number": district.adult.id_number, "agreed": "1"}

    wrong = browser.submit(asked, "/login/code", form="/login/code", code="000000x", **named)
    right = code_in(last_text(running.url, browser.phone))
    unknown = browser.submit(wrong, "/login/code", form="/login/code", code=right, **named)

    for page in (wrong, unknown):
        assert [kept(page.html, name) for name in ("name", "id_number")] == ["张别人", district.adult.id_number]
    assert kept(wrong.html, "agreed") is True and "我同意" not in unknown.text  # agreed to is agreed to
    assert kept(wrong.html, "code") == ""
    assert unknown.status == 404 and "没有查到" in unknown.text


def test_a_second_text_within_the_minute_leads_to_the_page_of_the_first(running, browser):
    """Row of complaints: the page of the code was lost; B24: ten taps locked the phone for hours."""
    page = browser.get("/login")
    early_in_the_minute(15)
    again = [browser.submit(page, "/login", form="/login", phone=browser.phone) for _ in range(10)][-1]

    assert again.status == 200 and "/login/code" in again.url
    assert mask_phone(browser.phone) in again.text and browser.phone not in again.html
    assert re.search(r"没收到，\d+ 秒以后可以再要一条", again.text) and again.link("填错了") == "/login?then=due"
    most = running.one("select max(count) as most from tally").most
    assert most == 10, "of the network; the phone's own is one"
    texts = [each for each in running.outside.get("/messages")["messages"] if each["to"] == browser.phone]
    assert len(texts) == 1
    running.write(lambda c: c.execute(text("delete from tally where window_start > now() - interval '61 s'")))
    assert browser.submit(browser.get("/login"), "/login", form="/login", phone=browser.phone).status == 200
    assert len([each for each in running.outside.get("/messages")["messages"] if each["to"] == browser.phone]) == 2


def test_another_phone_within_the_minute_is_another_phone(running, browser):
    """A sibling: the code of one phone says nothing of another's, whose text was asked for elsewhere."""
    other = a_phone()
    for _ in range(TEXTS_FROM[0][1]):
        elsewhere = Browser(running.url)
        elsewhere.submit(elsewhere.get("/login"), "/login", form="/login", phone=other)
        elsewhere.close()
    browser.submit(browser.get("/login"), "/login", form="/login", phone=browser.phone)

    page = browser.submit(browser.get("/login"), "/login", form="/login", phone=other)

    assert page.status == 429 and "短信要得太勤了" in page.text and kept(page.html, "phone") == other


def test_each_limit_says_what_there_was_too_much_of(running, an_agent, browser):
    """B26: a login tried too often said 查得太频繁了; the login stays, the password never."""
    page = browser.get("/agent/login")
    fields = {"login": an_agent[0], "password": "wrong password", "code": "000000"}

    tried = [browser.submit(page, "/agent/login", form="login", **fields) for _ in range(6)][-1]

    assert tried.status == 429 and "登录试得太多了" in tried.text and "查得太频繁" not in tried.text
    assert kept(tried.html, "login") == an_agent[0] and "wrong password" not in tried.html
