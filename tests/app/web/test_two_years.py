"""From October on two levy years are collected at once: a resident sees each by its name and pays none by mistake."""

import re
from datetime import date, datetime, time

import pytest

from app.flows.pay.start import Want
from app.flows.register.open_year import close_year, open_year
from app.policy.facts import Insurance
from core.clock import BEIJING
from tests.app.web.test_api import Api
from tests.refunding import pay, rows
from tests.system import eventually

OCTOBER = datetime(2022, 10, 20, 9, tzinfo=BEIJING)


@pytest.fixture
def both(running, district):
    """2023 was opened while 2022 can be paid late."""
    running.turn(OCTOBER)
    assert open_year(running.office, 2023, by="operator:test")
    running.parts.levy.look()
    return district


def pay_what_is_out(running):
    [(code,)] = rows(running, "select checkout->>'code_url' from payment where state = 'pending'")
    running.outside.pay(code)
    eventually(lambda: not rows(running, "select from payment where state = 'pending'"))


def items(page):
    """(item, whether it is ticked) of the page's ticks."""
    ticks = re.findall(r'<input[^>]*type="checkbox" name="item" value="([^"]+)"[^>]*?( checked)?>', page.html)
    return {item.partition(":")[2]: bool(checked) for item, checked in ticks}


def test_both_years_stand_on_one_page_and_only_the_newer_is_ticked(running, both, browser):
    page = browser.look_up(both.adult.name, both.adult.id_number)

    assert "2022年居民医保（逾期）" in page.text and "2023年居民医保" in page.text
    assert "2023年居民医保（逾期）" not in page.text
    assert items(page) == {"RES_MEDICAL@2023": True, "RES_MEDICAL@2022": False}
    assert "2022年没交的，还可以补交" in browser.get("/").text


def test_both_are_paid_in_one_payment_and_each_is_booked_under_its_year(running, both, browser):
    page = browser.look_up(both.adult.name, both.adult.id_number)
    wanted = [each for each in page.values("item") if "RES_MEDICAL" in each]
    confirm = browser.get("/confirm", item=wanted)
    home = browser.get("/confirm", item=wanted, home=wanted)
    assert "2022年居民医保（逾期）" in home.text + confirm.text and "这里有往年的" in home.text

    code = browser.submit(home, "/pay", form="/pay", by="wechat:native").text
    assert code.index("2023年居民医保 ") < code.index("2022年居民医保（逾期）") and "2023年居民医保（逾期）" not in code
    pay_what_is_out(running)

    late, normal = (running.parts.levy.rules(year).medical for year in (2022, 2023))
    assert rows(running, "select levy_year, personal_due from bill where state = 'settled' order by 1") == [
        (2022, late.base.total),
        (2023, normal.base.personal),
    ]
    number, description = running.one("select number, description from payment")
    assert description.endswith("2022、2023年度城乡居民保险费")
    receipt = browser.get(f"/pay/{number}").text
    assert "2022年居民医保（逾期）" in receipt and "2022年居民医保（逾期）" in browser.get("/history").text
    assert "2022年居民医保：从 2022年11月20日 起" in receipt and "2023年居民医保：从 2023年1月1日 起" in receipt
    paid = browser.get("/paid")
    assert paid.text.index("2023年缴费情况") < paid.text.index("2022年居民医保")


def test_an_item_that_names_no_year_is_asked_for_anew(running, both):
    api = Api(running)
    person = api.look_up(both.adult)
    item = {"person": person, "insurance": "RES_MEDICAL"}

    refused = api.pay(item)
    assert (refused.status_code, refused.json["code"]) == (422, "YEAR_UNSAID")
    assert api.pay(item | {"year": 2023}).status_code == 201


def test_what_was_paid_for_a_year_is_there_when_it_is_closed(running, both, browser):
    page = browser.look_up(both.adult.name, both.adult.id_number)
    sheets = sorted(each for each in re.findall(r'href="(/sheet/[^"]*)"', page.html) if each.endswith("@2022"))
    [tier] = {each for each in re.findall(r'href="([^"]*/tier[^"]*)"', page.html) if "year=2022" in each}
    [late] = [each for each in page.values("item") if each.endswith("@2022")]
    browser.submit(browser.get("/confirm", item=[late], home=[late]), "/pay", form="/pay", by="wechat:native")
    pay_what_is_out(running)

    assert close_year(running.office, 2022, by="operator:test")
    running.parts.levy.look()

    assert "（逾期）" not in browser.get("/due").text
    paid = browser.get("/paid")
    assert "2022年居民医保" in paid.text and "缴费凭证" in paid.html
    proof = next(each for each in re.findall(r'href="([^"]*/proof/[^"]*)"', paid.html) if "2022" in each)
    assert browser.get(proof).status == 200
    paid, unpaid = (browser.get(each) for each in sheets)
    assert "已经交过了" in paid.text and (unpaid.status, browser.get(tier).status) == (409, 409)
    assert "2022年度现在不收了" in unpaid.text, "it said what to pay now, and until when"


def test_who_has_only_the_late_year_left_can_go_on_to_pay_it(running, both, browser):
    """Nothing is ticked for him, but the button is there; once nothing is left to pay it is not."""
    page = browser.look_up(both.adult.name, both.adult.id_number)
    for year in ("2023", "2022"):
        page = browser.get("/due")
        assert '<button form="pay-1">' in page.html
        [item] = [each for each in page.values("item") if each.endswith(f"RES_MEDICAL@{year}")]
        browser.submit(browser.get("/confirm", item=[item], home=[item]), "/pay", form="/pay", by="wechat:native")
        pay_what_is_out(running)

    assert '<button form="pay-1">' not in browser.get("/due").html


def test_the_pages_of_a_tier_name_their_year_and_end_with_it(running, both, browser):
    page = browser.look_up(both.adult.name, both.adult.id_number)
    [late] = [each for each in page.values("item") if each.endswith("@2022")]
    person = late.partition(":")[0]

    elsewhere = browser.get("/confirm", away=[late])
    tier = browser.get(elsewhere.link("接着办养老"))
    assert "2022年居民养老，张*例交哪一档？" in tier.text and f"tier.{person}@2022" in tier.html
    assert close_year(running.office, 2022, by="operator:test")

    refused = browser.get(f"/due/{person}/tier", year=2022)
    assert refused.status == 409 and "2022年度现在不收了。" in refused.text
    assert "2023年居民养老" in browser.get(f"/due/{person}/tier", year=2023).text


def test_the_first_page_calls_nobody_to_a_former_year_after_its_last_day(running, both, browser):
    """Nobody has closed 2022 yet."""
    called = []
    for day in (date(2022, 12, 31), date(2023, 1, 1)):
        running.turn(datetime.combine(day, time(9), BEIJING))
        called.append("2022年没交的，还可以补交" in browser.get("/").text)

    assert called == [True, False]


def test_a_tier_is_chosen_for_a_year_that_is_named_beside_the_one_paid_before(running, both, browser):
    """The bureau's file of the new year was carried over: its last tier is that of the year before the last."""
    page = browser.look_up(both.adult.name, both.adult.id_number)

    def ask(year):
        [link] = {each for each in re.findall(r'href="([^"]*/tier[^"]*)"', page.html) if f"year={year}" in each}
        return browser.get(link).text

    pay(running, Want(both.adult.id, Insurance.RES_PENSION, 50000, levy_year=2022), key="2022")
    former, newest = "2022年居民养老，", "2023年居民养老，"

    assert newest in (said := ask(2023)) and former not in said and "上次交的是 500 元档" in said
    assert former in (said := ask(2022)) and newest not in said and "500 元档。" not in said.partition("养老档次")[0]


def test_an_amount_between_that_was_paid_before_is_called_no_tier(running, both, browser):
    last = "update enrolment set last_tier = 123400 where insurance = 'RES_PENSION'"
    running.write(lambda connection: connection.exec_driver_sql(last))
    page = browser.look_up(both.adult.name, both.adult.id_number)

    assert "上次交的是 1234 元。" in browser.get(page.link("选养老档次")).text


def test_who_comes_back_finds_what_he_ticked_and_what_he_began(running, both, browser):
    """The ticks of a former year were lost on the way back, and those of the newest that he took out came again."""
    page = browser.look_up(both.adult.name, both.adult.id_number)
    item = next(each for each in page.values("item") if each.endswith("RES_MEDICAL@2022"))
    tier = {f"tier.{item.partition(':')[0]}@2022": "50000"}
    chosen = browser.get("/due", **tier)
    wanted = [each for each in chosen.values("item") if each.endswith("@2022")]
    assert len(wanted) == 2

    confirm = browser.get("/confirm", item=wanted, home=wanted, **tier)
    back = browser.get(confirm.link("不对，返回改"))

    assert items(back) == {"RES_MEDICAL@2023": False, "RES_MEDICAL@2022": True, "RES_PENSION@2022": True}
    assert f'<span class="total">{_total(confirm)}</span>' in back.html
    browser.submit(confirm, "/pay", form="/pay", by="wechat:native")
    begun = browser.get("/due")
    assert items(begun) == {"RES_MEDICAL@2023": True, "RES_MEDICAL@2022": False, "RES_PENSION@2022": False}
    assert "换一档（现在 500 元档）" in begun.text


def _total(page):
    return re.search(r'class="amount">([0-9]+)', page.html)[1]
