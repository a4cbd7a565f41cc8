"""A phone, a code, an account: what lets a resident in, what does not, and what an account may see."""

import re
from base64 import urlsafe_b64encode
from datetime import timedelta

import pytest
from sqlalchemy import text

from app.flows.enter.session import open_session, visitor_of
from app.flows.enter.sign_in import LIFE, TRIES, WrongCode, ask_code, prove_code
from app.flows.pay.history import history
from tests.app.web.test_api import Api, medical, pension
from tests.browsing import Browser, a_phone, a_token, code_in
from tests.builders import a_person, an_id_number
from tests.system import early_in_the_minute, eventually, last_text


def a_visitor(running):
    return visitor_of(running.parts, open_session(running.parts, network="here").token)


def asked(running, visitor, phone):
    """A code is asked for; the code that came."""
    ask_code(running.parts, visitor, phone=phone, network="here")
    return code_in(last_text(running.url, phone))


def other_than(code):
    return f"{(int(code) + 1) % 1_000_000:06d}"


def registered(running, person, phone):
    """The registry has this phone for the person."""
    sealed = running.parts.vault.seal(phone, bound_to=f"person.phone:{person}")
    running.write(lambda c: c.execute(text("update person set phone = :p where id = :id"), {"p": sealed, "id": person}))


def test_a_newcomer_is_at_his_dues_on_the_third_screen(running, district, browser):
    who = {"name": district.adult.name, "id_number": district.adult.id_number, "agreed": "1"}

    due = browser.sign_in(**who)

    assert due.url.endswith("/due") and "320 元" in due.text and district.adult.id_number not in due.html


def test_who_comes_back_needs_the_code_only(running, district, browser):
    browser.look_up(district.adult.name, district.adult.id_number)
    again = Browser(running.url, phone=browser.phone)
    running.write(lambda c: c.execute(text("delete from tally")))

    page = again.sign_in()

    assert page.url.endswith("/due") and "320 元" in page.text
    again.close()


def test_nobody_is_looked_up_without_a_proved_phone(running, district, browser):
    browser.get("/login")
    token = browser.get("/login").fields("/login")
    named = {"name": district.adult.name, "id_number": district.adult.id_number, "agreed": "1"}

    page = browser.post("/who", token | named)
    answer = Api(running).post("/people", {"name": district.adult.name, "id_number": district.adult.id_number})

    assert page.url.endswith("/login") and "320" not in page.text
    assert (answer.status_code, answer.json["code"]) == (401, "LOGIN_REQUIRED")


def test_nobody_is_looked_up_before_the_notice_is_agreed_to(running, district, browser):
    browser.sign_in()
    named = {"name": district.adult.name, "id_number": district.adult.id_number}

    refused = browser.submit(browser.get("/who"), "/who", form="/who", **named)
    agreed = browser.submit(refused, "/who", form="/who", **named, agreed="1")

    assert refused.status == 422 and "请先看一看《个人信息怎么用》" in refused.text
    assert agreed.url.endswith("/due")
    assert running.one("select count(*) as n, max(version) as version from consent") == (1, "2021-11")


def test_a_wrong_code_is_said_and_the_right_one_still_works(running, browser):
    page = browser.submit(browser.get("/login"), "/login", form="/login", phone=browser.phone)
    code = code_in(last_text(running.url, browser.phone))

    wrong = browser.submit(page, "/login/code", form="/login/code", code=other_than(code))
    right = browser.submit(wrong, "/login/code", form="/login/code", code=code)

    assert wrong.status == 422 and "验证码不对" in wrong.text and code not in wrong.html
    assert right.url.endswith("/who")


def test_five_tries_and_the_code_is_dead(running):
    visitor, phone = a_visitor(running), a_phone()
    code = asked(running, visitor, phone)
    for _ in range(TRIES):
        with pytest.raises(WrongCode):
            prove_code(running.parts, visitor, code=other_than(code))

    with pytest.raises(WrongCode):
        prove_code(running.parts, visitor, code=code)


def test_a_code_works_once_in_its_session_within_its_time(running):
    visitor, stranger, phone = a_visitor(running), a_visitor(running), a_phone()
    code = asked(running, visitor, phone)

    with pytest.raises(WrongCode):
        prove_code(running.parts, stranger, code=code)
    prove_code(running.parts, visitor, code=code)
    with pytest.raises(WrongCode):
        prove_code(running.parts, visitor, code=code)

    late = a_visitor(running)
    code = asked(running, late, a_phone())
    ago = LIFE + timedelta(seconds=1)
    running.write(lambda c: c.execute(text("update login_code set expires_at = expires_at - :ago"), {"ago": ago}))
    with pytest.raises(WrongCode):
        prove_code(running.parts, late, code=code)


def test_a_code_is_nowhere_but_in_the_message(running, browser):
    page = browser.submit(browser.get("/login"), "/login", form="/login", phone=browser.phone)
    code = code_in(last_text(running.url, browser.phone))

    row = running.one("select phone, digest from login_code")

    assert code not in page.html and browser.phone not in page.html + page.url
    assert code.encode() not in bytes(row.digest) and browser.phone.encode() not in bytes(row.phone)


def test_a_phone_gets_one_text_a_minute_and_five_an_hour(running, browser):
    early_in_the_minute(20)
    first = browser.submit(browser.get("/login"), "/login", form="/login", phone=browser.phone)
    second = browser.submit(browser.get("/login"), "/login", form="/login", phone=browser.phone)
    said = [Api(running).post("/session/phone", {"phone": browser.phone}).status_code for _ in range(2)]

    assert first.status == 200 and "/login/code" in second.url and "秒以后可以再要一条" in second.text
    assert said == [200, 429]  # one more session of this address may ask
    texts = running.outside.get("/messages?channel=sms")["messages"]
    assert sum(message["to"] == browser.phone for message in texts) == 2


def test_every_phone_gets_the_same_answer(running, district, browser):
    browser.look_up(district.adult.name, district.adult.id_number)
    running.write(lambda c: c.execute(text("delete from tally")))
    known, unknown = Browser(running.url, phone=browser.phone), Browser(running.url)

    pages = [each.submit(each.get("/login"), "/login", form="/login", phone=each.phone) for each in (known, unknown)]

    said = [re.sub(r"138\*{4}\d{4}|\d+ 秒", "", page.text) for page in pages]
    assert said[0] == said[1] and pages[0].status == pages[1].status == 200
    known.close(), unknown.close()


def test_a_number_that_is_no_phone_is_said_at_the_field(running, browser):
    page = browser.submit(browser.get("/login"), "/login", form="/login", phone="1380000")
    assert page.status == 422 and "手机号要11位" in page.text
    wide = browser.submit(page, "/login", form="/login", phone="１３８ ０００９ ９９９９")
    assert "/login/code" in wide.url


def test_silence_of_the_text_provider_is_said(running, browser):
    running.outside.fault("error", on="sms")
    page = browser.submit(browser.get("/login"), "/login", form="/login", phone=browser.phone)
    assert page.status == 503 and "短信暂时发不出去" in page.text


def test_the_session_is_another_one_after_the_code(running, district, browser):
    browser.submit(browser.get("/login"), "/login", form="/login", phone=browser.phone)
    before = browser.session.cookies["session"]
    browser.post(
        "/login/code",
        browser.get("/login/code").fields("/login/code") | {"code": code_in(last_text(running.url, browser.phone))},
    )

    assert browser.session.cookies["session"] != before
    assert visitor_of(running.parts, before) is None


def test_himself_only_by_the_registered_phone(running, district, browser):
    registered(running, district.adult.id, browser.phone)
    browser.look_up(district.adult.name, district.adult.id_number)
    browser.look_up(district.elder.name, district.elder.id_number)

    me = browser.get("/me").text

    assert "张*例 本人" in me and "王*奶 家人" in me and district.adult.name not in me
    assert f"{browser.phone[:3]}****{browser.phone[-4:]}" in me and browser.phone not in me


def test_who_held_a_person_for_himself_hears_that_another_phone_does(running, district, browser):
    registered(running, district.adult.id, browser.phone)
    browser.look_up(district.adult.name, district.adult.id_number)
    other = Browser(running.url)
    registered(running, district.adult.id, other.phone)

    other.look_up(district.adult.name, district.adult.id_number)

    assert "由新手机号登录" in last_text(running.url, browser.phone)
    assert "张*例 家人" in browser.get("/me").text and "张*例 本人" in other.get("/me").text
    other.close()


def test_family_is_let_go_on_every_device_and_comes_back(running, district, browser):
    browser.look_up(district.adult.name, district.adult.id_number)
    running.write(lambda c: c.execute(text("delete from tally")))
    second = Browser(running.url, phone=browser.phone)
    second.sign_in()
    me = browser.get("/me")
    place = next(line for line in me.html.split('"') if line.endswith("/remove"))

    gone = browser.submit(me, place, form="/remove")
    elsewhere = second.get("/due")
    back = browser.look_up(district.adult.name, district.adult.id_number)

    assert "还没有人" in gone.text
    assert elsewhere.url.endswith("/who")
    assert "320 元" in back.text and "320 元" in second.get("/due").text
    second.close()


def test_ten_new_people_a_day(running, district):
    numbers = [an_id_number(sequence=300 + n) for n in range(11)]
    with running.office.engine.begin() as connection:
        for n, number in enumerate(numbers):
            a_person(connection, name=f"李家人{n}", id_number=number, household=district.household)
    api = Api(running)

    statuses = [api.find(f"李家人{n}", number).status_code for n, number in enumerate(numbers)]

    assert statuses == [200] * 10 + [429]


def test_a_lost_phone_is_out_at_once(running, district, browser):
    browser.look_up(district.adult.name, district.adult.id_number)
    running.write(lambda c: c.execute(text("delete from tally")))
    found = Browser(running.url, phone=browser.phone)
    found.sign_in()

    page = found.submit(found.get("/me"), "/me/others/end", form="/me/others/end")

    assert "其他手机上的登录都退出了" in page.text
    assert "/login?over=1" in browser.get("/due").url and found.get("/due").url.endswith("/due")
    found.close()


def test_a_wechat_user_who_joined_needs_no_text_again(running, district):
    code = running.outside.post("/phone/login-code", {"phone": "li"})
    first = Api(running, code["code"])
    first.look_up(district.adult)
    again = running.outside.post("/phone/login-code", {"phone": "li"})

    second = Api(running, again["code"])

    me = second.get("/me").json
    assert [each["masked_name"] for each in me["people"]] == ["张*例"] and me["agreed"] is True
    stranger = Api(running, running.outside.post("/phone/login-code", {"phone": "wang"})["code"])
    assert stranger.get("/me").status_code == 401


def paid_by(api, running, item):
    number = api.pay(item).json["number"]
    row = running.one("select checkout->>'code_url' as code from payment where number = :n", n=number)
    running.outside.pay(row.code)
    eventually(lambda: api.get(f"/payments/{number}").json["state"] == "paid")
    return number


def test_the_history_is_the_accounts_own(running, district):
    mine, theirs = Api(running), Api(running)
    number = paid_by(mine, running, medical(mine.look_up(district.adult)))
    theirs.look_up(district.adult)  # family too, and pays nothing

    assert [each["number"] for each in mine.get("/payments").json["payments"]] == [number]
    assert mine.get("/payments").json["after"] is None
    assert theirs.get("/payments").json == {"payments": [], "after": None}


def test_what_i_paid_stays_mine_when_i_let_him_go(running, district):
    """B18: the payment was 404 and gone from the history; who only held him too sees it as little as before."""
    mine, theirs = Api(running), Api(running)
    person = mine.look_up(district.adult)
    number = paid_by(mine, running, medical(person))
    theirs.look_up(district.adult)

    mine.client.delete(f"/api/v1/me/people/{person}", headers=mine._headers())

    assert mine.get("/due").json["people"] == []
    assert [each["number"] for each in mine.get("/payments").json["payments"]] == [number]
    assert mine.get(f"/payments/{number}").json["state"] == "paid"
    assert theirs.get("/payments").json["payments"] == []
    stranger = Api(running)
    stranger.sign_in()
    assert stranger.get(f"/payments/{number}").status_code == 404
    paper = mine.post(f"/payments/{number}/proof", {}).json["code"]
    assert [each.get(f"/proofs/{paper}/file").status_code for each in (mine, stranger)] == [200, 404]


def test_the_history_comes_in_pages(running, district):
    api = Api(running)
    person = api.look_up(district.adult)
    numbers = [paid_by(api, running, item) for item in (medical(person), pension(person, 30000))]
    visitor = visitor_of(running.parts, api.token)

    first = history(running.parts, visitor, most=1)
    second = history(running.parts, visitor, after=first.after, most=1)

    seen = [payment.number for page in (first, second) for payment in page.payments]
    assert sorted(seen) == sorted(numbers) and first.after and not second.after
    assert first.payments[0].paid_at >= second.payments[0].paid_at


@pytest.mark.parametrize(
    "place",
    [
        "x",
        "2021-11-05T04:00:00+00:00 \0",
        "2021-11-05T04:00:00 YC211105000000019B205GPS7C",
        "0001-01-01T00:00:00+14:00 YC211105000000019B205GPS7C",
        "2021-11-05T04:00:00+00:00 nobody",
    ],
)
def test_a_page_nobody_gave_is_said(running, place):
    api = Api(running)
    api.sign_in()

    answer = api.get("/payments", after=urlsafe_b64encode(place.encode()).decode().rstrip("="))

    assert (answer.status_code, answer.json["code"]) == (400, "BAD_CURSOR")


def test_who_proved_his_phone_is_in_even_if_the_look_up_must_wait(running, district, browser):
    number = an_id_number(sequence=77)
    early_in_the_minute(15)
    for _ in range(2):  # ten look-ups of one number in a minute from one address, whoever asks
        api = Api(running)
        for n in range(5):
            api.find(f"某某{n}", number)

    page = browser.sign_in(name="某某", id_number=number, agreed="1")

    assert page.status == 429 and "过一会儿再试" in page.text
    assert browser.get("/me").url.endswith("/me")


def test_another_accounts_reference_is_nobody(running, district):
    mine, theirs = Api(running), Api(running)
    person = theirs.look_up(district.adult)
    mine.look_up(district.elder)

    said = mine.client.delete(f"/api/v1/me/people/{person}", headers=mine._headers())

    assert said.status_code == 404
    assert len(theirs.get("/me").json["people"]) == 1


def test_an_ended_session_is_over_at_once(running):
    token = a_token(running)
    call = running.app.test_client()
    headers = {"Authorization": f"Bearer {token}"}

    assert call.delete("/api/v1/session", headers=headers).json == {"ended": 1}
    assert call.get("/api/v1/me", headers=headers).status_code == 401
