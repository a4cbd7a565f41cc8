"""A channel is paused and opened again: by a page or a command, with words residents read; what was begun goes on."""

import re
from datetime import timedelta

import pytest
from sqlalchemy.exc import DBAPIError

from app.access.roles import Role
from app.flows.pay.pause import BadPause, open_again, pause, watch_pauses
from app.flows.pay.start import Want
from app.policy.facts import Insurance
from core.clock import utc_now
from payments.errors import ChannelOpen, ChannelPaused, UnknownGateway
from tests.app.web.test_api import Api
from tests.app.web.test_office_people import at_desk
from tests.refunding import agreed, pay, rows, run_refunds, start, state
from tests.rosters import in_force
from tests.system import eventually

MEDICAL = Insurance.RES_MEDICAL
WORDS = "微信正在检修，今天下午恢复"


def stop(running, gateway="wechat", words=WORDS):
    pause(running.parts, gateway, why="对方通知检修", words=words, by="staff:lead01")


def test_the_lead_pauses_from_the_page_and_everybody_else_reads(running):
    lead, clerk = at_desk(running, Role.TAX_LEAD, "lead01"), at_desk(running, Role.TAX_CLERK, "clerk01")

    wrong = lead.post("/office/channels/wechat/pause", data={"why": "检修", "words": "看 https://a.example"})
    lead.post("/office/channels/wechat/pause", data={"why": "对方通知检修", "words": WORDS})

    assert wrong.status_code == 400 and "看 https://a.example" in wrong.text and "网址" in wrong.text
    assert clerk.post("/office/channels/wechat/open").status_code == 403
    seen = clerk.get("/office/channels/").text
    assert WORDS in seen and "对方通知检修" in seen and "恢复微信收款" not in seen
    assert "lead01" in seen and seen.count("正常收款") == 2
    lead.post("/office/channels/wechat/open")
    assert clerk.get("/office/channels/").text.count("正常收款") == 3
    acts = rows(running, "select what, by, about, words, way from act where about like 'gateway:%' order by id")
    assert [tuple(row) for row in acts] == [
        ("paused", "staff:lead01", "gateway:wechat", "对方通知检修", "web"),
        ("opened", "staff:lead01", "gateway:wechat", "", "web"),
    ]


def test_the_operator_pauses_by_a_command(running):
    def say(*words):
        done = running.app.test_cli_runner().invoke(args=["channel", *words])
        return done.exit_code, done.output

    assert say("pause", "alipay", "--why", "证书换新", "--words", "支付宝明早恢复") == (
        *(0, "支付宝已暂停收款。恢复：channel open alipay\n"),
    )
    listed = say("list")[1]
    assert "支付宝明早恢复" in listed and listed.count("正常收款") == 2
    assert say("open", "alipay")[0] == 0
    assert "没有暂停" in say("open", "alipay")[1]
    acts = rows(running, "select what, by, way from act where about = 'gateway:alipay' order by id")
    assert [(act.what, act.way) for act in acts] == [("paused", "command"), ("opened", "command")]
    assert all(act.by.startswith("operator:") for act in acts)


def test_a_resident_reads_the_words_and_is_offered_the_next_way(running, district, browser):
    due = browser.look_up(district.adult.name, district.adult.id_number)
    before = browser.get("/confirm", item=due.values("item"))
    stop(running)

    after = browser.get("/confirm", item=due.values("item"))
    late = browser.submit(before, "/pay", form="/pay", by="wechat:native")

    assert f"微信暂停：{WORDS}" in after.text and "用微信付" not in after.text
    assert after.values("by")[0] == "alipay:native"
    assert WORDS in late.text and "/confirm" in late.url, "a page of before leads to the same words"
    assert rows(running, "select 1 from payment") == []
    paid = browser.submit(late, "/pay", form="/pay", by="alipay:native")
    assert "/pay/" in paid.url


def test_with_every_way_paused_nothing_can_be_pressed(running, district, browser):
    due = browser.look_up(district.adult.name, district.adult.id_number)
    for gateway in ("wechat", "alipay", "unionpay"):
        stop(running, gateway)

    page = browser.get("/confirm", item=due.values("item"))

    assert page.values("by") == [] and "现在哪种方式都付不了" in page.text


def test_an_agent_reads_them_too(running, district, an_agent, browser):
    in_force(running)
    browser.log_in(*an_agent)
    village = browser.get(f"/agent/villages/{district.village}")
    path = re.search(r'href="(/agent/people/[^"]+)"', village.html)[1]
    before = browser.get(path)
    stop(running)

    after = browser.submit(before, path, by="wechat:native", item=before.values("item")[:1])

    assert WORDS in after.text and "出微信码" not in after.text and "出支付宝码" in after.text
    assert rows(running, "select 1 from payment") == []


def test_the_api_says_so_with_a_code_of_its_own(running, district):
    api = Api(running)
    person = api.look_up(district.adult)
    stop(running)

    wish = {"items": [{"person": person, "insurance": "RES_MEDICAL"}], "gateway": "wechat", "kind": "native"}
    answer = api.post("/payments", wish, **{"Idempotency-Key": "paused-0001"})

    assert (answer.status_code, answer.json["code"], answer.json["message"]) == (409, "CHANNEL_PAUSED", WORDS)


def test_what_was_begun_before_a_pause_goes_on(running, district):
    """Its code is handed out again and paid, its money is booked and goes back; only a new one is refused."""
    begun = start(running, Want(district.adult.id, MEDICAL), key="key-before")
    paid = pay(running, Want(district.poor.id, Insurance.RES_PENSION, 30000), key="key-paid")
    stop(running)

    again = start(running, Want(district.adult.id, MEDICAL), key="key-again")
    assert again.number == begun.number
    assert running.outside.pay(again.checkout.code_url).status == 200
    eventually(lambda: state(running, begun.number) == "paid")
    refund = agreed(running.parts, paid).number
    run_refunds(running, refund, "paid")
    with pytest.raises(ChannelPaused, match="wechat"):
        start(running, Want(district.neighbour.id, MEDICAL), key="key-new")
    assert start(running, Want(district.neighbour.id, MEDICAL), key="key-next", gateway="alipay").number


def test_another_channels_code_is_not_ended_for_a_paused_one(running, district):
    held = start(running, Want(district.adult.id, MEDICAL), key="key-held", gateway="alipay")
    stop(running)

    with pytest.raises(ChannelPaused):
        start(running, Want(district.adult.id, MEDICAL), key="key-wechat")

    assert state(running, held.number) == "pending"


def test_what_costs_nothing_needs_no_channel(running, district):
    stop(running)

    assert start(running, Want(district.poor.id, MEDICAL), key="key-free").number is None


def test_pausing_twice_is_one_pause_and_other_words_are_another(running):
    stop(running)
    stop(running)
    stop(running, "alipay")
    stop(running, words="微信明天恢复")

    found = rows(running, "select gateway, words, opened_at is null as lasts from channel_pause order by id")
    assert [tuple(row) for row in found] == [
        ("wechat", WORDS, False),
        ("alipay", WORDS, True),
        ("wechat", "微信明天恢复", True),
    ]
    open_again(running.parts, "wechat", by="staff:lead01")
    assert [row.gateway for row in rows(running, "select gateway from channel_pause where opened_at is null")] == [
        "alipay"
    ]
    with pytest.raises(ChannelOpen):
        open_again(running.parts, "wechat", by="staff:lead01")


@pytest.mark.parametrize("words", ["", " ", "x" * 61, "打13800000000问", "www.example.cn"])
def test_words_that_cannot_stand_beside_a_button_are_refused(running, words):
    with pytest.raises(BadPause):
        stop(running, words=words)
    assert rows(running, "select 1 from channel_pause") == []


def test_a_channel_nobody_configured_is_not_paused(running):
    with pytest.raises(UnknownGateway):
        stop(running, "paypal")


def test_a_pause_that_lasts_a_day_wakes_somebody(running, monkeypatch):
    said = []
    object.__setattr__(running.parts, "alert", lambda what, **words: said.append((what, words["gateway"])))
    stop(running)
    stop(running, "alipay")
    assert watch_pauses(running.parts) == 0

    now = utc_now() + timedelta(days=1, minutes=1)
    monkeypatch.setattr(running.parts.clocks, "wall", lambda: now)
    open_again(running.parts, "alipay", by="staff:lead01")

    assert watch_pauses(running.parts) == 1 and said == [("channel_still_paused", "wechat")]


def test_a_pause_is_never_rewritten(running):
    stop(running)
    for change in (
        "update channel_pause set words = 'x'",
        "delete from channel_pause",
        "update channel_pause set opened_by = 'staff:x', opened_at = now(), why = 'x'",
    ):
        with pytest.raises(DBAPIError) as refused, running.parts.engine.begin() as connection:
            connection.exec_driver_sql(change)
        assert refused.value.orig.sqlstate in ("42501", "LX083")
