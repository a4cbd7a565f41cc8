"""The adapter against the far side over real HTTP."""

import io
import json
import logging
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import count
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest

from core.clock import beijing, utc_now
from payments.errors import (
    AlreadyPaidThere,
    ForgedCallback,
    GatewayBusy,
    GatewayRefused,
    GatewayShort,
    GatewaySilent,
    GatewayTakesNobody,
    NoStatement,
    StatementNotReady,
)
from payments.gateways.base import Kind, Movement, RefundOrder, RefundWord, Word
from payments.gateways.known import connect
from payments.gateways.signing import BadKey
from tests.builders import a_trade, an_order

numbers = (f"A{n:015d}" for n in count(1))
MODES = [{}, {"certificates": True}]


def order(kind=Kind.NATIVE, **changed):
    return replace(an_order(next(numbers), kind=kind), **changed)


def refund_of(taken, reference, amount=12000, **changed):
    at = utc_now().replace(microsecond=0)
    return replace(RefundOrder(next(numbers), at, taken.number, reference, taken.amount, amount, "多交退回"), **changed)


def browse(sandbox, page):
    """The payer's browser sends the form; where it is sent on to, as a code."""
    said = sandbox.door.send(
        "POST",
        page.url,
        headers={"Content-Type": "application/x-www-form-urlencoded"},
        body=urlencode(page.fields).encode(),
    )
    assert said.status == 303, said.body.decode()
    return parse_qs(urlsplit(said.headers["location"]).query)["code"][0]


@pytest.fixture(scope="module")
def connected(running_sandbox):
    return running_sandbox.alipay()


@pytest.fixture
def alipay(sandbox, connected):
    return connected


@pytest.fixture
def paid(sandbox, alipay):
    taken = order()
    assert sandbox.pay(alipay.start(taken).code_url).status == 200
    return taken


@pytest.mark.parametrize("mode", MODES, ids=["public key", "certificates"])
def test_a_code_is_paid_and_the_query_says_so(sandbox, mode):
    alipay, taken = sandbox.alipay(**mode), order()

    checkout = alipay.start(taken)
    unseen = alipay.query(taken)
    sandbox.phone(checkout.code_url)
    seen = alipay.query(taken)
    sandbox.pay(checkout.code_url)
    after = alipay.query(taken)

    assert checkout.code_url.startswith("https://qr.alipay.com/")
    assert [outcome.word for outcome in (unseen, seen, after)] == [Word.ABSENT, Word.OPEN, Word.PAID]
    assert (after.amount, after.currency, after.payer, seen.happened_at) == (32000, "CNY", "", None)
    assert (after.merchant, after.app) == (sandbox.alipay_keys.seller_id, sandbox.alipay_keys.app_id)
    [theirs] = sandbox.paid(taken.number)
    assert (theirs["reference"], theirs["amount"]) == (after.reference, after.amount)
    assert datetime.fromisoformat(theirs["success_time"]) == after.happened_at
    assert alipay.facts.unseen_may_be_paid and alipay.facts.closes


@pytest.mark.parametrize("mode", MODES, ids=["public key", "certificates"])
def test_a_page_is_signed_by_us_and_paid_in_the_payers_browser(sandbox, mode):
    alipay, taken = sandbox.alipay(**mode), order(Kind.WEB)

    page = alipay.start(taken).page
    said = json.loads(sandbox.pay(browse(sandbox, page)).body)

    assert page.url.startswith(f"{sandbox.url}/gateway.do?")
    assert alipay.query(taken).word is Word.PAID
    back = urlsplit(said["return"]["url"])
    assert said["return"]["url"].startswith("https://pay.invalid/back/alipay?") and not said["return"]["fields"]
    assert parse_qs(back.query)["out_trade_no"] == [taken.number]


@pytest.mark.parametrize("network", ["203.0.113.7", "2001:db8::7"])
def test_where_an_order_comes_from_is_told_where_it_is_known(sandbox, alipay, network):
    """A10: their risk rules ask for it; an order of unknown origin says nothing of it."""
    taken, unknown = order(Kind.WEB, network=network), order(Kind.WEB)

    told, untold = (json.loads(alipay.start(one).page.fields["biz_content"]) for one in (taken, unknown))

    assert told["business_params"] == {"mc_create_trade_ip": network} and "business_params" not in untold
    assert browse(sandbox, alipay.start(taken).page) and alipay.start(order(network=network)).code_url


def test_the_way_back_proves_nothing_about_money(sandbox, alipay):
    taken = order(Kind.WEB)
    said = json.loads(sandbox.pay(browse(sandbox, alipay.start(taken).page)).body)

    with pytest.raises(ForgedCallback):
        alipay.read_callback({}, urlsplit(said["return"]["url"]).query.encode(), now=utc_now())


def test_a_page_whose_form_was_changed_on_the_way_is_refused(sandbox, alipay):
    page = alipay.start(order(Kind.WEB)).page
    cheaper = {**page.fields, "biz_content": page.fields["biz_content"].replace("320.00", "0.01")}

    body = urlencode(cheaper).encode()
    said = sandbox.door.send("POST", page.url, headers={"Content-Type": "application/x-www-form-urlencoded"}, body=body)

    assert b"isv.invalid-signature" in said.body


@pytest.mark.parametrize("mode", MODES, ids=["public key", "certificates"])
def test_a_notification_tells_of_the_payment_and_is_believed(sandbox, merchant, mode):
    alipay, taken = sandbox.alipay(merchant.url, **mode), order()
    merchant.answer, merchant.body = (lambda n: 200), alipay.accepted().body
    sandbox.pay(alipay.start(taken).code_url)

    [(headers, body)] = merchant.wait(1)
    callback = alipay.read_callback(headers, body, now=utc_now() + timedelta(hours=25))

    queried = alipay.query(taken)
    assert replace(callback.outcome, payer_amount=queried.payer_amount) == queried
    assert callback.refund is None
    assert sandbox.callback_statuses(taken.number, 1) == [200]


def test_a_notification_in_certificate_mode_that_names_no_certificate_is_believed(sandbox, merchant):
    """A2."""
    alipay, taken = sandbox.alipay(merchant.url, certificates=True), order()
    sandbox.fault("callback_unnamed", taken.number)

    sandbox.pay(alipay.start(taken).code_url)

    headers, body = merchant.wait(1)[0]
    assert b"alipay_cert_sn" not in body
    assert alipay.read_callback(headers, body, now=utc_now()).outcome.word is Word.PAID


def test_nothing_but_the_seven_letters_stops_the_repeats(sandbox, merchant):
    alipay, taken = sandbox.alipay(merchant.url), order()
    bodies = [b"SUCCESS", b"success\n", b"\xef\xbb\xbfsuccess", b"fail"]
    merchant.answer = lambda n: setattr(merchant, "body", (*bodies, b"success")[min(n, 4)]) or 200
    sandbox.post("/settings", {"notify_factor": 0.00001})
    sandbox.pay(alipay.start(taken).code_url)

    came = merchant.wait(5)

    ids = {alipay.read_callback({}, body, now=utc_now()).event_id for _, body in came}
    assert len(ids) == 1
    assert sandbox.callback_statuses(taken.number, 6, seconds=0.5) == [200] * 5
    assert alipay.accepted().body == b"success" and alipay.accepted().status == 200
    assert (alipay.rejected().status, alipay.rejected().body) == (401, b"fail")


@pytest.mark.parametrize("kind", ["callback_wrong_signature", "other_merchant"])
def test_a_forged_or_foreign_notification_is_refused_and_the_next_believed(sandbox, merchant, kind):
    alipay, taken = sandbox.alipay(merchant.url), order()
    merchant.answer = lambda n: 200 if n else 401
    sandbox.fault(kind, taken.number)
    sandbox.post("/settings", {"notify_factor": 0.0001})
    sandbox.pay(alipay.start(taken).code_url)

    (first, second) = merchant.wait(2)[:2]

    judged = []
    for headers, body in (first, second):
        try:
            judged.append(alipay.read_callback(headers, body, now=utc_now()).outcome.word)
        except ForgedCallback as error:
            judged.append(str(error))
    assert sorted(judged, key=lambda one: one is not Word.PAID)[0] is Word.PAID
    assert {"signature wrong", "another merchant's or another app's"} & {str(one) for one in judged}


def test_a_refund_in_parts_is_done_once_each_and_notified(sandbox, merchant):
    alipay, taken = sandbox.alipay(merchant.url), order()
    merchant.answer, merchant.body = (lambda n: 200), b"success"
    sandbox.pay(alipay.start(taken).code_url)
    merchant.wait(1)
    reference = alipay.query(taken).reference
    part = refund_of(taken, reference)

    first, again = alipay.refund(part), alipay.refund(part)
    notified = alipay.read_callback(*merchant.wait(2)[1], now=utc_now())
    rest = alipay.refund(refund_of(taken, reference, 20000))

    assert (first.word, first.amount, first.payment) == (RefundWord.DONE, 12000, taken.number)
    assert (again.word, again.amount) == (RefundWord.PROCESSING, None), "money did not move by that call: ask"
    assert alipay.query_refund(part).word is RefundWord.DONE
    assert alipay.query_refund(part).amount == 12000
    assert alipay.query_refund(part).happened_at == first.happened_at
    assert (notified.refund.word, notified.refund.number, notified.refund.amount) == (
        RefundWord.DONE,
        part.number,
        None,
    )
    assert (notified.outcome.word, notified.outcome.reference) == (Word.PAID, reference)
    assert (rest.word, rest.amount) == (RefundWord.DONE, 20000)
    closed = alipay.query(taken)
    assert (closed.word, closed.their_word) == (Word.PAID, "TRADE_CLOSED")
    [theirs] = sandbox.paid(taken.number)
    assert theirs["refunded"] == 32000


def test_the_whole_of_a_page_given_back_is_notified_as_closed(sandbox, merchant):
    alipay, taken = sandbox.alipay(merchant.url), order(Kind.WEB)
    merchant.answer, merchant.body = (lambda n: 200), b"success"
    sandbox.pay(browse(sandbox, alipay.start(taken).page))
    merchant.wait(1)

    alipay.refund(refund_of(taken, "", taken.amount))
    callback = alipay.read_callback(*merchant.wait(2)[1], now=utc_now())

    assert (callback.event_type, callback.outcome.word) == ("TRADE_CLOSED", Word.PAID)
    assert callback.refund.word is RefundWord.DONE


def test_a_refund_accepted_that_fails_is_asked_for_again_by_its_number(sandbox, alipay, paid):
    back = refund_of(paid, "")
    sandbox.fault("refund_fails", back.number)

    accepted = alipay.refund(back)
    asked = alipay.query_refund(back)
    again = alipay.refund(back)

    assert [one.word for one in (accepted, asked, again)] == [
        RefundWord.PROCESSING,
        RefundWord.ABSENT,
        RefundWord.DONE,
    ]
    assert sandbox.paid(paid.number)[0]["refunded"] == 12000


def test_a_refund_whose_answer_is_lost_is_found_by_its_number(sandbox, paid):
    alipay, back = sandbox.alipay(read_s=0.3), refund_of(paid, "")
    sandbox.fault("silent", back.number, on="refund", seconds=0.6)

    with pytest.raises(GatewaySilent):
        alipay.refund(back)

    assert alipay.query_refund(back).word is RefundWord.DONE


@pytest.mark.parametrize("fee", ["0.00", "1.00", None, "119.99", "320.01"])
def test_a_refund_that_is_done_with_a_senseless_amount_is_unknown(alipay, paid, monkeypatch, fee):
    """K27: fund_change Y says that money moved, and the amount beside it must be this refund's at least."""
    reference = alipay.query(paid).reference
    wanted = refund_of(paid, reference)
    stated = {"code": "10000", "out_trade_no": paid.number, "trade_no": reference, "fund_change": "Y"}
    stated |= {"gmt_refund_pay": "2021-11-05 12:00:00"} | ({"refund_fee": fee} if fee else {})
    monkeypatch.setattr(type(alipay._line), "ask", lambda _line, _request: stated)

    assert alipay.refund(wanted).word is RefundWord.UNKNOWN
    stated["refund_fee"] = "120.00"
    assert alipay.refund(wanted).word is RefundWord.DONE


def test_what_cannot_be_given_back_is_refused_by_its_code(sandbox, alipay, paid):
    unpaid = order()
    sandbox.phone(alipay.start(unpaid).code_url)

    for back, code in (
        (refund_of(order(), ""), "ACQ.TRADE_NOT_EXIST"),
        (refund_of(unpaid, ""), "ACQ.TRADE_STATUS_ERROR"),
        (refund_of(replace(paid, amount=90000), "", 32001), "ACQ.REFUND_AMT_NOT_EQUAL_TOTAL"),
    ):
        with pytest.raises(GatewayRefused, match=code):
            alipay.refund(back)


def test_the_same_refund_number_with_another_amount_is_never_called_not_taken(sandbox, alipay, paid):
    back = refund_of(paid, "")
    alipay.refund(back)

    with pytest.raises(GatewaySilent, match="DISCORDANT"):
        alipay.refund(replace(back, amount=11999))


def test_too_little_on_our_balance_is_a_matter_of_time(sandbox, alipay, paid):
    back = refund_of(paid, "")
    sandbox.fault("not_enough", back.number)

    with pytest.raises(GatewayShort):
        alipay.refund(back)

    assert alipay.query_refund(back).word is RefundWord.ABSENT
    assert alipay.refund(back).word is RefundWord.DONE


@pytest.mark.parametrize(
    "code", ["ACQ.SYSTEM_ERROR", "AQC.SYSTEM_ERROR", "isp.unknow-error", "isv.invalid-app-id", "ACQ.SOMETHING_NEW"]
)
def test_an_error_that_tells_nothing_is_silence(sandbox, alipay, paid, code):
    acts = {
        "create": lambda: alipay.start(paid),
        "query": lambda: alipay.query(paid),
        "close": lambda: alipay.close(paid),
        "refund": lambda: alipay.refund(refund_of(paid, "")),
        "refund_query": lambda: alipay.query_refund(refund_of(paid, "")),
    }
    for on, act in acts.items():
        sandbox.fault("error", on=on, code=code, count=2)

        with pytest.raises(GatewaySilent):
            act()
        sandbox.clear()


@pytest.mark.parametrize(
    ("code", "raised"),
    [
        ("ACQ.TRADE_HAS_SUCCESS", AlreadyPaidThere),
        ("ACQ.TRADE_HAS_CLOSE", GatewayRefused),
        ("ACQ.EXIST_FORBIDDEN_WORD", GatewayRefused),
        ("ACQ.TOTAL_FEE_EXCEED", GatewayRefused),
        ("ACQ.CONTEXT_INCONSISTENT", GatewaySilent),
    ],
)
def test_a_no_to_an_order_is_what_the_table_says(sandbox, alipay, code, raised):
    sandbox.fault("error", on="create", code=code, count=2)

    with pytest.raises(raised):
        alipay.start(order())


@pytest.mark.parametrize(
    "code",
    [
        *("MERCHANT_STATUS_NOT_NORMAL", "MERCHANT_AGREEMENT_INVALID", "BEYOND_PAY_RESTRICTION", "ACCESS_FORBIDDEN"),
        *("MERCHANT_PERM_RECEIPT_SUSPEND_LIMIT", "RISK_MERCHANT_IP_NOT_EXIST"),
    ],
)
def test_what_is_refused_whoever_pays_is_said_to_the_payer_and_wakes_somebody(sandbox, code):
    """A10: three months without a trade, and a yearly levy's first day takes nobody."""
    told = []
    alipay = sandbox.alipay(alert=lambda what, **words: told.append((what, words["code"])))
    sandbox.fault("error", on="create", code=f"ACQ.{code}")

    with pytest.raises(GatewayTakesNobody, match=code) as no:
        alipay.start(order())

    assert told == [("gateway_takes_nobody", f"40004 ACQ.{code}")]
    assert "换一种付款方式" in no.value.sentence()


def test_a_complaint_about_our_configuration_keeps_its_code_wakes_somebody_and_decides_nothing(sandbox):
    """A8."""
    told = []
    stranger = sandbox.alipay(app_id="2021009999999999", alert=lambda what, **words: told.append((what, words["said"])))

    with pytest.raises(GatewaySilent, match=r"40002 isv\.invalid-app-id"):
        stranger.start(order())

    assert set(told) == {("gateway_complains", "complaint 40002 isv.invalid-app-id")}


@pytest.mark.parametrize("product", ["FACE_TO_FACE_PAYMENT", "QR_CODE_OFFLINE"])
def test_codes_are_made_under_the_contract_that_is_set(sandbox, product):
    """A5."""
    alipay, taken = sandbox.alipay(product_code=product), order()

    code = alipay.start(taken).code_url

    assert sandbox.world.behind(code)["content"]["product_code"] == product
    with pytest.raises(BadKey, match="product_code"):
        sandbox.alipay(product_code="FAST_INSTANT_TRADE_PAY")


@pytest.mark.parametrize(
    "code",
    [
        *("BUYER_ERROR", "BUYER_NOT_EXIST", "NOT_ALLOW_PARTIAL_REFUND", "REFUND_ACCOUNT_NOT_EXIST"),
        *("CUSTOMER_VALIDATE_ERROR", "ONLINE_TRADE_VOUCHER_NOT_ALLOW_REFUND", "TRADE_NOT_ALLOW_REFUND"),
    ],
)
def test_a_final_no_to_a_refund_is_refused(sandbox, alipay, paid, code):
    """A9: a person makes a bank transfer."""
    sandbox.fault("error", paid.number, on="refund", code=f"ACQ.{code}")

    with pytest.raises(GatewayRefused, match=code):
        alipay.refund(refund_of(paid, ""))


def test_a_refusal_after_silence_is_no_refusal(sandbox, alipay):
    taken = order()
    sandbox.fault("error", taken.number, on="create", code="ACQ.SYSTEM_ERROR")
    sandbox.fault("error", taken.number, on="create", code="ACQ.TRADE_HAS_CLOSE")
    with pytest.raises(GatewaySilent, match="silence, then"):
        alipay.start(taken)


@pytest.mark.parametrize("kind", ["unsigned", "answer_wrong_signature", "duplicate_node"])
@pytest.mark.parametrize("on", ["query", "create"])
@pytest.mark.parametrize("mode", MODES, ids=["public key", "certificates"])
def test_an_answer_that_does_not_prove_itself_is_silence(sandbox, caplog, kind, on, mode):
    alipay, taken = sandbox.alipay(**mode), order()
    sandbox.pay(alipay.start(taken).code_url)
    another = order()
    sandbox.fault(kind, taken.number if on == "query" else another.number, on=on, count=2)

    with pytest.raises(GatewaySilent):
        alipay.query(taken) if on == "query" else alipay.start(another)
    sandbox.clear()

    assert alipay.query(taken).word is Word.PAID
    assert alipay.start(another).code_url


def test_a_well_signed_answer_about_another_trade_is_no_answer(sandbox, alipay, paid):
    another = order()
    sandbox.phone(alipay.start(another).code_url)
    sandbox.fault("other_trade", another.number, instead=paid.number)

    with pytest.raises(GatewaySilent, match="another out_trade_no"):
        alipay.query(another)


def test_a_server_error_is_silence(sandbox, alipay):
    sandbox.fault("error", on="query", status=502)

    with pytest.raises(GatewaySilent, match="502"):
        alipay.query(a_trade(next(numbers)))


def test_silence_in_the_first_try_is_asked_again_with_the_same_words(sandbox):
    alipay, taken = sandbox.alipay(read_s=0.3), order()
    sandbox.fault("silent", taken.number, on="create", seconds=0.6)

    assert sandbox.pay(alipay.start(taken).code_url).status == 200


def test_an_order_paid_meanwhile_says_so(sandbox, alipay, paid):
    with pytest.raises(AlreadyPaidThere):
        alipay.start(paid)


def test_the_same_number_with_other_content_decides_nothing(sandbox, alipay):
    taken = order()
    alipay.start(taken)

    with pytest.raises(GatewaySilent, match="CONTEXT_INCONSISTENT"):
        alipay.start(replace(taken, amount=taken.amount + 1))


def test_closing_what_nobody_has_scanned_confirms_nothing_for_it_can_still_be_paid(sandbox, alipay):
    taken = order()
    code = alipay.start(taken).code_url

    alipay.close(taken)

    assert alipay.query(taken).word is Word.ABSENT
    assert sandbox.pay(code).status == 200
    assert alipay.query(taken).word is Word.PAID


def test_closing_what_somebody_has_scanned_ends_it(sandbox, alipay):
    taken = order()
    code = alipay.start(taken).code_url
    sandbox.phone(code)

    alipay.close(taken)
    alipay.close(taken)

    assert alipay.query(taken).word is Word.CLOSED
    assert sandbox.pay(code).status == 409


@pytest.mark.parametrize("scanned", [False, True])
def test_who_pays_in_the_moment_of_closing_has_paid(sandbox, alipay, scanned):
    taken = order()
    code = alipay.start(taken).code_url
    if scanned:
        sandbox.phone(code)
    sandbox.fault("close_paid", taken.number)

    with pytest.raises(AlreadyPaidThere):
        alipay.close(taken)

    assert alipay.query(taken).word is Word.PAID


def test_a_late_success_after_the_close_is_seen(sandbox, merchant):
    alipay, taken = sandbox.alipay(merchant.url), order()
    code = alipay.start(taken).code_url
    sandbox.phone(code)
    alipay.close(taken)
    sandbox.fault("late_success", taken.number)

    assert sandbox.pay(code).status == 200

    assert alipay.read_callback(*merchant.wait(1)[0], now=utc_now()).outcome.word is Word.PAID
    assert alipay.query(taken).word is Word.PAID


def test_an_order_ends_by_its_time_on_the_business_clock(sandbox, alipay):
    sandbox.post("/clock", {"offset_seconds": -5 * 365 * 86400})
    at = utc_now().replace(microsecond=0) - timedelta(days=5 * 365)
    seen, unseen = (
        order(ordered_at=at, expires_at=at + timedelta(minutes=10)),
        order(ordered_at=at, expires_at=at + timedelta(minutes=10)),
    )
    codes = [alipay.start(one).code_url for one in (seen, unseen)]
    sandbox.phone(codes[0])

    sandbox.post("/clock", {"offset_seconds": -5 * 365 * 86400 + 601})

    assert [alipay.query(one).word for one in (seen, unseen)] == [Word.CLOSED, Word.ABSENT]
    assert [sandbox.pay(code).status for code in codes] == [409, 409]


def test_another_amount_or_a_coupon_is_told_as_it_is(sandbox, alipay):
    dearer, cheaper = order(), order()
    for taken, kind, words in ((dearer, "other_amount", {"total": 32001}), (cheaper, "coupon", {"off": 500})):
        sandbox.fault(kind, taken.number, **words)
        sandbox.pay(alipay.start(taken).code_url)

    assert alipay.query(dearer).amount == 32001
    told = alipay.query(cheaper)
    assert (told.amount, told.payer_amount) == (32000, 31500)


def test_marks_that_alipay_refuses_in_a_subject_are_written_wide(sandbox, alipay):
    taken = order(description="居民医保/养老 a=b&c,2022")

    code = alipay.start(taken).code_url

    assert "居民医保／养老 a＝b＆c，2022" in sandbox.phone(code)


def test_what_goes_wrong_is_logged_without_secrets_and_configuration_is_an_alarm(sandbox, caplog):
    stranger = sandbox.alipay(app_id="2021009999999999")

    with caplog.at_level(logging.DEBUG), pytest.raises(GatewaySilent, match="invalid-app-id"):
        stranger.query(a_trade(next(numbers)))

    [line] = [record for record in caplog.records if record.levelno == logging.ERROR]
    assert "configuration refused" in line.message
    secrets_ = [line for line in sandbox.alipay_keys.app_key.splitlines() if len(line) > 40]
    assert not any(secret in caplog.text for secret in secrets_) and "sign" not in caplog.text.replace("signature", "")


def test_the_bill_of_a_day_is_fetched_and_read(sandbox, alipay):
    day = _a_day(sandbox, -3000)
    taken, another = (
        order(ordered_at=day, expires_at=day + timedelta(minutes=9)),
        order(ordered_at=day, expires_at=day + timedelta(minutes=9)),
    )
    for one in (taken, another):
        sandbox.pay(alipay.start(one).code_url)
    back = refund_of(taken, alipay.query(taken).reference)
    alipay.refund(back)

    with pytest.raises(StatementNotReady):
        alipay.fetch_statement(beijing(day).date(), io.BytesIO())
    _later(sandbox, day, timedelta(days=1, hours=10))
    file = io.BytesIO()
    assert alipay.fetch_statement(beijing(day).date(), file)
    lines = sorted(alipay.read_statement(file, beijing(day).date()), key=lambda line: (line.movement, line.number))

    assert [(line.movement, line.number, line.amount, line.fee) for line in lines] == [
        (Movement.PAYMENT, taken.number, 32000, 192_000),
        (Movement.PAYMENT, another.number, 32000, 192_000),
        (Movement.REFUND, taken.number, 12000, -72_000),
    ]
    assert lines[2].refund_number == back.number and lines[0].refund_number == ""
    assert lines[0].reference == lines[2].reference == alipay.query(taken).reference
    assert {line.row for line in lines} == {6, 7, 8} and lines[0].happened_at == alipay.query(taken).happened_at
    assert not alipay.fetch_statement(beijing(day).date() - timedelta(days=1), io.BytesIO()), "no trades that day"
    sandbox.fault("statement_not_ready", code="BILL_NOT_EXIST")
    with pytest.raises(NoStatement):
        alipay.fetch_statement(beijing(day).date(), io.BytesIO())
    sandbox.fault("statement_not_ready", code="USER_RATE_LIMIT")
    with pytest.raises(GatewayBusy):
        alipay.fetch_statement(beijing(day).date(), io.BytesIO())


@pytest.mark.parametrize(("mode", "days"), [(MODES[0], -3010), (MODES[1], -3020)], ids=["public key", "certificates"])
def test_an_address_that_has_ended_is_asked_for_once_more(sandbox, mode, days):
    alipay, day = sandbox.alipay(**mode), _a_day(sandbox, days)
    sandbox.pay(alipay.start(order(ordered_at=day, expires_at=day + timedelta(minutes=9))).code_url)
    _later(sandbox, day, timedelta(days=1, hours=10))
    today, file = beijing(day).date(), io.BytesIO()

    sandbox.fault("statement_expired")
    assert alipay.fetch_statement(today, file)
    sandbox.fault("statement_expired", count=2)
    with pytest.raises(GatewaySilent, match="gave no zip"):
        alipay.fetch_statement(today, io.BytesIO())
    sandbox.fault("statement_not_ready")
    with pytest.raises(StatementNotReady):
        alipay.fetch_statement(today, io.BytesIO())

    assert file.getvalue().startswith(b"PK")
    assert len(list(alipay.read_statement(file, today))) == 1


def _a_day(sandbox, days):
    """Move the business clock to about noon of a day long ago that no other test plays on."""
    noon = (datetime.now(UTC) + timedelta(days=days)).replace(hour=4, minute=0, second=0, microsecond=0)
    _later(sandbox, noon, timedelta())
    return noon


def _later(sandbox, moment, by):
    sandbox.post("/clock", {"offset_seconds": int((moment + by - datetime.now(UTC)).total_seconds())})


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"public_keys": ""}, "public_keys or certificates"),
        ({"public_keys": "MIIB"}, "not a readable PEM"),
        ({"private_key": "MIIB"}, "not a readable PEM"),
        ({"app_id": "wx0123456789abcdef"}, "app_id"),
        ({"seller_id": "1900000109"}, "seller_id"),
        ({"notify_url": "https://pay.invalid/" + "x" * 250}, "notify_url"),
        ({"certificates": True, "root_certificates": ""}, "root_certificates"),
        ({"certificates": True, "app_certificate": ""}, "app_certificate"),
    ],
)
def test_an_unusable_credential_is_named(sandbox, changed, words):
    with pytest.raises(BadKey, match=words):
        sandbox.alipay(**changed)


def test_our_own_key_in_the_place_of_theirs_is_noticed(sandbox):
    from cryptography.hazmat.primitives.serialization import (  # noqa: PLC0415
        Encoding,
        PublicFormat,
        load_pem_private_key,
    )

    ours = load_pem_private_key(sandbox.alipay_keys.app_key.encode(), None).public_key()
    pem = ours.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()

    with pytest.raises(BadKey, match="支付宝公钥"):
        sandbox.alipay(public_keys=pem)


def test_keys_as_alipays_tool_writes_them_are_taken(sandbox):
    def bare(pem):
        return "".join(pem.strip().splitlines()[1:-1])

    keys = sandbox.alipay_keys
    alipay = sandbox.alipay(private_key=bare(keys.app_key), public_keys=bare(keys.public_key))

    assert alipay.start(order()).code_url


def test_every_key_is_told_to_the_operator(sandbox):
    plain, certified = sandbox.alipay(), sandbox.alipay(certificates=True)

    ours, theirs = plain.keys()
    assert [ours.purpose, theirs.purpose] == ["signs our requests", "verifies their messages"]
    assert ours.name.startswith("sha256:") and ours.expires_at is None and theirs.name != ours.name
    ours, theirs = certified.keys()
    assert len(ours.name) == len(theirs.name) == 32 and min(ours.expires_at, theirs.expires_at) > utc_now()
    plain.sign_and_verify()
    certified.sign_and_verify()


def test_a_key_that_does_not_fit_its_certificate_is_noticed(sandbox):
    other = sandbox.alipay(certificates=True, app_certificate=sandbox.alipay_keys.platform_certificate)

    with pytest.raises(BadKey, match="app_certificate"):
        other.sign_and_verify()


def test_both_kinds_of_proof_are_believed_in_the_week_of_the_change(sandbox, merchant):
    plain, both = sandbox.alipay(merchant.url), None
    both = sandbox.alipay(merchant.url, certificates=True, public_keys=sandbox.alipay_keys.public_key)
    merchant.answer, merchant.body = (lambda n: 200), b"success"
    for alipay in (plain, both):
        sandbox.pay(alipay.start(order()).code_url)

    words = [both.read_callback(headers, body, now=utc_now()).outcome.word for headers, body in merchant.wait(2)]

    assert words == [Word.PAID, Word.PAID]
    assert b"alipay_cert_sn" in b"".join(body for _, body in merchant.came)


def test_the_name_and_the_needs_are_registered(sandbox, alipay):
    assert (alipay.name, alipay.facts.title) == ("alipay", "支付宝")
    assert alipay.facts.lives_at_most == timedelta(minutes=10)
    with pytest.raises(BadKey):
        connect("alipay", {}, sandbox.door, utc_now)
