"""A resident asks for his money back, on pages and by the API, and follows every step."""

import re
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest
from sqlalchemy import event, text

from app.flows.pay.start import Want
from app.flows.refund import steps as refund
from app.policy.facts import Insurance
from app.web.api.told_money import RefundsTold, RefundTold
from tests.app.web.test_api import Api, medical
from tests.builders import NEW_YEAR, NOON
from tests.refunding import CLERK, agree, pay, rows, run_refunds, start
from tests.system import eventually


def paid(running, person, *more, key="k"):
    return pay(running, Want(person.id, Insurance.RES_MEDICAL), *more, key=key)


def himself(running, person):
    """Whoever looked this person up did so from the registered phone."""
    running.write(
        lambda connection: connection.execute(
            text("update resident_person set own = true where person_id = :id"), {"id": person.id}
        )
    )


def test_a_resident_asks_and_follows_each_dated_step(running, district, browser):
    paid(running, district.adult)
    browser.look_up(district.adult.name, district.adult.id_number)
    himself(running, district.adult)

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
    himself(running, district.adult)
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
    himself(running, district.adult)

    path = browser.get("/paid").link("申请退费")
    page = browser.get(path)

    assert "医保待遇已经开始，按规定不能退。可以要求书面说明。" in page.text
    assert page.values("why") == ["twice", "wrong_amount"]
    assert browser.get(path, why="elsewhere").status == 400


def test_a_no_is_read_with_its_reason(running, district, browser):
    paid(running, district.adult)
    browser.look_up(district.adult.name, district.adult.id_number)
    himself(running, district.adult)
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
    himself(running, district.adult)

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
    himself(running, district.adult)
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
    himself(running, district.adult)
    theirs = other.look_up(district.elder)
    paid(running, district.adult)
    number = ask(api, person).json["number"]

    assert ask(api, person).json["number"] == number, "the same wish again is the same refund"
    for spoilt in ({"why": "twice"}, {"expected_available": 1}):
        answer = ask(api, person, **spoilt)
        assert (answer.status_code, answer.json["code"]) == (409, "KEY_REUSED")
    for whoever in (theirs, other.look_up(district.adult)):  # another wish, and the very same one
        answer = ask(other, whoever)
        assert answer.status_code in (403, 409) and number not in answer.text, "no leak of the first answer"


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
    himself(running, district.adult)
    paid(running, district.adult)

    answer = ask(api, person, **spoilt)

    assert answer.status_code == status and code in (None, answer.json["code"])
    assert rows(running, "select * from refund") == []


def test_an_approval_by_the_asking_account_stays_impossible_through_the_door(running, district):
    api = Api(running)
    person = api.look_up(district.adult)
    himself(running, district.adult)
    paid(running, district.adult)
    number = ask(api, person).json["number"]

    for path in ("approve", "accept", "decide"):
        assert api.post(f"/refunds/{number}/{path}", {}).status_code == 404
    assert rows(running, "select word from refund_step") == [("applied",)]


def test_only_who_paid_or_the_person_himself_asks_for_the_money(running, district):
    """M4: a second phone that knows name and number sees the item and is told who may ask; nothing is reserved."""
    paid(running, district.adult)
    stranger, own = Api(running), Api(running)
    theirs, mine = stranger.look_up(district.adult), own.look_up(district.adult)
    registered(running, own, district.adult)

    [seen] = stranger.get("/refunds").json["refundable"]
    refused = ask(stranger, theirs)

    assert (refused.status_code, refused.json["code"]) == (403, "NOT_YOUR_REFUND")
    assert seen["reasons"] == [] and "付款的账号" in seen["refused"]
    assert rows(running, "select * from refund") == []
    assert ask(own, mine).status_code == 201


def test_who_began_the_payment_asks_by_his_account_and_it_stands_in_every_step(running, district):
    """M4: the daughter who paid for her mother; a sibling's payment by another phone is not hers."""
    daughter, other = Api(running), Api(running)
    for api in (daughter, other):
        api.look_up(district.adult)
    person = daughter.look_up(district.poor)
    begun = other.pay(medical(other.look_up(district.adult))).json
    running.outside.pay(begun["code_url"])
    eventually(lambda: rows(running, "select 1 from payment where state = 'paid'"))

    assert ask(daughter, daughter.look_up(district.adult)).status_code == 403
    answer = ask(other, other.look_up(district.adult))

    assert answer.status_code == 201 and person
    account = rows(running, "select started_by from payment")[0].started_by
    assert re.fullmatch(r"account:\d+", account)
    assert rows(running, "select applied_by from refund") == [(account,)]
    assert rows(running, "select by from refund_step") == [(account,)]


def test_the_person_hears_that_his_money_was_asked_for_and_what_to_do_if_it_was_not_he(running, district):
    """M4: on the registered phone, whoever paid by WeChat."""
    api = Api(running)
    person = api.look_up(district.adult)
    registered(running, api, district.adult)
    paid(running, district.adult)

    assert ask(api, person).status_code == 201
    running.turn(NOON)
    running.tell()

    texts = [one["text"] for one in running.outside.get("/messages")["messages"] if one["to"] == api.phone]
    [said] = [each for each in texts if "退费申请" in each]
    assert "不是您要退的，请马上打" in said and len(said) <= 134


def test_one_key_at_the_same_moment_is_one_refund_and_one_answer(running, district):
    """K23: ten taps of one finger."""
    api = Api(running)
    person = api.look_up(district.adult)
    himself(running, district.adult)
    paid(running, district.adult)

    with ThreadPoolExecutor(10) as pool:
        answers = list(pool.map(lambda _: ask(api, person), range(10)))

    assert {answer.status_code for answer in answers} == {201}
    assert {answer.json["number"] for answer in answers} == {rows(running, "select number from refund")[0].number}
    assert len(rows(running, "select * from refund")) == 1


def test_the_list_asks_the_database_as_often_for_one_as_for_four(running, district):
    """L5: a query for what could go back and one for what goes, however many people and refunds."""
    alone, family = Api(running), Api(running)
    alone.look_up(district.elder)
    person, *_ = [family.look_up(each) for each in (district.adult, district.poor, district.elder, district.worker)]
    himself(running, district.adult)
    paid(running, district.adult)
    asked = ask(family, person)
    assert asked.status_code == 201

    counts = []
    for api in (alone, family):
        with counted(running) as statements:
            answer = api.get("/refunds")
        assert answer.status_code == 200
        counts.append(len(statements))

    assert counts[0] == counts[1] <= 6
    [told] = RefundsTold.model_validate(family.get("/refunds").json).refunds
    assert told == RefundTold.model_validate(asked.json)


@contextmanager
def counted(running):
    """Every statement that the web sends."""
    statements = []

    def hear(_connection, _cursor, statement, *_):
        if "business_clock" not in statement:  # looked at once a second, whoever asks
            statements.append(statement)

    event.listen(running.parts.engine, "before_cursor_execute", hear)
    yield statements
    event.remove(running.parts.engine, "before_cursor_execute", hear)


def registered(running, api, person):
    """The bureaus know this person by the phone that this session proved."""
    sealed = running.parts.vault.seal(api.phone, bound_to=f"person.phone:{person.id}")
    running.write(
        lambda connection: connection.execute(
            text("update person set phone = :phone where id = :id"), {"phone": sealed, "id": person.id}
        )
    )
    api.look_up(person)


def test_who_asked_takes_it_back_and_may_ask_again(running, district, browser):
    """No way to take back one's own refund wish."""
    paid(running, district.adult)
    browser.look_up(district.adult.name, district.adult.id_number)
    himself(running, district.adult)
    path = browser.get("/paid").link("申请退费")
    asked = browser.submit(browser.get(path, why="employee"), path, form='method="post"')
    assert "撤回申请" in asked.text and "最晚12月5日给您答复，还有 30 天" in asked.text

    page = browser.submit(asked, f"{asked.url}/withdraw", form="/withdraw")

    assert "申请撤回了，钱没有动。" in page.text and "撤回申请" not in page.text and "书面说明" not in page.text
    assert "什么原因" in browser.get(path).text or "单位给我参保了" in browser.get(path).text
    other = refund.apply(running.parts, rows(running, "select number from payment")[0].number, by=CLERK).number
    assert browser.get(f"/refunds/{other}").status == 200
    assert "撤回申请" not in browser.get(f"/refunds/{other}").text, "another one's wish is his to take back"
