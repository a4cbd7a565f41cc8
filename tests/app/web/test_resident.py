"""A resident's way, from the first page to 缴费成功, over HTTP and with a phone that pays."""

import re
import time
from contextlib import suppress

import pytest
from sqlalchemy import text

from app.access.tally import CODES
from app.flows.prove.check import NoSuchCode
from app.flows.prove.check import check as check_code
from tests.builders import NEW_YEAR, an_id_number
from tests.system import early_in_the_minute


def wait_for(browser, number, words, seconds=8):
    """The payment's page once it says `words`."""
    until = time.monotonic() + seconds
    while True:
        page = browser.get(f"/pay/{number}")
        if words in page.text or time.monotonic() > until:
            assert words in page.text, page.text
            return page
        time.sleep(0.1)


def number_of(page):
    return re.search(r"YC[0-9A-Z]{24}", page.html)[0]


def code_of(running, number):
    with running.parts.engine.connect() as connection:
        return connection.exec_driver_sql(
            "select checkout->>'code_url' from payment where number = %s", (number,)
        ).scalar_one()


def to_the_code(browser, running, person):
    """Name and number, due, confirm, code: the page with the code."""
    due = browser.look_up(person.name, person.id_number)
    confirm = browser.get("/confirm", item=due.values("item"))
    return browser.submit(confirm, "/pay", form='action="/pay"')


def test_a_resident_pays_and_is_told(running, district, browser):
    due = browser.look_up(district.adult.name, district.adult.id_number)
    assert "张*例" in due.text and "320 元" in due.text and "为什么是这个数" in due.text
    assert "财政补助 580 元" in due.text

    confirm = browser.get("/confirm", item=due.values("item"))
    assert "一共 320 元" in confirm.text and "交了不能改档" not in confirm.text, "R8: the medical has no tiers"

    code = browser.submit(confirm, "/pay", form='action="/pay"')
    assert "请用微信扫码付款" in code.text and 'http-equiv="refresh" content="3"' in code.html
    assert "data:image/png;base64," in code.html
    number = number_of(code)
    assert running.outside.pay(code_of(running, number)).status == 200

    done = wait_for(browser, number, "缴费成功 · ")
    assert "2022年1月1日 起可以报销" in done.text and "本页不是税务凭证" in done.text
    assert "http-equiv" not in done.html and "follow.js" not in done.html
    assert "已经交过了：11月5日，微信" in browser.get("/paid").text


def test_a_tier_is_chosen_in_the_flow(running, district, browser):
    due = browser.look_up(district.adult.name, district.adult.id_number)
    tiers = browser.get(due.link("选养老档次"))
    assert "政府再补 30 元" in tiers.text and "政府再补 80 元" in tiers.text

    field = re.search(r'name="(tier\.[^"]+)" value="50000"', tiers.html)[1]
    chosen = browser.get("/due", **{field: "50000"})
    assert "500 元" in chosen.text
    confirm = browser.get("/confirm", **chosen.fields("/confirm"), item=chosen.values("item")[:2])
    assert "一共 820 元" in confirm.text and "交了不能改档" in confirm.text

    code = browser.submit(confirm, "/pay", form='action="/pay"')
    assert "820 元" in code.text


def test_nothing_due_is_one_button(running, district, browser):
    due = browser.look_up(district.elder.name, district.elder.id_number)
    assert "不用交钱 政府替您交。点一下就办好了。" in due.text
    assert "去交费" not in due.text

    after = browser.submit(due, "/pay", form='action="/pay"')
    assert "已经办好了（11月5日），政府替您交" in after.text


def test_a_refusal_says_why(running, district, browser):
    due = browser.look_up(district.worker.name, district.worker.id_number)
    assert "您已参加职工医保，不用再交居民医保。" in due.text


def test_the_family_stands_on_one_page(running, district, browser):
    browser.look_up(district.adult.name, district.adult.id_number)
    due = browser.look_up(district.elder.name, district.elder.id_number)
    assert "张*例" in due.text and "王*奶" in due.text


def test_another_household_pays_apart(running, district, browser):
    browser.look_up(district.adult.name, district.adult.id_number)
    due = browser.look_up(district.neighbour.name, district.neighbour.id_number)
    assert due.text.count("去交费") == 2 and "不是同一户的人，要分开交。" in due.text

    together = browser.submit(browser.get("/confirm", item=due.values("item")), "/pay", form='action="/pay"')
    assert together.status == 400 and "请分开交" in together.text


def test_a_wrong_name_and_an_unknown_number_look_alike(running, district, browser):
    wrong = browser.look_up("张别人", district.adult.id_number)
    unknown = browser.look_up("张别人", an_id_number(sequence=77))

    assert (wrong.status, unknown.status) == (404, 404) and wrong.text == unknown.text
    assert "没有查到" in wrong.text


def test_a_wrong_digit_is_told_at_its_field(running, district, browser):
    number = district.adult.id_number
    page = browser.look_up(district.adult.name, number[:-1] + ("0" if number[-1] != "0" else "1"))
    assert page.status == 422 and "身份证号有一位不对，请对照身份证再看一遍。" in page.text


def test_looking_up_too_often_is_refused(running, district, browser):
    early_in_the_minute(15)
    pages = [browser.look_up("张别人", district.adult.id_number) for _ in range(6)]
    assert [page.status for page in pages] == [404] * 5 + [429]
    assert "查得太频繁了" in pages[-1].text


def test_a_form_without_its_token_does_nothing(running, district, browser):
    browser.sign_in()
    page = browser.post("/who", {"name": district.adult.name, "id_number": district.adult.id_number})
    assert page.status == 400 and "这一步没有办" in page.text


def test_a_code_that_is_not_wanted_is_closed(running, district, browser):
    code = to_the_code(browser, running, district.adult)
    closed = browser.submit(code, f"/pay/{number_of(code)}/close", form="/close")
    assert "付款码已经失效" in closed.text
    assert running.outside.pay(code_of(running, number_of(code)) or "x").status in (404, 409)


def test_pressing_twice_gives_one_payment(running, district, browser):
    due = browser.look_up(district.adult.name, district.adult.id_number)
    confirm = browser.get("/confirm", item=due.values("item"))
    first = browser.submit(confirm, "/pay", form='action="/pay"')
    second = browser.submit(confirm, "/pay", form='action="/pay"')
    assert number_of(first) == number_of(second)


def test_a_strangers_payment_does_not_exist(running, district, browser):
    number = number_of(to_the_code(browser, running, district.adult))
    stranger = type(browser)(running.url)
    assert "/login?" in stranger.get(f"/pay/{number}").url
    stranger.look_up(district.neighbour.name, district.neighbour.id_number)
    assert stranger.get(f"/pay/{number}").status == 404
    token = stranger.get("/check").fields("/check")
    assert stranger.post(f"/pay/{number}/close", token).status == 404
    stranger.close()


def test_a_silent_gateway_is_told_as_checking(running, district, browser):
    running.outside.fault("html", on="create", count=2)
    code = to_the_code(browser, running, district.adult)
    assert "正在向微信核对，钱没有丢，请不要再付一次。" in code.text


def test_a_check_code_tells_true_from_false(running, district, browser):
    code = to_the_code(browser, running, district.adult)
    number = number_of(code)
    running.outside.pay(code_of(running, number))
    done = wait_for(browser, number, "缴费成功 · ")
    check = re.search(r"核对码 ([0-9A-Z]{8})", done.text)[1]

    stranger = type(browser)(running.url)
    asked = stranger.get("/check")
    true = stranger.submit(asked, "/check", form="/check", code=check.lower())
    assert "榴园镇示例村" in true.text and "张*例" in true.text and "320" not in true.text
    false = stranger.submit(asked, "/check", form="/check", code="ZZZZZZZZ")
    assert false.status == 404 and "请不要相信那条通知" in false.text
    for _ in range(CODES[0][1] - 1):
        with suppress(NoSuchCode):
            check_code(running.parts, "ZZZZZZZZ", network="127.0.0.1")
    assert stranger.submit(asked, "/check", form="/check", code="ZZZZZZZZ").status == 429
    stranger.close()


@pytest.mark.parametrize("back", ["https://evil.example", "//evil.example", "/\\evil.example", "javascript:alert(1)"])
def test_the_large_type_leads_nowhere_else(browser, back):
    answer = browser.session.get(f"{browser.base}/type/large", params={"back": back}, allow_redirects=False, timeout=5)
    assert answer.headers["Location"] == "/"


def test_the_large_type_stays(browser):
    assert 'class="large"' not in browser.get("/").html
    assert 'class="large"' in browser.get("/type/large", back="/who").html
    assert 'class="large"' in browser.get("/").html


def test_the_sheet_of_a_card_is_for_keeping(running, district, browser):
    due = browser.look_up(district.adult.name, district.adult.id_number)
    assert "R16" not in due.text and "第四条（一）居民医疗保险" in due.text

    sheet = browser.get(due.link("打印或保存这张说明"))

    assert sheet.status == 200 and "2022年居民医保：为什么是这个数" in sheet.text
    assert "张*例" in sheet.text and district.adult.name not in sheet.text
    assert "财政补助 580 元" in sheet.text and "2021年11月5日 1" in sheet.text
    assert "峄政办发〔2021〕12号第四条（一）居民医疗保险：“2022年标准为总额900元" in sheet.text


def test_a_settled_items_sheet_is_what_its_bill_says(running, district, browser):
    due = browser.look_up(district.poor.name, district.poor.id_number)
    after = browser.submit(due, "/pay", form='action="/pay"')

    sheet = browser.get(after.link("打印或保存这张说明"))

    assert "交了多少，为什么" in sheet.text and "已经办好了（11月5日）" in sheet.text
    assert "政府代缴 320 元" in sheet.text and "政府名单" in sheet.text and "低保" not in sheet.text


@pytest.mark.parametrize("path", ["/sheet/nobody/RES_MEDICAL", "/sheet/nobody/RES_PENSION"])
def test_a_sheet_of_nobody_is_not_there(running, district, browser, path):
    browser.look_up(district.adult.name, district.adult.id_number)
    assert browser.get(path).status == 404


def test_there_is_no_sheet_of_another_insurance(running, district, browser):
    due = browser.look_up(district.adult.name, district.adult.id_number)
    assert browser.get(due.link("打印或保存这张说明").replace("RES_MEDICAL", "RES_LIFE")).status == 404


def test_who_should_pay_nothing_asks_the_bureau_instead_of_paying_late(running, district, browser):
    running.turn(NEW_YEAR)
    due = browser.look_up(district.poor.name, district.poor.id_number)
    assert "请先不要交钱" in due.text and "900 元" not in due.text

    after = browser.submit(due, f"/due/{verify_of(due)}/verify", form="verify")
    again = browser.submit(due, f"/due/{verify_of(due)}/verify", form="verify")

    for page in (after, again):
        assert "已经交给医保局核实，有结果就告诉您，请先不要交钱。" in page.text
        assert "请医保局核实 " not in page.text
    kind, state, by = running.one("select kind, state, requested_by from determination")
    assert (kind, state) == ("late_waiver", "applied") and by.startswith("account:")


def verify_of(page):
    return re.search(r'action="/due/([^"/]+)/verify"', page.html)[1]


def test_a_family_sees_the_sum_first_and_the_payer_before_the_others(running, district, browser):
    """Large type, three people: no total, the payer himself second."""
    browser.look_up(district.adult.name, district.adult.id_number)
    browser.look_up(district.elder.name, district.elder.id_number)
    alone = browser.get("/due").text
    browser.look_up(district.neighbour.name, district.neighbour.id_number)
    running.write(
        lambda connection: connection.execute(
            text("update resident_person set own = person_id = :id"), {"id": district.neighbour.id}
        )
    )

    due = browser.get("/due")

    assert "一共" in due.text and due.text.index("一共") < due.text.index("居民医保")
    names = re.findall(r"<h2>(.) ?.?\*", due.html)
    assert names[0] == district.neighbour.name[0], "himself first"
    assert sorted(names) == sorted(person.name[0] for person in (district.adult, district.elder, district.neighbour))
    assert "320 元" in alone
    confirm = browser.get("/confirm", item=due.values("item")[:1])
    assert confirm.text.index("一共") < confirm.text.index("名字、项目都对吗")
