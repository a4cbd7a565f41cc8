"""A year in which long-term care insurance is collected with the medical premium: one amount for the resident, and in
every book, at the treasury and the bureau each fund by itself, to the fen. A pension and another year do not change."""

import re
from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path

import pytest
from sqlalchemy.exc import DBAPIError

from app.flows.due.quote import amount_due, subjects
from app.flows.enter.accounts import add_agent
from app.flows.pay.start import NotPayable, Want
from app.flows.refund.entitle_late import ask_for_entitled
from app.flows.refund.follow import follow, follow_all
from app.flows.refund.wish import refundable
from app.flows.register.open_year import open_year
from app.flows.suspense import solve
from app.flows.suspense.desk import doubt, doubts, proposal
from config.postgres import Server
from core.clock import BEIJING
from payments.errors import SuspenseUnfit
from tests.app.flows.test_entitle_late import recognise
from tests.app.web.test_api import Api, medical
from tests.app.web.test_office import PASSWORD, client_of
from tests.app.web.test_office_people import find
from tests.app.web.test_proofs import file_of, words_of
from tests.app.web.test_resident import code_of, number_of, wait_for
from tests.browsing import Browser
from tests.builders import an_id_number
from tests.journeys.fund import (
    CARE,
    MEDICAL,
    PENSION,
    POS,
    Played,
    district_with_a_fund,
    moved,
    upgraded,
)
from tests.journeys.fund_in_books import (
    every_account_has_its_own_to_the_fen,
    the_bureau_confirms_each_by_itself,
    the_day_is_closed_and_certified_by_fund,
    the_offices_see_each_fund_by_its_name,
    the_treasury_books_each_fund_and_the_certificate_waits_for_both,
)
from tests.refunding import CLERK, LEAD, agree, agreed, balances, pay, rows, run_refunds, start, state
from tests.rosters import in_force
from tests.system import eventually


@pytest.fixture
def played(server: Server, tmp_path: Path) -> Iterator[Played]:
    with district_with_a_fund(server, tmp_path) as played:
        a_database_that_was_not_upgraded_for_the_fund_takes_nobodys_money(played)
        upgraded(server, played)
        yield played


def test_another_fund_is_collected_from_the_first_page_to_the_last_book(played: Played) -> None:
    the_page_says_what_is_no_premium_and_it_is_paid_in_one_amount(played)
    whoever_is_spared_the_premium_alone_pays_the_fund_at_his_agents(played)
    a_department_pays_a_part_or_all_of_it_by_the_api_and_for_nothing(played)
    a_card_pays_both_and_money_in_doubt_no_less(played)
    every_account_has_its_own_to_the_fen(played)
    the_day_is_closed_and_certified_by_fund(played)
    the_treasury_books_each_fund_and_the_certificate_waits_for_both(played)
    the_bureau_confirms_each_by_itself(played)
    the_offices_see_each_fund_by_its_name(played)
    what_was_paid_goes_back_to_both_funds(played)
    whoever_is_recognised_later_gets_both_back_and_the_department_owes_both(played)
    another_year_has_its_own_fund_and_not_this_one(played)
    done = played.running.app.test_cli_runner().invoke(args=["ledger", "check"])
    assert done.exit_code == 0, done.output


def a_database_that_was_not_upgraded_for_the_fund_takes_nobodys_money(played: Played) -> None:
    running, client = played.running, played.running.app.test_client()
    ready = client.get("/readyz")
    assert (ready.status_code, ready.json["schema"]) == (503, False)
    with pytest.raises(DBAPIError, match="nothing is collected for LONG_TERM_CARE"):
        start(running, Want(played.people["adult"], MEDICAL), key="too early")
    done = running.app.test_cli_runner().invoke(args=["year", "check", "2022"])
    assert done.exit_code == 1 and "科目表里还没有这些账户，请运行 db upgrade：2022年度长期护理保险费" in done.output
    assert "应收残联代缴长期护理保险" in done.output


def the_page_says_what_is_no_premium_and_it_is_paid_in_one_amount(played: Played) -> None:
    running, browser = played.running, Browser(played.running.url)
    eventually(lambda: running.app.test_client().get("/readyz").status_code == 200)
    due = browser.look_up("张示例", played.number("adult"))
    assert "340 元" in due.text and "其中长期护理保险 20 元" in due.text and "应交 340 元" in due.text
    assert "长期护理保险 20 元" in due.text and "个人缴纳 320 元" in due.text
    assert "920 元" in browser.get(due.link("打印或保存这张说明")).text
    item = due.values("item")[0]
    tier = {f"tier.{item.partition(':')[0]}@2022": "30000"}
    both = browser.get("/due", **tier)
    confirm = browser.get("/confirm", item=both.values("item"), **tier)
    assert "640" in confirm.text and "其中长期护理保险 20 元" in confirm.text and confirm.text.count("长期护理") == 1
    code = browser.submit(confirm, "/pay", form='action="/pay"')
    number = played.paid["adult"] = number_of(code)
    assert running.outside.pay(code_of(running, number)).status == 200
    paid = wait_for(browser, number, "缴费成功 · ")
    assert "640 元" in paid.text and "340 元，其中长期护理保险 20 元" in paid.text
    running.tell()
    listed = browser.get("/paid").text
    assert "办好了，交了 340 元 其中长期护理保险 20 元" in listed and listed.count("长期护理") == 1
    assert any("640元" in each["text"] for each in running.outside.get("/messages")["messages"])
    pdf, _ = file_of(browser, browser.get(f"/pay/{number}"), f"/pay/{number}/proof")
    assert "其中长期护理保险20.00" in words_of(pdf) and "340.00" in words_of(pdf) and "陆佰肆拾元整" in words_of(pdf)
    sheet = browser.get(browser.get("/due").link("打印或保存这张说明")).text
    assert "加起来一共 920 元，您交其中的 340 元" in sheet and "进长期护理保险" in sheet
    browser.close()


def whoever_is_spared_the_premium_alone_pays_the_fund_at_his_agents(played: Played) -> None:
    running, browser = played.running, Browser(played.running.url)
    add_agent(running.office, login="liu", name="柳代办", password=PASSWORD, villages=[played.village])
    in_force(running)
    browser.log_in("liu", PASSWORD)
    listed = browser.get(f"/agent/villages/{played.village}")
    assert "长期护理保险 20 元" in listed.text and "医保 20 元" not in listed.text and "医保 325 元" in listed.text
    page = browser.get(listed.link("李示老"))
    assert "要交 20 元" in page.text and "医保费政府替您交，您只交长期护理保险 20 元。" in page.text
    assert "告诉他了，办好它" not in page.html.partition("同一户还有")[0]
    shown = browser.submit(page, page.url, form="data-sum", by="alipay:native")
    number = played.paid["old"] = re.search(r"YC[0-9A-Z]{24}", shown.html)[0]
    assert running.outside.pay(code_of(running, number)).status == 200
    eventually(lambda: state(running, number) == "paid")
    assert running.one("select amount from payment where number = :n", n=number).amount == 2000
    browser.close()


def a_department_pays_a_part_or_all_of_it_by_the_api_and_for_nothing(played: Played) -> None:
    running, people = played.running, played.people
    api = Api(running)
    helped = api.find(*played.named("helped")).json
    [own, _] = helped["due"]
    assert (own["personal_due"], own["total"], own["within"]) == (32500, 92000, ["其中长期护理保险 5 元"])
    care = [(line["payer"], line["amount"], line["text"]) for line in own["lines"] if line["fund"] == CARE]
    assert care == [("resident", 500, "长期护理保险 5 元"), ("government", 1500, "长期护理保险政府代缴 15 元")]
    child = api.find(*played.named("child")).json
    assert (child["due"][0]["personal_due"], child["due"][0]["within"]) == (32000, []), "he is not meant"
    answer = api.pay(medical(helped["person"]), medical(child["person"]), kind="native")
    assert answer.json["amount"] == 64500
    assert sorted(each["within"] for each in answer.json["items"]) == [[], ["其中长期护理保险 5 元"]]
    running.outside.pay(answer.json["code_url"])
    eventually(lambda: state(running, answer.json["number"]) == "paid")

    assert start(running, Want(people["poor"], MEDICAL), key="poor").state == "settled", (
        "who is spared both pays nothing"
    )
    played.paid["later"] = pay(running, Want(people["later"], MEDICAL), key="later")


def a_card_pays_both_and_money_in_doubt_no_less(played: Played) -> None:
    running, found = played.running, Want(played.people["found"], MEDICAL)
    line = "T01,00000{0},示例村,1234,340.00,2021-11-05 11:0{0}:00,,{1},居民医疗保险"
    nobody = an_id_number(born=date(1960, 1, 1))
    assert played.take("pos", POS, line.format(1, played.number("card")), line.format(2, nobody), total="680.00").taken
    [settled] = rows(running, "select personal_due, total from bill where settled_by ~ 'ccb_pos'")
    assert (settled.personal_due, settled.total) == (34000, 92000)
    [held] = doubts(running.parts)
    assert held.amount == 34000
    with pytest.raises(SuspenseUnfit):
        solve.propose(running.parts, held.key, [Want(played.people["found"], PENSION, 30000)], by=CLERK)
    solve.propose(running.parts, held.key, [found], by=CLERK)
    shown, _, proposed = doubt(running.parts, held.key)
    assert [each.amount for each in proposed] == [34000]
    solve.settle(running.parts, held.key, proposal(shown, proposed), by=LEAD)
    assert doubts(running.parts) == []


def what_was_paid_goes_back_to_both_funds(played: Played) -> None:
    running, before = played.running, balances(played.running)
    adult = subjects(running.parts, [played.people["adult"]])[0]
    by = rows(running, "select started_by from payment where number = :n", n=played.paid["adult"])[0].started_by
    premium, pension = (refundable(running.parts, adult, each, 2022, actor=by) for each in (MEDICAL, PENSION))
    assert (premium.amount, premium.together) == (34000, "连同长期护理保险一起退，不能只退其中一样。")
    assert (pension.amount, pension.together) == (30000, None)
    assert (premium.within, pension.within) == (["其中长期护理保险 20 元"], [])
    asked = agreed(running.parts, played.paid["adult"])
    [going], of_one = follow_all(running.parts, [adult]), follow(running.parts, asked.number)
    assert sorted(each.within for each in going.items) == [[], ["其中长期护理保险 20 元"]]
    assert sorted(each.within for each in of_one.items) == [[], ["其中长期护理保险 20 元"]]
    run_refunds(running, asked.number, "paid")
    assert moved(before, balances(running)) == {
        "clearing:wechat": -64000,
        "fund:RES_MEDICAL:2022": 90000,
        "fund:LONG_TERM_CARE:2022": 2000,
        "fund:RES_PENSION:2022": 33000,
        "receivable:gov_subsidy:finance:RES_MEDICAL": -58000,
        "receivable:gov_subsidy:finance:RES_PENSION": -3000,
    }
    assert played.funds(date(2021, 11, 8)) == {
        ("RES_MEDICAL", 2022): -32000,
        (CARE, 2022): -2000,
        ("RES_PENSION", 2022): -30000,
    }


def whoever_is_recognised_later_gets_both_back_and_the_department_owes_both(played: Played) -> None:
    running, before = played.running, balances(played.running)
    recognise(running, played.people["later"])
    assert ask_for_entitled(running.parts) == 1, "and nobody else, though old pays for the fund alone"
    [row] = rows(running, "select number, amount from refund where why = 'late_entitlement'")
    assert row.amount == 34000
    agree(running.parts, row.number)
    run_refunds(running, row.number, "paid")
    assert moved(before, balances(running)) == {
        "clearing:wechat": -34000,
        "receivable:gov_substitute:civil:RES_MEDICAL": 32000,
        "receivable:gov_substitute:civil:LONG_TERM_CARE": 2000,
    }


def another_year_has_its_own_fund_and_not_this_one(played: Played) -> None:
    running, at = played.running, datetime(2022, 10, 21, 10, tzinfo=BEIJING)
    running.turn(at)
    assert open_year(running.office, 2023, by="operator:test")
    running.parts.levy.look()
    codes = rows(running, "select code from account where code ~ '(LONG_TERM|ACCIDENT).*[0-9]$' order by code")
    assert [row.code for row in codes] == [
        f"{kind}:{fund}" for kind in ("fund", "treasury") for fund in ("ACCIDENT:2023", "LONG_TERM_CARE:2022")
    ]
    done = running.app.test_cli_runner().invoke(args=["year", "check", "2023"])
    assert "替居民付钱的单位本区都有，科目表里有账户" in done.output
    adult = subjects(running.parts, [played.people["adult"]])[0]
    new, late = (amount_due(running.parts, adult.in_year(year), MEDICAL, at=at) for year in (2023, 2022))
    assert (new.quote.to_pay, list(new.said.within)) == (36000, ["其中意外伤害保险 10 元"])
    clerk = client_of(running, "clerk02")
    hit = re.search(r'href="(/office/people/[^"]+)"', find(clerk, played.number("adult")).text)[1]
    desk = clerk.get(hit).text
    assert "360 元" in desk and "其中意外伤害保险 10 元" in desk
    assert "现在交要920元（本来340元，另外580元政府补助也要自己出）" in late.text
    with pytest.raises(NotPayable):
        start(running, Want(played.people["old"], MEDICAL, levy_year=2022), key="again")
    before = balances(running)
    pay(running, Want(played.people["adult"], MEDICAL, levy_year=2023), key="2023")
    assert moved(before, balances(running)) == {
        "clearing:wechat": 36000,
        "fund:ACCIDENT:2023": -1000,
        "fund:RES_MEDICAL:2023": -96000,
        "receivable:gov_subsidy:finance:RES_MEDICAL": 61000,
    }
