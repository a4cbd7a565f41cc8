"""The outside's own list over all gateways: one paid trade for two payers, refunds within what was paid, days."""

from datetime import UTC, date, datetime, time, timedelta

import pytest

from payments.sandbox.clock import SandboxClock
from payments.sandbox.config import SandboxConfig
from payments.sandbox.faults import Faults
from payments.sandbox.keys import make_keys
from payments.sandbox.shelf import Shelf
from payments.sandbox.trades import Declined, Refusal, Trades, Why, day_limits, refunded
from tests.outside import outside


@pytest.fixture
def shelf(tmp_path):
    made = Shelf(tmp_path / "outside.sqlite")
    yield made
    made.close()


@pytest.fixture
def faults():
    return Faults()


@pytest.fixture
def clock():
    return SandboxClock(0)


@pytest.fixture
def trades(shelf, clock, faults):
    return Trades(shelf, clock, faults)


def placed(trades, gateway="wechat", number="T1", **changed):
    wanted = {"amount": 1000, "content": {"total": 1000}, "expires_at": trades._clock.now() + timedelta(minutes=15)}
    return trades.place(gateway, number, **wanted | changed)


def paid(trades, gateway="wechat", number="T1"):
    placed(trades, gateway, number)
    return trades.pay(gateway, number, payer="somebody", reference=f"R-{gateway}-{number}")


def given_back(trades, trade, number="B1", amount=400, **changed):
    return trades.refund(trade, number, amount=amount, content={"refund": amount}, reference="X", **changed)


def why(act, *args, **kwargs):
    with pytest.raises(Refusal) as refusal:
        act(*args, **kwargs)
    return refusal.value.why


def test_one_number_may_live_at_two_gateways(trades):
    paid(trades, "wechat")
    placed(trades, "alipay")

    assert [trades.find(name, "T1")["state"] for name in ("wechat", "alipay")] == ["SUCCESS", "NOTPAY"]
    assert [one["gateway"] for one in trades.paid()] == ["wechat"]
    assert trades.paid("alipay") == []
    assert why(trades.find_reference, "alipay", "R-wechat-T1") is Why.ABSENT
    assert trades.find_reference("wechat", "R-wechat-T1")["number"] == "T1"


def test_the_same_number_comes_with_the_same_content_or_not_at_all(trades):
    placed(trades)

    assert placed(trades)["state"] == "NOTPAY"
    assert why(placed, trades, content={"total": 1}) is Why.DIFFERENT
    trades.close("wechat", "T1")
    assert why(placed, trades) is Why.CLOSED
    assert why(trades.close, "wechat", "T1") is Why.CLOSED
    assert why(trades.close, "wechat", "T2") is Why.ABSENT


def test_a_trade_is_paid_once_and_not_after_its_end(trades, clock):
    paid(trades)
    placed(trades, number="T2")

    with pytest.raises(Declined, match="ORDERPAID"):
        trades.pay("wechat", "T1", payer="other", reference="R")
    clock.offset_seconds = 3600
    with pytest.raises(Declined, match="ORDER_EXPIRED"):
        trades.pay("wechat", "T2", payer="other", reference="R")


def test_a_refund_is_one_however_often_it_is_asked_for(trades):
    trade = paid(trades)

    _, first = given_back(trades, trade)
    _, again = given_back(trades, trade)

    assert first == again
    assert len(trades.refunds()) == 1
    assert why(trades.refund, trade, "B1", amount=401, content={"refund": 401}, reference="X") is Why.DIFFERENT


def test_no_more_goes_back_than_was_paid_and_what_failed_does_not_count(trades, faults):
    trade = paid(trades)
    given_back(trades, trade, "B1", 600)

    assert why(given_back, trades, trade, "B2", 401) is Why.TOO_MUCH
    faults.add({"kind": "refund_fails", "number": "T1"})
    trades.settle_refund("wechat", "T1", "B1")
    given_back(trades, trade, "B2", 1000)
    trades.settle_refund("wechat", "T1", "B2")

    assert [one["state"] for _, one in trades.refunds()] == ["FAILED", "SUCCESS"]
    assert refunded(trades.find("wechat", "T1")) == 1000
    assert why(given_back, trades, trade, "B3", 1) is Why.TOO_MUCH


def test_a_refund_is_refused_where_nothing_was_paid_too_often_or_without_means(trades, faults):
    assert why(given_back, trades, placed(trades)) is Why.UNPAID
    trade = trades.pay("wechat", "T1", payer="somebody", reference="R")
    faults.add({"kind": "not_enough", "gateway": "alipay"})
    faults.add({"kind": "not_enough", "gateway": "wechat", "number": "T1"})

    assert why(given_back, trades, trade) is Why.SHORT
    given_back(trades, trade, most=1)
    assert why(given_back, trades, trade, "B2", most=1) is Why.TOO_MANY
    assert [fault["gateway"] for fault in faults.waiting()] == ["alipay"]


def test_a_refund_comes_to_its_end_once(trades, faults):
    trade = paid(trades)
    given_back(trades, trade)
    faults.add({"kind": "refund_abnormal", "number": "B1"})

    trade, refund = trades.settle_refund("wechat", "T1", "B1")

    assert (refund["state"], refund.get("success_time"), refunded(trade)) == ("ABNORMAL", None, 0)
    assert trades.settle_refund("wechat", "T1", "B1") is None
    assert why(trades.find_refund, "wechat", "B2") is Why.ABSENT
    assert why(trades.find_refund, "wechat", "B1", of="T9") is Why.ABSENT


def test_a_business_day_begins_when_the_gateway_says(trades, clock):
    evening = datetime(2021, 11, 5, 23, 30, tzinfo=UTC) - timedelta(hours=8)  # 23:30 in Beijing
    clock.offset_seconds = int((evening - datetime.now(UTC)).total_seconds())
    given_back(trades, paid(trades))
    fifth, sixth = date(2021, 11, 5), date(2021, 11, 6)

    assert [len(trades.paid_on("wechat", day)) for day in (fifth, sixth)] == [1, 0]
    assert [len(trades.paid_on("wechat", day, day_begins=time(23))) for day in (fifth, sixth)] == [0, 1]
    assert [len(trades.refunds_on("wechat", day, day_begins=time(23))) for day in (fifth, sixth)] == [0, 1]
    assert day_limits(fifth, time(23))[0].isoformat() == "2021-11-04T23:00:00+08:00"


def test_a_fault_for_one_gateway_leaves_the_others_alone(faults):
    faults.add({"kind": "error", "gateway": "wechat", "on": "refund"})

    assert faults.take("error", "T1", on="refund", gateway="alipay") is None
    assert faults.take("error", "T1", on="query", gateway="wechat") is None
    assert faults.take("error", "T1", "B1", on="refund", gateway="wechat")


def test_a_folder_from_before_keeps_its_trades(tmp_path):
    keys = make_keys(tmp_path)
    older = {
        **{"number": "R000000000000001", "kind": "native", "state": "SUCCESS", "amount": 100, "payer_amount": 100},
        "wanted": {"appid": keys.appid, "mchid": keys.mchid, "description": "d", "notify_url": "http://127.0.0.1:9/"},
        **{"openid": "", "payer": "o", "expires_at": "2026-01-01T00:00:00+08:00", "acknowledged": True},
        **{"success_time": "2026-01-01T00:00:00+08:00", "transaction_id": "42", "event_id": "EV-1"},
    }
    shelf = Shelf(SandboxConfig(tmp_path).folder / "outside.sqlite")
    shelf.put("trade", older["number"], older)
    shelf.close()

    for _ in range(2):
        with outside(tmp_path) as after:
            [trade] = after.get("/trades")["trades"]
            assert (trade["gateway"], trade["number"], trade["reference"]) == ("wechat", older["number"], "42")
