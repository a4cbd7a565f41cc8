"""Refunds: the adapter against the far side over real HTTP."""

import logging
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import count

import pytest

from core.clock import utc_now
from payments.errors import ForgedCallback, GatewayRefused, GatewayShort, GatewaySilent
from payments.gateways.base import RefundOrder, RefundWord, Word
from payments.gateways.signing import BadKey
from payments.gateways.verdict import judge
from tests.builders import an_order
from tests.system import eventually

numbers = (f"{n:015d}" for n in count(1))


@pytest.fixture
def wechat(sandbox, merchant):
    return sandbox.wechat(merchant.url)


@pytest.fixture
def paid(sandbox, wechat, merchant):
    """A payment of 320 yuan, its callback come and gone."""
    taken = an_order(f"P{next(numbers)}")
    assert sandbox.pay(wechat.start(taken).code_url).status == 200
    merchant.wait(1)
    return wechat.query(taken)


@pytest.fixture
def slowly(sandbox):
    """Refunds taken from now on stay under way."""
    sandbox.post("/settings", {"notify_factor": 1000})


def back(paid, amount=32000, **changed):
    order = RefundOrder(f"B{next(numbers)}", utc_now(), paid.number, paid.reference, paid.amount, amount, "多缴退回")
    return replace(order, **changed)


def theirs(sandbox, payment):
    return [refund for refund in sandbox.get("/refunds")["refunds"] if refund["payment"] == payment]


def test_a_refund_is_taken_settled_and_told(sandbox, wechat, merchant, paid):
    order = back(paid)

    taken = wechat.refund(order)
    [_, (headers, body)] = merchant.wait(2)
    told = wechat.read_callback(headers, body, now=utc_now())

    assert (taken.word, taken.number, taken.payment, taken.amount) == (
        RefundWord.PROCESSING,
        order.number,
        paid.number,
        32000,
    )
    assert (told.outcome, told.event_type) == (None, "REFUND.SUCCESS")
    assert told.refund == wechat.query_refund(order)
    assert (told.refund.word, told.refund.reference) == (RefundWord.DONE, taken.reference)
    assert abs(told.refund.happened_at - utc_now()) < timedelta(seconds=5)
    [theirs_of_it] = theirs(sandbox, paid.number)
    assert (theirs_of_it["state"], theirs_of_it["amount"], theirs_of_it["gateway"]) == ("SUCCESS", 32000, "wechat")
    assert sandbox.paid(paid.number)[0]["refunded"] == 32000


def test_a_payment_refunded_since_is_still_a_paid_one(wechat, paid):
    wechat.refund(back(paid, 100))

    outcome = wechat.query(an_order(paid.number))

    assert (outcome.word, outcome.their_word, outcome.amount) == (Word.PAID, "REFUND", 32000)


def test_other_content_under_a_refunds_number_is_what_lives_there(sandbox, wechat, paid):
    order = back(paid, 12000)
    wechat.refund(order)

    answer = wechat.refund(replace(order, amount=1))

    assert answer.amount == 12000
    assert len(theirs(sandbox, paid.number)) == 1


def test_parts_may_go_back_until_all_is_back(sandbox, wechat, paid):
    for amount in (20000, 12000):
        wechat.refund(back(paid, amount))

    with pytest.raises(GatewayRefused, match="INVALID_REQUEST"):
        wechat.refund(back(paid, 1))

    assert sum(refund["amount"] for refund in theirs(sandbox, paid.number)) == 32000


def test_a_refund_may_name_the_payment_by_our_number_alone(wechat, paid):
    assert wechat.refund(back(paid, 100, reference="")).payment == paid.number


def test_a_refund_of_what_nobody_paid_is_refused(wechat, paid):
    unpaid = an_order(f"P{next(numbers)}")
    wechat.start(unpaid)

    with pytest.raises(GatewayRefused, match="INVALID_REQUEST"):
        wechat.refund(back(paid, payment=unpaid.number, reference=""))
    with pytest.raises(GatewayRefused, match="INVALID_REQUEST"):  # it was not that much
        wechat.refund(replace(back(paid), paid=40000))


def test_a_refund_of_a_payment_they_do_not_know_is_refused(wechat, paid):
    """W1: the same again would be refused for ever; a person makes a bank transfer."""
    with pytest.raises(GatewayRefused, match="RESOURCE_NOT_EXISTS"):
        wechat.refund(back(paid, payment="P99999999999999", reference=""))


@pytest.mark.parametrize(
    ("status", "code"),
    [
        *((403, "USER_ACCOUNT_ABNORMAL"), (404, "MCH_NOT_EXISTS"), (400, "TRADE_OVERDUE"), (403, "TRADE_OVERDUE")),
        *((404, "RESOURCE_NOT_EXISTS"), (403, "NO_AUTH")),
    ],
)
def test_a_final_no_to_a_refund_is_refused(sandbox, wechat, paid, status, code):
    """W1."""
    sandbox.fault("error", paid.number, on="refund", status=status, code=code)

    with pytest.raises(GatewayRefused, match=code):
        wechat.refund(back(paid))


def test_refunds_are_paid_from_the_account_that_is_named(sandbox, paid):
    """W2: money that is not settled yet runs short on a day on which more goes back than comes in."""
    named = sandbox.wechat(funds_account="AVAILABLE")
    order = back(paid)

    assert named.refund(order).word is RefundWord.PROCESSING
    taken = sandbox.world.trades.find_refund("wechat", order.number)[1]
    assert taken["content"]["funds_account"] == "AVAILABLE"
    with pytest.raises(BadKey, match="funds_account"):
        sandbox.wechat(funds_account="SOMEWHERE")


def test_after_a_year_nothing_goes_back(sandbox, wechat, paid):
    sandbox.post("/clock", {"offset_seconds": 366 * 86400})

    with pytest.raises(GatewayRefused):
        wechat.refund(back(paid))


def test_while_our_balance_is_short_the_same_number_waits(sandbox, wechat, paid):
    order = back(paid)
    sandbox.fault("not_enough", paid.number)

    with pytest.raises(GatewayShort, match="NOT_ENOUGH"):
        wechat.refund(order)

    assert wechat.query_refund(order).word is RefundWord.ABSENT
    assert wechat.refund(order).word is RefundWord.PROCESSING


@pytest.mark.parametrize(
    ("kind", "word", "event"),
    [
        ("refund_fails", RefundWord.FAILED, "REFUND.CLOSED"),
        ("refund_abnormal", RefundWord.ABNORMAL, "REFUND.ABNORMAL"),
    ],
)
def test_a_refund_that_was_taken_may_still_not_arrive(sandbox, wechat, merchant, paid, kind, word, event):
    order = back(paid)
    sandbox.fault(kind, order.number)

    wechat.refund(order)
    told = wechat.read_callback(*merchant.wait(2)[1], now=utc_now())

    assert (told.event_type, told.refund.word, told.refund.happened_at) == (event, word, None)
    assert wechat.query_refund(order) == told.refund
    assert sandbox.paid(paid.number)[0]["refunded"] == 0


def test_after_a_failed_refund_a_new_number_may_try_again(sandbox, wechat, merchant, paid):
    failing = back(paid)
    sandbox.fault("refund_fails", failing.number)
    wechat.refund(failing)
    merchant.wait(2)

    assert wechat.refund(failing).word is RefundWord.FAILED
    again = back(paid)
    wechat.refund(again)
    eventually(lambda: wechat.query_refund(again).word is RefundWord.DONE)


def test_a_refund_that_was_taken_but_never_answered_is_found_by_its_number(sandbox, merchant, paid):
    impatient = sandbox.wechat(merchant.url, read_s=0.2)
    order = back(paid)
    sandbox.fault("silent", order.number, on="refund", seconds=0.5)

    with pytest.raises(GatewaySilent):
        impatient.refund(order)

    assert impatient.query_refund(order).word in (RefundWord.PROCESSING, RefundWord.DONE)
    impatient.refund(order)
    assert len(theirs(sandbox, paid.number)) == 1


@pytest.mark.parametrize("on", ["refund", "refund_query"])
def test_a_probe_in_the_place_of_an_answer_about_a_refund_is_silence(sandbox, wechat, paid, on):
    order = back(paid)
    if on == "refund_query":
        wechat.refund(order)
    sandbox.fault("answer_signtest", order.number, on=on, count=None)

    with pytest.raises(GatewaySilent):
        (wechat.refund if on == "refund" else wechat.query_refund)(order)


@pytest.mark.parametrize(
    ("status", "code"),
    [(429, "FREQUENCY_LIMITED"), (500, "SYSTEM_ERROR"), (502, "BANK_ERROR"), (403, "A_WORD_TO_COME")],
)
def test_an_error_that_decides_nothing_is_silence(sandbox, wechat, paid, status, code):
    order = back(paid)
    sandbox.fault("error", paid.number, on="refund", status=status, code=code)

    with pytest.raises(GatewaySilent, match=f"{status} {code}"):
        wechat.refund(order)

    assert wechat.query_refund(order).word is RefundWord.ABSENT


def test_a_refusal_is_believed_only_if_nothing_lives_under_the_number(sandbox, wechat, paid):
    order = back(paid)
    sandbox.fault("error", order.number, on="refund", status=403, code="NO_AUTH", count=2)

    with pytest.raises(GatewayRefused, match="NO_AUTH"):
        wechat.refund(order)
    sandbox.fault("error", order.number, on="refund_query", status=500)
    with pytest.raises(GatewaySilent):
        wechat.refund(order)


def test_an_answer_about_another_refund_is_silence(sandbox, wechat, paid):
    one, other = back(paid, 100), back(paid, 200)
    wechat.refund(one)
    wechat.refund(other)
    sandbox.fault("other_trade", one.number, instead=other.number)

    with pytest.raises(GatewaySilent, match="another refund"):
        wechat.query_refund(one)


def test_a_refunds_callback_may_come_before_its_payments(sandbox, wechat, merchant):
    order = an_order(f"P{next(numbers)}")
    sandbox.fault("reorder", order.number)
    sandbox.pay(wechat.start(order).code_url)
    asked = wechat.query(order)

    wechat.refund(back(asked))
    came = [wechat.read_callback(*pair, now=utc_now()) for pair in merchant.wait(2)]

    assert [callback.event_type for callback in came] == ["REFUND.SUCCESS", "TRANSACTION.SUCCESS"]
    assert came[1].outcome.their_word == "SUCCESS"


def test_a_refunds_callback_is_repeated_lost_forged_and_duplicated_like_any_other(sandbox, wechat, merchant, paid):
    order = back(paid)
    for kind in ("callback_drop", "callback_wrong_signature", "other_merchant"):
        sandbox.fault(kind, order.number)
    merchant.answer = lambda n: 500 if n < 3 else 204

    wechat.refund(order)

    eventually(lambda: sandbox.callback_statuses(order.number, 1)[-1:] == [204])
    lines = [line for line in sandbox.get("/callbacks")["callbacks"] if line["number"] == order.number]
    assert {(line["gateway"], line["event"]) for line in lines} == {("wechat", "refund")}
    verdicts = [judge(wechat, *pair, now=utc_now()) for pair in merchant.came[1:]]
    assert verdicts[-1].accepted and verdicts[-1].callback.refund.number == order.number
    assert 1 <= len([verdict for verdict in verdicts if not verdict.accepted]) <= 2  # dropped ones never came


def test_a_callback_of_a_refund_is_not_believed_without_its_signature(wechat, merchant, paid):
    wechat.refund(back(paid))
    headers, body = merchant.wait(2)[1]

    with pytest.raises(ForgedCallback):
        wechat.read_callback(headers, body.replace(b"REFUND.SUCCESS", b"REFUND.CLOSED!"), now=utc_now())


def test_refunds_follow_the_business_clock_and_signatures_do_not(sandbox, wechat, slowly):
    offset = datetime(2021, 11, 5, tzinfo=UTC) - utc_now()
    sandbox.post("/clock", {"offset_seconds": int(offset.total_seconds())})
    order = an_order(f"P{next(numbers)}", at=datetime(2021, 11, 5, tzinfo=UTC))
    sandbox.pay(wechat.start(order).code_url)

    wechat.refund(back(wechat.query(order)))

    assert theirs(sandbox, order.number)[0]["asked_at"].startswith("2021-11-05")


def test_no_reason_and_no_secret_reaches_the_log(sandbox, wechat, paid, caplog):
    caplog.set_level(logging.DEBUG)
    order = back(paid)
    sandbox.fault("error", order.number, on="refund")

    with pytest.raises(GatewaySilent):
        wechat.refund(order)

    assert "500 SYSTEM_ERROR" in caplog.text
    assert not [secret for secret in ("多缴退回", "signature=", sandbox.keys.api_v3_key) if secret in caplog.text]
