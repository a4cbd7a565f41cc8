"""A resident, an agent, a mini-program and a desk choose a level of the medical insurance and an amount for the
pension; an old address without a level leads to the choice, and nothing is lost on the way."""

import re
from datetime import datetime

import pytest

from app.access.roles import Role
from app.web.api.told import PeopleTold, PolicyTold
from core.clock import BEIJING
from tests.app.flows.test_suspense import unknown
from tests.app.web.test_agent import agent, person_page
from tests.app.web.test_api import Api
from tests.app.web.test_office_people import at_desk, page_of
from tests.app.web.test_proofs import file_of, words_of
from tests.app.web.test_resident import code_of, number_of, wait_for
from tests.level_years import level_district
from tests.refunding import rows

__all__ = ["agent"]
LATE = datetime(2022, 1, 15, 9, tzinfo=BEIJING)
BY = {"by": "wechat:native"}
BILLS = "select person_id, insurance, level, tier, personal_due, state from bill order by issued_at, insurance, id"


@pytest.fixture(scope="module")
def also(tmp_path_factory):
    return {"DISTRICT": level_district(tmp_path_factory.mktemp("levels"))}


def bills(running, person):
    found = rows(running, BILLS)
    return [(bill.level, bill.tier, bill.personal_due, bill.state) for bill in found if bill.person_id == person.id]


def test_a_resident_chooses_pays_and_reads_his_level_everywhere(running, district, browser):
    browser.look_up(district.neighbour.name, district.neighbour.id_number)
    due = browser.look_up(district.adult.name, district.adult.id_number)
    assert "请先选一档：一档、二档。" in due.text and "请先定交多少：最少 1000 元" in due.text
    me = re.search(r'/due/([^/"]+)/level', due.link("选医保档次"))[1]

    choice = browser.get(due.link("选医保档次"))
    assert "一档，交 320 元" in choice.text and "二档，交 500 元" in choice.text and "财政补助 580 元" in choice.text
    assert choice.fields("/due")[f"level.{me}@2022"] == ["1"], "the year begins with its first"
    due = browser.get("/due", **choice.fields("/due") | {f"level.{me}@2022": "2"})
    assert "2022年居民医保（二档）" in due.text and "500 元" in due.text and "换一档（现在是二档）" in due.text
    assert "现在是二档" in browser.get(browser.get(due.link("换一档")).link("返回")).text, "nor who only looks again"
    assert "2022年居民医保（二档）" in browser.get(due.link("打印或保存这张说明")).text

    confirm = browser.get("/confirm", **due.fields("/confirm") | {"item": due.values("item")})
    assert "2022年居民医保（二档） 500 元" in confirm.text
    code = browser.submit(confirm, "/pay", form="/pay", by="wechat:native")
    assert "换一档（现在是二档）" in browser.get("/due").text, "what was begun is remembered"
    number = number_of(code)
    assert running.outside.pay(code_of(running, number)).status == 200
    paid = wait_for(browser, number, "缴费成功 · ")
    assert "2022年居民医保（二档）" in paid.text and "2022年居民医保（二档）" in browser.get("/paid").text
    pdf, _ = file_of(browser, browser.get(f"/pay/{number}"), f"/pay/{number}/proof")
    assert "二档" in words_of(pdf)
    assert bills(running, district.adult) == [(2, None, 50000, "settled")]
    assert bills(running, district.neighbour) == []


def test_an_old_address_without_a_level_leads_to_the_choice_with_nothing_lost(running, district, browser):
    due = browser.look_up(district.adult.name, district.adult.id_number)
    me = re.search(r'/due/([^/"]+)/level', due.html)[1]
    old = {"item": [f"{me}:RES_MEDICAL", f"{me}:RES_PENSION@2022"], f"tier.{me}": "123400"}

    choice = browser.get("/confirm", **old)
    assert "交哪一档" in choice.text and f"/due/{me}/level" in choice.url
    kept = choice.fields("/confirm")
    assert kept["item"] == old["item"] and kept[f"tier.{me}"] == ["123400"]
    confirm = browser.get("/confirm", **kept | {f"level.{me}@2022": "1"})
    assert "2022年居民医保（一档） 320 元" in confirm.text and "1234 元" in confirm.text
    assert "元档" not in confirm.text and "交了不能改档" in confirm.text, "an amount is no tier, a level is one"

    form = confirm.fields("/pay")
    asked = browser.post("/pay", {name: values for name, values in form.items() if "level" not in name} | BY)
    assert f"/due/{me}/level" in asked.url and "交哪一档" in asked.text and bills(running, district.adult) == []
    code = browser.post("/pay", form | BY)
    assert bills(running, district.adult) == [(1, None, 32000, "open"), (None, 123400, 123400, "open")]
    number = number_of(code)
    assert running.outside.pay(code_of(running, number)).status == 200
    paid = wait_for(browser, number, "缴费成功 · ")
    pdf, _ = file_of(browser, browser.get(f"/pay/{number}"), f"/pay/{number}/proof")
    [paper] = running.write(lambda c: c.exec_driver_sql("select code from proof").scalars().all())
    checked = browser.submit(browser.get("/check"), "/check", form="/check", code=paper)
    assert all("1234" in each and "元档" not in each for each in (paid.text, checked.text))
    assert "—1234.00" in words_of(pdf), "no tier stands there"


def test_an_amount_is_typed_between_its_bounds(running, district, browser):
    due = browser.look_up(district.adult.name, district.adult.id_number)
    choice = browser.get(due.link("定养老交多少"))
    [field] = re.findall(r'name="(yuan\.[^"]+)"', choice.html)
    item = field.removeprefix("yuan.")
    assert 'value="1000"' in choice.html and "最少 1000 元，最多 9000 元，整元。" in choice.text
    path = f"/due/{item.partition('@')[0]}/tier"

    for typed in ("999", "9001", "1234.50", "一千", "-5"):
        wrong = browser.get(path, **choice.fields(path) | {field: typed, "amount": "1"})
        assert wrong.status == 422 and "金额不对：最少 1000 元，最多 9000 元，只能是整元。" in wrong.text
        assert f'value="{typed}"' in wrong.html, "what was typed stands there"
    for typed in ("1234", " １２３４ 元", "1,234"):
        chosen = browser.get(path, **choice.fields(path) | {field: typed, "amount": "1"})
        assert chosen.values(f"tier.{item}") == ["123400"] and "换一个数（现在 1234 元）" in chosen.text
    assert "元档" not in browser.get(re.findall(r'href="([^"]*/sheet/[^"]*PENSION[^"]*)"', chosen.html)[0]).text
    again = browser.get(chosen.link("换一个数"))
    assert "现在 1234 元" in browser.get(again.link("返回")).text, "who only looks loses nothing"


def test_who_may_not_choose_sees_why(running, district, browser):
    running.write(
        lambda c: c.exec_driver_sql(
            "update person set school = 'university', student = true where id = %s", (district.adult.id,)
        )
    )
    due = browser.look_up(district.adult.name, district.adult.id_number)
    assert "按规定，您的医保不分档，不用选。" in due.text and "150 元" in due.text and "选医保档次" not in due.text
    me = due.values("item")[0].partition(":")[0]
    assert "的医保不分档，不用选。" in browser.get(f"/due/{me}/level").text
    other = browser.look_up(district.neighbour.name, district.neighbour.id_number)
    assert "选医保档次" in other.text, "the neighbour may"

    running.turn(LATE)
    [theirs] = set(re.findall(r'/due/([^/"]+)/level', browser.get("/due").html)) - {me}
    late = browser.get(f"/due/{theirs}/level")
    assert "一档，交 320 元" in late.text and "已经截止" not in late.text
    assert "集中缴费已结束，这一档不能再交了，请选别的档。" in late.text
    assert late.values(f"level.{theirs}@2022") == ["1"]


def test_an_agent_makes_one_code_for_two_levels_and_an_amount(running, district, agent):
    page = person_page(agent, district, district.adult.name)
    assert "一档，交 320" in page.text and "二档，交 500" in page.text and "养老交多少（元）" in page.text
    assert re.search(r'value="1" data-fen="32000" selected', page.html), "the year's first, for who sits here"
    assert '<span class="total">320</span>' in page.html
    mine, poor, amount = _fields(page, district)
    path = page.url.partition("?")[0]

    wrong = agent.submit(page, path, form="data-sum", **{mine: "2", amount: "九百"} | BY)
    assert "“九百”不是金额" in wrong.text and 'value="九百"' in wrong.html and bills(running, district.adult) == []
    mine, poor, amount = _fields(wrong, district)
    low = agent.submit(wrong, path, form="data-sum", **{mine: "2", amount: "900"} | BY)
    assert "金额不对：最少 1000 元" in low.text and 'value="900"' in low.html and bills(running, district.adult) == []
    fields = low.fields("data-sum") | BY
    shown = agent.post(path, fields | {mine: "2", poor: "2", amount: "1200", "act": "show"})
    assert '<span class="total">1880</span>' in shown.html
    fields = shown.fields("data-sum") | BY
    code = agent.post(path, fields | {mine: "2", poor: "2", amount: "1200"})

    assert "2022年居民医保（二档）" in code.text and "1880" in code.text
    assert bills(running, district.adult) == [(2, None, 50000, "open"), (None, 120000, 120000, "open")]
    assert bills(running, district.poor) == [(2, None, 18000, "open")]
    listed = agent.get(f"/agent/villages/{district.village}")
    assert "医保选档后交" in listed.text and "养老定好数再交" in listed.text


def test_the_button_of_what_is_free_makes_no_code_for_another_level(running, district, agent):
    page = person_page(agent, district, district.poor.name)
    item = re.search(r'name="only" value="([^"]+:RES_MEDICAL@2022)"', page.html)[1]
    path = page.url.partition("?")[0]
    mine = f"level.{item.partition(':')[0]}@2022"

    again = agent.post(path, page.fields("data-sum") | {mine: "2", "only": item})

    assert "选的项目变了，一共是 180 元" in again.text and bills(running, district.poor) == []
    agent.post(path, again.fields("data-sum") | {mine: "", "only": item})
    assert bills(running, district.poor) == [(1, None, 0, "settled")] and bills(running, district.adult) == []


def _fields(page, district):
    """The fields of the two levels and of the amount of him at the table: names are given anew on each page."""
    table, _, family = page.html.partition(f"{district.poor.name} <span")
    levels = [re.search(r'<select id="(level[^"]+)"', each)[1] for each in (table, family)]
    return (*levels, re.search(r'<input id="(yuan[^"]+)"', table)[1])


def test_the_api_takes_a_level_and_an_amount(running, district):
    api = Api(running)
    me, sibling = api.look_up(district.adult), api.look_up(district.poor)
    told = PeopleTold.model_validate(api.get("/due").json).people
    medical, pension = told[0].due
    assert (medical.reason_code, medical.level) == ("LEVEL_REQUIRED", None)
    assert [(each.name, each.personal_due) for each in medical.levels] == [("一档", 32000), ("二档", 50000)]
    assert pension.amounts.model_dump() == {"least": 100000, "most": 900000, "step": 100} and pension.tiers == []
    chosen = api.get("/due", **{f"level.{me}@2022": "2"}).json["people"]
    assert (chosen[0]["due"][0]["title"], chosen[0]["due"][0]["personal_due"]) == ("2022年居民医保（二档）", 50000)
    assert chosen[1]["due"][0]["level"] == 1, "what costs nothing need not be chosen"
    assert "（二档）" in api.get(f"/people/{me}/sheet/RES_MEDICAL@2022", **{f"level.{me}@2022": "2"}).json["title"]

    item = {"person": me, "insurance": "RES_MEDICAL", "year": 2022}
    assert api.pay(item).json["reason"] == "LEVEL_REQUIRED"
    assert api.pay(item | {"level": 3}).json["reason"] == "LEVEL_ILLEGAL"
    assert api.pay(item | {"level": "2"}).status_code == 422
    amount = {"person": me, "insurance": "RES_PENSION", "year": 2022, "tier": 123450}
    assert api.pay(amount).json["message"] == "金额不对：最少 1000 元，最多 9000 元，只能是整元。"
    both = [item | {"level": 2}, {"person": sibling, "insurance": "RES_MEDICAL", "level": 2}, amount | {"tier": 123400}]
    paid = api.pay(*both).json
    assert paid["amount"] == 50000 + 18000 + 123400
    assert [each["title"] for each in paid["items"]].count("2022年居民医保（二档）") == 2
    policy = PolicyTold.model_validate(api.get("/policy").json)
    assert (policy.levels, policy.between) == ([1, 2], [100000, 900000])


def test_a_desk_and_a_command_say_the_level(running, district):
    key = unknown(running, 50000)
    client = at_desk(running, Role.TAX_CLERK, "clerk01")
    path = f"/office/suspense/{key.household_id}/{key.cause}"
    page = client.get(path).text
    assert "2022年医保档次" in page and "2022年养老交多少（元，1000到9000）" in page
    said = {"name": district.adult.name, "id_number": district.adult.id_number, "insurance": "RES_MEDICAL@2022"}
    assert "请先选一档" in client.post(f"{path}/propose", data=said).text
    shown = client.post(f"{path}/propose", data=said | {"level@2022": "2"}, follow_redirects=True).text
    assert "2022年居民医保（二档） 500 元" in shown
    assert "2022年居民医保" in client.get(page_of(client, district.adult)).text

    command = running.app.test_cli_runner().invoke
    asked = ["sheet", "show", "--name", district.adult.name, "--level", "2", "--tier", "1234"]
    told = command(args=asked, input=f"{district.adult.id_number}\n").output
    assert "2022年居民医保（二档）" in told
    assert "应交 500 元" in told and "应交 1234 元" in told
    other = unknown(running, 18000, reference="4200010")
    words = ["--by", "li", "--name", district.poor.name, "--insurance", "RES_MEDICAL", "--level", "2"]
    proposed = command(args=["suspense", "propose", other.cause, *words], input=f"{district.poor.id_number}\n")
    assert proposed.exit_code == 0, proposed.output
    assert bills(running, district.poor) == [(2, None, 18000, "open")]
    assert bills(running, district.adult) == [(2, None, 50000, "open")]
