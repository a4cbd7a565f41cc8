"""A resident, an agent, a mini-program and a desk raise the tier of a pension that is paid; nobody is asked to."""

import re
from datetime import datetime

import pytest

from app.access.roles import Role
from app.flows.pay.start import Want
from app.policy.facts import Insurance
from app.web.api.told import PeopleTold, SheetTold
from app.web.api.told_money import RefundsTold
from core.clock import BEIJING
from tests.app.flows.test_suspense import unknown
from tests.app.web.test_agent import agent, person_page
from tests.app.web.test_api import Api
from tests.app.web.test_office_people import at_desk, page_of
from tests.app.web.test_proofs import file_of, words_of
from tests.app.web.test_refunds import himself
from tests.app.web.test_resident import code_of, number_of, wait_for
from tests.refunding import agree, pay, rows, run_refunds
from tests.shape_years import shape_district
from tests.system import eventually

__all__ = ["agent"]
PENSION = Insurance.RES_PENSION
RAISED = "2022年居民养老补差提档：300元→500元"
LINK = "补差价提高档次（可选）"
BY = {"by": "wechat:native"}


@pytest.fixture(scope="module")
def also(tmp_path_factory):
    return {"DISTRICT": shape_district(tmp_path_factory.mktemp("shapes"))}


@pytest.fixture
def paid(running, district):
    """The adult and the poor one of his house have paid the tier of 300."""
    return pay(running, *(Want(who.id, PENSION, 30000) for who in (district.adult, district.poor)), key="premiums")


def bills(running, person):
    found = rows(
        running, "select tier, raised_from, personal_due, state from bill where person_id = :p order by id", p=person.id
    )
    return sorted((tuple(row) for row in found), key=str)


def test_a_resident_follows_the_quiet_link_and_reads_what_he_raised_everywhere(running, district, browser, paid):
    due = browser.look_up(district.adult.name, district.adult.id_number)
    me = re.search(r'/due/([^/"]+)/rise', due.link(LINK))[1]
    assert due.values("item") == [f"{me}:RES_MEDICAL@2022"] and "补差" not in due.text.replace(LINK, "")
    assert '<span class="total">320</span>' in due.html, "it is no debt"

    choice = browser.get(due.link(LINK), **{f"tier.{me}@2022": "60000"})
    assert "500 元档，补 200 元 政府再补 30 元" in choice.text and "600 元档，补 300 元" in choice.text
    assert "checked" not in choice.html, "nothing is proposed"
    back = browser.get(choice.link("不提了，返回"))
    assert back.fields("/confirm")[f"tier.{me}@2022"] == ["60000"], "the way back loses nothing"
    unchosen = browser.get("/confirm", item=f"{me}:RES_PENSION@2022:rise")
    assert "提高到哪一档" in unchosen.text

    confirm = browser.get("/confirm", **choice.fields("/confirm") | {f"rise.{me}@2022": "50000"})
    assert f"{RAISED} 200 元" in confirm.text and "一年只能提高一次，交了不能再改。" in confirm.text
    assert "300 元档" not in confirm.text and "500 元档" not in confirm.text
    code = browser.submit(confirm, "/pay", form="/pay", by="wechat:native")
    assert RAISED in code.text
    number = number_of(code)
    assert "有一笔还没付完" in browser.get("/due").text
    assert running.outside.pay(code_of(running, number)).status == 200
    shown = wait_for(browser, number, "缴费成功 · ")
    assert RAISED in shown.text and "200 元" in shown.text
    again = browser.get("/due")
    assert "已经补差价提高到 500 元档（11月5日，微信）。一年只能提高一次。" in again.text and LINK not in again.text
    assert again.values("item") == [f"{me}:RES_MEDICAL@2022"]
    assert "补差价" in browser.get(f"/due/{me}/rise").text
    listed = browser.get("/paid")
    assert RAISED in listed.text and "办好了，交了 200 元" in listed.text
    assert f"{RAISED}：交了多少，为什么" in browser.get(f"/sheet/{me}/RES_PENSION@2022:rise").text
    pdf, _ = file_of(browser, browser.get(f"/pay/{number}"), f"/pay/{number}/proof")
    assert "补差提档：300元→500元" in words_of(pdf)
    assert "正在入库" in browser.get(f"/proof/{me}/RES_PENSION@2022:rise").text
    assert bills(running, district.adult) == [(30000, None, 30000, "settled"), (50000, 30000, 20000, "settled")]
    assert bills(running, district.poor) == [(30000, None, 20000, "settled")]

    himself(running, district.adult)
    first = browser.get(f"/refund/{me}/RES_PENSION@2022")
    assert "请先退“补差提档”那一笔" in first.text and 'name="why"' not in first.html
    path = f"/refund/{me}/RES_PENSION@2022:rise"
    asked = browser.get(path, why="wrong_person")
    assert RAISED in asked.text and "200 元" in asked.text
    page = browser.submit(asked, path, form='method="post"')
    refund = page.url.rpartition("/")[2]
    assert "正在申请退费" in browser.get("/paid").text
    agree(running.parts, refund)
    run_refunds(running, refund, "paid")
    assert LINK in browser.get("/due").text


def test_after_the_last_day_there_is_no_link_and_an_old_one_says_why(running, district, browser, paid):
    due = browser.look_up(district.adult.name, district.adult.id_number)
    link = due.link(LINK)
    running.turn(datetime(2022, 12, 1, 0, 5, tzinfo=BEIJING))

    assert LINK not in browser.get("/due").text
    assert "补差价提高档次到2022年11月30日为止，已经过了。" in browser.get(link).text


def test_an_agent_makes_one_code_for_the_difference_and_a_medical_premium(running, district, agent, paid):
    page = person_page(agent, district, district.adult.name)
    assert "补差价提高档次（他想提的才选）" in page.text and "提到 500 元档，补 200，政府补 30" in page.text
    assert '<span class="total">320</span>' in page.html
    mine = re.search(r'<select id="(rise\.[^"]+)"', page.html)[1]
    path = page.url.partition("?")[0]

    shown = agent.submit(page, path, form="data-sum", **{mine: "50000", "act": "show"} | BY)
    assert '<span class="total">520</span>' in shown.html and re.search(r'value="50000"[^>]*selected', shown.html)
    mine = re.search(r'<select id="(rise\.[^"]+)"', shown.html)[1]
    code = agent.post(path, shown.fields("data-sum") | {mine: "50000"} | BY)

    assert RAISED in code.text and "520" in code.text
    assert running.outside.pay(code_of(running, number_of(code))).status == 200
    eventually(
        lambda: (
            len(bills(running, district.adult)) == 3
            and {each[-1] for each in bills(running, district.adult)} == {"settled"}
        )
    )
    listed = agent.get(f"/agent/villages/{district.village}").text
    assert "医保 1 / 3 人办好，养老 2 / 2 人办好" in listed and "养老办好了；养老" not in listed
    page = person_page(agent, district, district.adult.name)
    assert RAISED in page.text and "他想提的才选" not in page.text.partition("同一户还有")[0]
    assert bills(running, district.poor) == [(30000, None, 20000, "settled")]


def test_the_api_offers_it_beside_what_is_paid(running, district, paid):
    api = Api(running)
    me, sibling = api.look_up(district.adult), api.look_up(district.poor)
    told = PeopleTold.model_validate(api.get("/due").json).people
    medical, pension = told[0].due
    assert medical.rise is None and pension.settled and (pension.rise.raised_from, pension.rise.tier) == (30000, None)
    assert next((each.tier, each.personal_due, each.gov_subsidy) for each in pension.rise.tiers) == (50000, 20000, 3000)
    chosen = api.get("/due", **{f"rise.{me}@2022": "50000"}).json["people"][0]["due"][1]["rise"]
    assert (chosen["title"], chosen["personal_due"]) == (RAISED, 20000)
    assert chosen["price_until"].startswith("2022-11-30T16:00:00")

    item = {"person": me, "insurance": "RES_PENSION", "year": 2022, "rise": True}
    assert api.pay(item).json["reason"] == "TIER_REQUIRED"
    assert api.pay(item | {"tier": 90000}).json["reason"] == "TIER_ILLEGAL"
    assert api.pay(item | {"tier": 50000, "rise": "yes"}).status_code == 422
    answer = api.pay(item | {"tier": 50000}).json
    assert (answer["amount"], [each["title"] for each in answer["items"]]) == (20000, [RAISED])
    running.outside.pay(answer["code_url"])
    eventually(lambda: api.get(f"/payments/{answer['number']}").json["state"] == "paid")
    second = api.pay(item | {"tier": 80000})
    assert (second.status_code, second.json["reason"]) == (409, "ALREADY_PAID") and "一年只能提高一次" in second.json[
        "message"
    ]
    dues = PeopleTold.model_validate(api.get("/due").json).people[0].due
    assert [(due.title, due.settled, due.raised_from) for due in dues][2] == (RAISED, True, 30000)
    sheet = SheetTold.model_validate(api.get(f"/people/{me}/sheet/RES_PENSION@2022:rise").json)
    assert (sheet.personal_due, sheet.account_credit) == (20000, 23000)

    found = RefundsTold.model_validate(api.get("/refunds").json).refundable
    mine = [(each.rise, each.available) for each in found if each.person == me]
    assert mine == [(False, 30000), (True, 20000)]
    himself(running, district.adult)
    wanted = {"person": me, "insurance": "RES_PENSION", "year": 2022, "why": "twice"}
    key = {"Idempotency-Key": "refund-rise"}
    no = api.post("/refunds", wanted | {"expected_available": 30000}, **key)
    assert (no.status_code, no.json["code"]) == (409, "RAISED_SINCE")
    yes = api.post("/refunds", wanted | {"expected_available": 20000, "rise": True}, **key)
    assert (yes.status_code, yes.json["amount"]) == (201, 20000)
    assert [each.available for each in found if each.person == sibling] == [20000]


def test_a_desk_uses_money_in_doubt_for_the_difference(running, district, paid):
    key = unknown(running, 20000)
    client = at_desk(running, Role.TAX_CLERK, "clerk01")
    path = f"/office/suspense/{key.household_id}/{key.cause}"
    assert "2022年养老补差提档（交过以后提高到下面选的档）" in client.get(path).text
    said = {"name": district.adult.name, "id_number": district.adult.id_number, "insurance": "RES_PENSION@2022:rise"}
    shown = client.post(f"{path}/propose", data=said | {"tier@2022": "500"}, follow_redirects=True).text

    assert f"{RAISED} 200 元" in shown
    assert "已经交过了" in client.get(page_of(client, district.adult)).text
