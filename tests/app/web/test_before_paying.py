"""What a resident's pages say before he pays: until when, how much for whom, what it costs to be late, how to scan."""

import re
from datetime import datetime

from core.clock import BEIJING
from tests.browsing import a_phone

JANUARY = datetime(2022, 1, 15, 12, tzinfo=BEIJING)


def test_who_pays_nothing_reads_his_last_day(running, district, browser):
    """R3: 点一下就办好了, and no day; who pays has his own sentence of old."""
    page = browser.look_up(district.poor.name, district.poor.id_number)

    assert "最晚2021年12月31日点。过了这天，要先由医保局核实" in page.text
    assert '<p class="label">最晚2022年12月31日点。' in page.html, "the pension's"
    assert "点。过了" not in browser.get("/paid").text


def test_a_late_payer_reads_the_price_the_days_and_whom_to_ask_before_he_pays(running, district, browser):
    """R4: J6's two sentences stood nowhere."""
    running.turn(JANUARY)
    due = browser.look_up(district.adult.name, district.adult.id_number)
    confirm = browser.get("/confirm", item=due.values("item"))

    for page in (due, confirm):
        assert "现在交要900元（本来320元，另外580元政府补助也要自己出）" in page.text
        assert "今天交，2022年2月15日起能用。" in page.text
        assert "等待期（到2022年2月14日）内住院不能报销，请先问医保局 0632-12366 有没有别的办法。" in page.text


def test_each_household_has_its_sum_and_its_button_says_it(running, district, browser):
    """R5: one sum of all, and two buttons alike."""
    browser.look_up(district.adult.name, district.adult.id_number)
    alone = browser.get("/due")
    due = browser.look_up(district.neighbour.name, district.neighbour.id_number)
    field = re.search(r"/due/([^/\"]+)/tier", due.html)[1]

    both = browser.get("/due", **{f"tier.{field}": "50000"})

    assert re.findall(r"去交费， *(\d+) *元", alone.text) == ["320"]
    assert sorted(re.findall(r"去交费， *(\d+) *元", both.text)) == ["320", "820"]
    assert both.text.count("现在要交的，一共") == 2 and "1140" not in both.text


def test_whom_the_government_pays_for_finds_its_tier_chosen(running, district, browser):
    """R8: last year's 300 was chosen for him; for his sister who pays herself it still is."""
    with running.office.engine.begin() as connection:
        connection.exec_driver_sql("update enrolment set last_tier = 30000 where insurance = 'RES_PENSION'")
    due = browser.look_up(district.poor.name, district.poor.id_number)
    poor = browser.get(due.link("想多交一点"))
    browser.submit(due, "/leave", form="/leave")
    browser.signed_in = False
    browser.phone = a_phone()
    adult = browser.get(browser.look_up(district.adult.name, district.adult.id_number).link("选养老档次"))

    assert re.findall(r'value="(\d+)" checked', poor.html) == ["10000"]
    assert re.findall(r'value="(\d+)" checked', adult.html) == ["30000"]


def test_an_ordinary_phones_browser_is_led_into_the_apps(running, district, browser):
    """R10: as `ways` intends, by a real user agent; a code is for the phone of somebody else."""
    browser.session.headers["User-Agent"] = (
        "Mozilla/5.0 (Linux; Android 12) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/99 Mobile Safari/537.36"
    )
    due = browser.look_up(district.adult.name, district.adult.id_number)
    confirm = browser.get("/confirm", item=due.values("item"))

    assert confirm.values("by") == [
        *("wechat:h5", "alipay:web", "unionpay:web"),
        *("wechat:native", "alipay:native", "unionpay:native"),
    ]
    page = browser.submit(confirm, "/pay", form='action="/pay"', by="alipay:web")
    assert "打开支付宝， 付 320 元" in page.text and "扫一扫" not in page.text
