"""UnionPay's adapter against its far side over real HTTP."""

import io
import logging
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from threading import Thread
from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest

from core.clock import beijing, utc_now
from core.http import Door
from payments.errors import (
    BadStatement,
    ForgedCallback,
    GatewayRefused,
    GatewayShort,
    GatewaySilent,
    StatementNotReady,
)
from payments.gateways.base import Kind, Movement, RefundOrder, RefundWord, Word
from payments.gateways.known import connect
from payments.gateways.signing import BadKey
from payments.gateways.verdict import judge
from payments.sandbox.unionpay.keys import make
from payments.sandbox.unionpay.voice import Voice
from tests.builders import a_trade, an_order
from tests.outside import NOBODY

numbers = (f"U{n:015d}" for n in count(1))


def order(kind=Kind.NATIVE, **changed):
    made = an_order(next(numbers), kind=kind)
    return replace(made, expires_at=made.ordered_at + timedelta(minutes=10), **changed)


def refund_of(taken, outcome, amount=None, **changed):
    at = utc_now().replace(microsecond=0)
    wanted = RefundOrder(
        next(numbers), at, taken.number, outcome.reference, taken.amount, amount or taken.amount, "多缴"
    )
    return replace(wanted, **changed)


def moved(sandbox, **by):
    """The business clock, so far from the system's."""
    sandbox.post("/clock", {"offset_seconds": int(timedelta(**by).total_seconds())})


@pytest.fixture(scope="module")
def held(running_sandbox):
    """An adapter holds no state, and opening its key file takes a tenth of a second: one for all."""
    return running_sandbox.unionpay()


@pytest.fixture
def unionpay(sandbox, held):
    return held


@pytest.fixture
def paid(sandbox, unionpay):
    taken = order()
    assert sandbox.pay(unionpay.start(taken).code_url).status == 200
    return taken


@cache
def voice_of(sandbox):
    """UnionPay's own key, read once."""
    return Voice(sandbox.unionpay_keys)


def body_of(received):
    [(headers, body)] = received
    return headers, body


def test_an_order_is_paid_by_its_code_and_the_query_says_so(sandbox, unionpay):
    taken = order()

    checkout = unionpay.start(taken)
    before = unionpay.query(taken)
    sandbox.pay(checkout.code_url)
    after = unionpay.query(taken)

    assert checkout.code_url.startswith("https://qr.95516.com/00010000/")
    assert (before.word, before.their_word, before.amount) == (Word.ABSENT, "34", None)
    assert (after.word, after.amount, after.payer_amount, after.currency) == (Word.PAID, 32000, 32000, "CNY")
    [theirs] = sandbox.paid(taken.number)
    assert (theirs["reference"], theirs["amount"]) == (after.reference, after.amount)
    assert datetime.fromisoformat(theirs["success_time"]) == after.happened_at
    assert (after.payer, after.app, after.merchant) == ("", "", sandbox.unionpay_keys.mer_id)


def test_the_payers_browser_brings_the_order_pays_and_is_brought_back(sandbox, unionpay):
    taken = order(Kind.WEB, description="峄城区" * 20)

    page = unionpay.start(taken).page
    answer = sandbox.door.send(
        "POST",
        page.url,
        headers={"Content-Type": "application/x-www-form-urlencoded"},
        body=urlencode(page.fields).encode(),
    )
    code = answer.headers["location"].removeprefix("/phone?code=")
    shown = sandbox.phone(code)
    back = sandbox.post("/phone/pay", {"code_url": code})["return"]

    assert answer.status == 303 and "320.00" in shown
    assert back["url"] == "https://pay.invalid/back/unionpay" and back["fields"]["orderId"] == taken.number
    assert unionpay.query(taken).word is Word.PAID


@pytest.mark.parametrize("spoil", [{"txnAmt": "1"}, {"payTimeout": "20200101000000"}, {"merId": "777290000000000"}])
def test_a_form_changed_in_the_browser_is_not_taken(sandbox, unionpay, spoil):
    page = unionpay.start(order(Kind.WEB)).page

    answer = sandbox.door.send(
        "POST",
        page.url,
        headers={"Content-Type": "application/x-www-form-urlencoded"},
        body=urlencode({**page.fields, **spoil}).encode(),
    )

    assert answer.status == 400


def test_a_number_that_was_used_is_not_handed_out_again(unionpay):
    taken = order()
    unionpay.start(taken)

    with pytest.raises(GatewaySilent, match="12"):
        unionpay.start(taken)


def test_the_moment_of_the_order_belongs_to_its_name(paid, unionpay):
    other = replace(paid, ordered_at=paid.ordered_at - timedelta(seconds=1))

    assert unionpay.query(other).word is Word.ABSENT
    assert unionpay.query(a_trade(next(numbers))).word is Word.ABSENT


def test_orders_live_on_the_business_clock(sandbox, unionpay):
    moved(sandbox, days=-1840)
    then = (utc_now() + timedelta(days=-1840)).replace(microsecond=0)
    taken = replace(order(), ordered_at=then, expires_at=then + timedelta(minutes=10))

    sandbox.pay(unionpay.start(taken).code_url)

    assert abs(unionpay.query(taken).happened_at - then) < timedelta(seconds=5)
    with pytest.raises(GatewayRefused, match="10"):
        unionpay.start(order())


def test_nothing_is_sent_to_close(sandbox, unionpay):
    taken = order()
    code = unionpay.start(taken).code_url

    unionpay.close(taken)

    assert sandbox.pay(code).status == 200


def test_after_its_time_a_code_is_dead_but_for_a_late_success(sandbox, unionpay):
    taken = order()
    code = unionpay.start(taken).code_url
    moved(sandbox, minutes=11)

    declined = sandbox.pay(code)
    sandbox.fault("late_success", taken.number)
    late = sandbox.pay(code)

    assert (declined.status, late.status) == (409, 200)
    outcome = unionpay.query(taken)
    assert outcome.word is Word.PAID and outcome.happened_at > taken.expires_at


@pytest.mark.parametrize(
    ("code", "word"),
    [
        *((code, Word.UNDECIDED) for code in ("01", "02", "03", "04", "05", "06", "12", "34", "37", "60", "70", "99")),
        *(("A6", Word.UNKNOWN), ("42", Word.UNKNOWN), ("74", Word.UNKNOWN), ("ZZ", Word.UNKNOWN)),
        *(("61", Word.OPEN), ("86", Word.OPEN), ("90", Word.OPEN)),
    ],
)
def test_what_a_query_says_of_the_trade_is_read_by_the_table(sandbox, unionpay, code, word):
    """M2: only a definite no leaves an order open to be ended by its time."""
    taken = order()
    unionpay.start(taken)
    sandbox.fault("trade_code", taken.number, code=code)

    outcome = unionpay.query(taken)

    assert (outcome.word, outcome.their_word, outcome.reference) == (word, code, "")


@pytest.mark.parametrize("code", ["03", "06", "10", "11", "31", "37", "99", "A6", "05"])
def test_a_question_that_failed_says_nothing_about_the_trade(sandbox, unionpay, paid, code):
    sandbox.fault("error", paid.number, on="query", code=code)

    with pytest.raises(GatewaySilent, match=code):
        unionpay.query(paid)


def test_a_number_that_can_be_none_of_theirs_is_absent_and_stops_nobody(unionpay):
    """K28: a statement may name an order of six characters, which UnionPay never had."""
    assert unionpay.query(a_trade("T00123")).word is Word.ABSENT


@pytest.mark.parametrize("code", ["10", "11", "13", "31", "33", "38", "39"])
def test_a_definite_no_is_told_with_its_code(sandbox, unionpay, code):
    taken = order()
    sandbox.fault("error", taken.number, on="create", code=code)

    with pytest.raises(GatewayRefused, match=code):
        unionpay.start(taken)


@pytest.mark.parametrize("code", ["02", "03", "06", "34", "37", "61", "98", "99", "A6", "ZZ"])
def test_any_other_code_leaves_the_order_unknown(sandbox, unionpay, code):
    taken = order()
    sandbox.fault("error", taken.number, on="create", code=code, count=2)

    with pytest.raises(GatewaySilent, match=code):
        unionpay.start(taken)


def test_a_no_after_silence_is_not_a_no(sandbox, unionpay):
    taken = order()
    sandbox.fault("html", taken.number, on="create")

    with pytest.raises(GatewaySilent):
        unionpay.start(taken)
    assert unionpay.query(taken).word is Word.ABSENT


def test_a_definite_no_after_silence_leaves_the_order_unknown(sandbox, unionpay):
    taken = order()
    sandbox.fault("error", taken.number, on="create", status=502)
    sandbox.fault("error", taken.number, on="create", code="10")

    with pytest.raises(GatewaySilent, match="silence, then 10"):
        unionpay.start(taken)


def test_silence_is_followed_by_one_more_try(sandbox, unionpay):
    taken = order()
    sandbox.fault("error", taken.number, on="create", status=502)

    assert unionpay.start(taken).code_url


@pytest.mark.parametrize("kind", ["plain_text", "answer_wrong_signature", "merchant_certificate", "error"])
@pytest.mark.parametrize("on", ["query", "refund"])
def test_an_answer_that_does_not_prove_itself_is_silence(sandbox, unionpay, paid, kind, on):
    outcome = unionpay.query(paid)
    sandbox.fault(kind, paid.number, on=on, status=500)

    with pytest.raises(GatewaySilent):
        unionpay.query(paid) if on == "query" else unionpay.refund(refund_of(paid, outcome))


def test_a_genuine_answer_about_another_trade_is_silence(sandbox, unionpay, paid):
    another = order()
    unionpay.start(another)
    sandbox.fault("other_trade", another.number, instead=paid.number)

    with pytest.raises(GatewaySilent, match="another trade"):
        unionpay.query(another)


def test_a_payment_is_told_and_believed(sandbox, merchant):
    merchant.answer = lambda n: 200
    unionpay = sandbox.unionpay(merchant.url)
    taken = order()
    sandbox.pay(unionpay.start(taken).code_url)

    headers, body = body_of(merchant.wait(1))
    callback = unionpay.read_callback(headers, body, now=utc_now())

    assert callback.outcome == unionpay.query(taken)
    assert callback.refund is None and callback.event_type == "01.00"
    assert sandbox.callback_statuses(taken.number, 1) == [200]
    assert (unionpay.accepted().status, unionpay.rejected().status) == (200, 401)


def test_another_merchants_genuine_notification_is_refused_and_ours_comes_after_it(sandbox, merchant):
    merchant.answer = lambda n: 200
    unionpay = sandbox.unionpay(merchant.url)
    taken = order()
    code = unionpay.start(taken).code_url
    sandbox.fault("other_merchant", taken.number)
    sandbox.pay(code)

    verdicts = sorted(judge(unionpay, *one, now=utc_now()).why for one in merchant.wait(2))

    assert verdicts == ["", "another merchant's"]


@pytest.mark.parametrize(
    ("fault", "why"),
    [("callback_wrong_signature", "signature wrong"), ("merchant_certificate", "certificate is another company's")],
)
def test_a_spoilt_notification_is_refused_and_repeated(sandbox, merchant, fault, why):
    unionpay = sandbox.unionpay(merchant.url)
    taken = order()
    code = unionpay.start(taken).code_url
    merchant.answer = lambda n: 401 if n == 0 else 200
    sandbox.fault(fault, taken.number, **({"on": "callback"} if fault == "merchant_certificate" else {}))
    sandbox.pay(code)

    first, second = merchant.wait(2)

    with pytest.raises(ForgedCallback, match=why):
        unionpay.read_callback(*first, now=utc_now())
    assert unionpay.read_callback(*second, now=utc_now()).outcome.word is Word.PAID


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"txnAmt": "32001"}, (32001, "CNY")),
        ({"txnAmt": "320.00"}, (None, "CNY")),
        ({"txnAmt": "032000"}, (None, "CNY")),
        ({"txnAmt": "３２０００"}, (None, "CNY")),
        ({"txnAmt": "-1"}, (None, "CNY")),
        ({"txnAmt": "1" * 13}, (None, "CNY")),
        ({"txnAmt": ""}, (None, "CNY")),
        ({"currencyCode": "840"}, (32000, "840")),
        ({"currencyCode": ""}, (32000, "")),
    ],
)
def test_money_that_makes_no_sense_is_told_as_it_is(sandbox, unionpay, paid, change, expected):
    body = genuine(sandbox, unionpay, paid, change)

    outcome = unionpay.read_callback({}, body, now=utc_now()).outcome

    assert (outcome.word, outcome.amount, outcome.currency) == (Word.PAID, *expected)


@pytest.mark.parametrize("name", ["orderId", "queryId", "txnTime", "respCode", "txnType", "traceNo", "merId"])
def test_a_genuine_notification_without_what_names_the_payment_is_refused(sandbox, unionpay, paid, name):
    with pytest.raises(ForgedCallback):
        unionpay.read_callback({}, genuine(sandbox, unionpay, paid, {name: ""}), now=utc_now())


@pytest.mark.parametrize(
    ("ordered", "told", "happened"),
    [
        ("20211231235955", "0101000003", "2022-01-01T00:00:03+08:00"),
        ("20220101000003", "1231235959", "2021-12-31T23:59:59+08:00"),
        ("20240229120000", "0229120001", "2024-02-29T12:00:01+08:00"),
        ("20211105120000", "1305120000", None),
        ("20211105120000", "11051200", None),
    ],
)
def test_the_year_of_a_success_is_the_one_nearest_to_the_order(sandbox, unionpay, paid, ordered, told, happened):
    body = genuine(sandbox, unionpay, paid, {"txnTime": ordered, "traceTime": told})

    moment = unionpay.read_callback({}, body, now=utc_now()).outcome.happened_at

    assert moment == (datetime.fromisoformat(happened) if happened else None)


@pytest.mark.parametrize("change", [{"origRespCode": "05"}, {"qrCode": "https://qr.95516.com/1/2"}])
def test_a_genuine_answer_about_an_unpaid_order_tells_nothing_as_a_notification(sandbox, unionpay, paid, change):
    callback = unionpay.read_callback({}, genuine(sandbox, unionpay, paid, change), now=utc_now())

    assert (callback.event_type, callback.outcome, callback.refund) == ("answer", None, None)


def test_a_void_that_nobody_here_asked_for_changes_nothing(sandbox, unionpay, paid):
    callback = unionpay.read_callback({}, genuine(sandbox, unionpay, paid, {"txnType": "31"}), now=utc_now())

    assert (callback.event_type, callback.outcome, callback.refund) == ("31.00", None, None)


def test_a_refund_is_accepted_then_done_and_told(sandbox, merchant):
    merchant.answer = lambda n: 200
    unionpay = sandbox.unionpay(merchant.url)
    taken = order()
    sandbox.pay(unionpay.start(taken).code_url)
    wanted = refund_of(taken, unionpay.query(taken), 12000)

    before = unionpay.query_refund(wanted)
    asked = unionpay.refund(wanted)
    *_, (headers, body) = merchant.wait(2)
    told = unionpay.read_callback(headers, body, now=utc_now())
    after = unionpay.query_refund(wanted)

    assert (before.word, before.payment) == (RefundWord.ABSENT, taken.number)
    assert (asked.word, asked.amount, asked.payment) == (RefundWord.PROCESSING, 12000, taken.number)
    assert (after.word, after.amount, after.payment) == (RefundWord.DONE, 12000, taken.number)
    assert told.refund == after and told.outcome is None
    assert after.reference == asked.reference != unionpay.query(taken).reference
    assert unionpay.query(taken).word is Word.PAID


@pytest.mark.parametrize(
    ("fault", "word"), [("refund_fails", RefundWord.FAILED), ("refund_abnormal", RefundWord.ABNORMAL)]
)
def test_a_refund_that_was_accepted_can_fail_and_that_is_told_too(sandbox, merchant, fault, word):
    merchant.answer = lambda n: 200
    unionpay = sandbox.unionpay(merchant.url)
    taken = order()
    sandbox.pay(unionpay.start(taken).code_url)
    wanted = refund_of(taken, unionpay.query(taken))
    sandbox.fault(fault, wanted.number)

    assert unionpay.refund(wanted).word is RefundWord.PROCESSING
    *_, (headers, body) = merchant.wait(2)

    assert unionpay.read_callback(headers, body, now=utc_now()).refund.word is word
    assert unionpay.query_refund(wanted).word is word


def test_more_than_was_paid_does_not_go_back(unionpay, paid):
    outcome = unionpay.query(paid)
    unionpay.refund(refund_of(paid, outcome, 20000))

    with pytest.raises(GatewayRefused, match="36"):
        unionpay.refund(refund_of(paid, outcome, 20000))
    with pytest.raises(GatewayRefused, match="35"):
        unionpay.refund(refund_of(paid, replace(outcome, reference="0" * 21)))


def test_after_thirty_days_a_code_payment_is_not_given_back(sandbox, unionpay, paid):
    outcome = unionpay.query(paid)
    moved(sandbox, days=31)
    late = refund_of(paid, outcome)

    with pytest.raises(GatewayRefused, match="35"):
        unionpay.refund(replace(late, ordered_at=late.ordered_at + timedelta(days=31)))


@pytest.mark.parametrize("code", ["34", "35"])
def test_a_refund_of_a_payment_they_do_not_find_is_refused(sandbox, unionpay, paid, code):
    """A9: the same number again would be refused for ever; a person makes a bank transfer."""
    wanted = refund_of(paid, unionpay.query(paid))
    sandbox.fault("error", wanted.number, on="refund", code=code)

    with pytest.raises(GatewayRefused, match=code):
        unionpay.refund(wanted)


@pytest.mark.parametrize("code", ["45", "46", "03", "39", "99", "ZZ"])
def test_a_refunds_unclear_answer_is_silence(sandbox, unionpay, paid, code):
    wanted = refund_of(paid, unionpay.query(paid))
    sandbox.fault("error", wanted.number, on="refund", code=code)

    with pytest.raises(GatewaySilent, match=code):
        unionpay.refund(wanted)
    assert unionpay.query_refund(wanted).word is RefundWord.ABSENT


def test_a_short_balance_is_told_as_such(sandbox, unionpay, paid):
    wanted = refund_of(paid, unionpay.query(paid))
    sandbox.fault("not_enough", wanted.number, on="refund")

    with pytest.raises(GatewayShort):
        unionpay.refund(wanted)
    assert unionpay.refund(wanted).word is RefundWord.PROCESSING


@pytest.mark.parametrize(
    ("code", "word"),
    [
        *(("03", RefundWord.PROCESSING), ("A6", RefundWord.UNKNOWN), ("45", RefundWord.UNKNOWN)),
        *(
            ("34", RefundWord.FAILED),
            ("35", RefundWord.FAILED),
            ("61", RefundWord.ABNORMAL),
            ("ZZ", RefundWord.UNKNOWN),
        ),
    ],
)
def test_what_a_query_says_of_a_refund_is_read_by_the_table(sandbox, unionpay, paid, code, word):
    wanted = refund_of(paid, unionpay.query(paid))
    unionpay.refund(wanted)
    sandbox.fault("trade_code", wanted.number, on="refund_query", code=code)

    assert unionpay.query_refund(wanted).word is word


def test_a_refund_is_not_taken_for_a_payment_nor_the_other_way_round(unionpay, paid):
    wanted = refund_of(paid, unionpay.query(paid))
    unionpay.refund(wanted)

    with pytest.raises(GatewaySilent, match="another kind"):
        unionpay.query(wanted)
    with pytest.raises(GatewaySilent, match="another kind"):
        unionpay.query_refund(replace(wanted, number=paid.number, ordered_at=paid.ordered_at))


@contextmanager
def answering(sandbox, **said):
    """An outsider with UnionPay's key that echoes every request, with these fields added or (None) left out."""
    voice = voice_of(sandbox)

    class Echo(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            heard = dict(parse_qsl(self.rfile.read(int(self.headers["Content-Length"])).decode()))
            fields = {"respCode": "00", **heard, **said}
            kept = {name: value for name, value in fields.items() if value is not None and name != "certId"}
            body = "&".join(f"{name}={value}" for name, value in voice.signed(kept).items()).encode() + b"\r\n"
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *words: object) -> None:
            """Quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Echo)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    url = f"http://127.0.0.1:{server.server_port}"
    door = Door(hosts=frozenset({urlsplit(url).netloc}))
    credentials = sandbox.unionpay_keys.credentials(base_url=url, notify_url=NOBODY, return_url=NOBODY)
    try:
        yield connect("unionpay", credentials, door, utc_now)
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.mark.parametrize(
    "words",
    [
        *("系统[异常", "余额{不足", "a&b", "请联系A&B公司[6100030]", "[&", "&", "x]", "a&&b", "{]&[}", "a&b=c"),
        *("[6100030]", "a[b&c=d]e", "余额=0"),
    ],
)
def test_junk_in_a_message_for_people_spoils_nothing_else(sandbox, words):
    """G1: the signed text decides what the fields are; junk stays in the field that holds it."""
    with answering(sandbox, respMsg=words, origRespCode="61", txnType="01", txnAmt="32000") as unionpay:
        outcome = unionpay.query(a_trade(next(numbers)))

    assert (outcome.word, outcome.their_word, outcome.amount) == (Word.OPEN, "61", 32000)


def test_a_signed_message_whose_junk_names_another_outcome_is_still_what_was_signed(sandbox):
    """G1: parting the text another way never makes money out of a message for people."""
    said = {"respMsg": "a&origRespCode=00", "origRespCode": "61", "txnType": "01"}

    with answering(sandbox, **said) as unionpay, pytest.raises(GatewaySilent, match="not a clean answer"):
        unionpay.query(a_trade(next(numbers)))


@pytest.mark.parametrize(
    "code",
    [
        *("http://qr.95516.com/00010000/1", "https://qr.95516.com.evil.invalid/1", "https://evil.invalid/qr.95516.com"),
        *("https://x@qr.95516.com/1", "https://qr.95516.com", "https://qr.95516.com/1 2", "weixin://1", "", None),
    ],
)
def test_only_a_code_of_unionpays_is_shown_to_a_payer(sandbox, code):
    with answering(sandbox, qrCode=code) as unionpay, pytest.raises(GatewaySilent, match="qrCode"):
        unionpay.start(order())


def test_an_answer_may_end_with_a_line_end(sandbox):
    with answering(sandbox, qrCode="https://qr.95516.com/00010000/1") as unionpay:
        assert unionpay.start(order()).code_url == "https://qr.95516.com/00010000/1"


@pytest.mark.parametrize(
    "change",
    [{"orderId": "X" * 16}, {"orderId": None}, {"txnTime": "20211105120000"}, {"txnTime": None}, {"respCode": ""}],
)
def test_a_signed_answer_that_does_not_name_the_trade_is_silence(sandbox, change):
    with answering(sandbox, qrCode="https://qr.95516.com/1", **change) as unionpay:
        with pytest.raises(GatewaySilent, match="another trade"):
            unionpay.start(order())
        with pytest.raises(GatewaySilent, match="another trade"):
            unionpay.query(order())


def test_a_paid_word_without_their_number_is_silence(sandbox):
    with answering(sandbox, txnType="01", origRespCode="00") as unionpay, pytest.raises(GatewaySilent, match="queryId"):
        unionpay.query(order())


def test_a_refund_of_another_payment_is_silence(sandbox, paid, unionpay):
    wanted = refund_of(paid, unionpay.query(paid))

    with answering(sandbox, origQryId="1" * 21) as other, pytest.raises(GatewaySilent, match="another payment"):
        other.refund(wanted)


@pytest.mark.parametrize(
    ("change", "error", "why"),
    [
        ({"settleDate": "1106", "fileContent": "eJwDAAAAAAE="}, GatewaySilent, "another day"),
        ({"fileContent": None}, GatewaySilent, "00"),
        ({"fileContent": "eJwDAAAAAAE=", "respCode": "37"}, GatewaySilent, "37"),
        ({"fileContent": "nonsense"}, BadStatement, "编码"),
    ],
)
def test_a_signed_answer_without_the_days_file_gives_no_statement(sandbox, change, error, why):
    with answering(sandbox, **change) as unionpay, pytest.raises(error, match=why):
        unionpay.fetch_statement(datetime(2021, 11, 5, tzinfo=UTC).date(), io.BytesIO())


def statement(unionpay, day):
    file = io.BytesIO()
    assert unionpay.fetch_statement(day, file) is True
    file.seek(0)
    return list(unionpay.read_statement(file, day))


@pytest.fixture
def a_day(sandbox):
    """A settlement day of its own, at noon, with nothing on it; its date and an adapter."""
    day = next(DAYS)
    noon = datetime.combine(day, time(12), beijing(utc_now()).tzinfo)
    moved(sandbox, seconds=int((noon - utc_now()).total_seconds()))
    return day


DAYS = ((datetime(2019, 11, 1, tzinfo=UTC) + timedelta(days=3 * n)).date() for n in count())


def on_the_business_clock(sandbox, taken):
    now = datetime.fromisoformat(sandbox.get("/clock")["now"])
    return replace(taken, ordered_at=now, expires_at=now + timedelta(minutes=10))


def bought(sandbox, unionpay):
    taken = on_the_business_clock(sandbox, order())
    sandbox.pay(unionpay.start(taken).code_url)
    return taken


def later(sandbox, **by):
    moved(sandbox, seconds=sandbox.get("/clock")["offset_seconds"], **by)


def settled(sandbox, number, seconds=5):
    until = utc_now() + timedelta(seconds=seconds)
    while utc_now() < until:
        states = [one["state"] for one in sandbox.get("/refunds")["refunds"] if one["number"] == number]
        if states and states[0] != "PROCESSING":
            return
    raise AssertionError("the refund never settles")


def test_a_days_file_tells_payments_and_refunds_with_their_fees(sandbox, unionpay, a_day):
    first, second = bought(sandbox, unionpay), bought(sandbox, unionpay)
    outcome = unionpay.query(first)
    now = datetime.fromisoformat(sandbox.get("/clock")["now"])
    back = refund_of(first, outcome, 12000, ordered_at=now)
    unionpay.refund(back)
    settled(sandbox, back.number)
    later(sandbox, days=1)

    lines = statement(unionpay, a_day)

    by_number = {(line.movement, line.number): line for line in lines}
    payment, refund = by_number[Movement.PAYMENT, first.number], by_number[Movement.REFUND, first.number]
    assert len(lines) == 3 and (Movement.PAYMENT, second.number) in by_number
    assert (payment.amount, payment.fee, payment.reference) == (32000, 192_000, outcome.reference)
    assert (payment.happened_at, payment.their_word) == (outcome.happened_at, "0107")
    assert (refund.amount, refund.fee, refund.refund_number) == (12000, -72_000, back.number)
    assert (refund.reference, refund.refund_reference) == (outcome.reference, unionpay.query_refund(back).reference)


def test_after_eleven_at_night_the_next_settlement_day_has_begun(sandbox, unionpay, a_day):
    later(sandbox, hours=10, minutes=58)
    evening = bought(sandbox, unionpay)
    later(sandbox, minutes=4)
    night = bought(sandbox, unionpay)
    later(sandbox, days=2)

    days = [[line.number for line in statement(unionpay, day)] for day in (a_day, a_day + timedelta(days=1))]

    assert days == [[evening.number], [night.number]]


def test_an_adjustment_is_told_though_it_names_no_order(sandbox, unionpay, a_day):
    taken = bought(sandbox, unionpay)
    later(sandbox, days=1)
    sandbox.fault("statement_adjustment")

    payment, adjustment = statement(unionpay, a_day)

    assert (payment.row, payment.number, adjustment.row, adjustment.number) == (1, taken.number, 2, "")
    assert (adjustment.movement, adjustment.amount) == (Movement.PAYMENT, 32000)
    assert adjustment.their_word.startswith(f"ZME E22 {payment.reference[14:20]}/")


def test_a_file_that_is_not_there_is_not_a_day_without_trades(sandbox, unionpay, a_day):
    with pytest.raises(StatementNotReady):
        unionpay.fetch_statement(a_day, io.BytesIO())
    bought(sandbox, unionpay)
    with pytest.raises(StatementNotReady):
        unionpay.fetch_statement(a_day, io.BytesIO())
    later(sandbox, days=1)
    sandbox.fault("statement_not_ready")
    with pytest.raises(StatementNotReady):
        unionpay.fetch_statement(a_day, io.BytesIO())
    assert len(statement(unionpay, a_day)) == 1


@pytest.mark.parametrize("fault", ["statement_hash", "html", "unsigned", "truncated", "merchant_certificate"])
def test_a_file_that_does_not_prove_itself_is_not_written(sandbox, unionpay, a_day, fault):
    bought(sandbox, unionpay)
    later(sandbox, days=1)
    sandbox.fault(fault, on="statement")
    file = io.BytesIO()

    with pytest.raises(GatewaySilent):
        unionpay.fetch_statement(a_day, file)
    assert file.getvalue() == b""


@pytest.mark.parametrize(
    ("fault", "why"),
    [("statement_total", "ZM 第1行"), ("statement_junk", "第1行"), ("statement_truncated", "第1行：长度")],
)
def test_a_file_that_is_signed_and_wrong_is_refused_by_its_line(sandbox, unionpay, a_day, fault, why):
    bought(sandbox, unionpay)
    later(sandbox, days=1)
    sandbox.fault(fault)

    with pytest.raises(BadStatement, match=why):
        statement(unionpay, a_day)


def test_keys_are_told_with_their_last_days_and_fit(sandbox, unionpay):
    unionpay.sign_and_verify()

    own, *theirs = unionpay.keys()
    assert own.name.isdigit() and own.purpose == "signs our requests"
    assert len(theirs) == 2 and all(fact.expires_at.year == 2041 for fact in (own, *theirs))


def test_the_key_may_come_as_pem_too(sandbox):
    keys = sandbox.unionpay_keys
    pem = sandbox.unionpay(pfx="", private_key=keys.merchant_key, certificate=keys.root + keys.merchant)

    assert pem.start(order()).code_url


@pytest.mark.parametrize("name", ["pfx", "pfx_password"])
def test_a_missing_key_of_ours_is_named(sandbox, name):
    with pytest.raises(BadKey, match="private_key" if name == "pfx" else name):
        sandbox.unionpay(**{name: ""})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(("mer_id", "77729000000000"), ("notify_url", "https://x.invalid/?a=1"), ("pfx", "AAAA")),
        *(("pfx_password", "000001x"), ("root_certificates", "none"), ("company_names", "中国银联股份有限公司,")),
    ],
)
def test_an_unusable_credential_is_refused(sandbox, name, value):
    with pytest.raises(BadKey):
        sandbox.unionpay(**{name: value})


def test_a_key_that_fits_no_certificate_is_refused(sandbox):
    keys = sandbox.unionpay_keys

    with pytest.raises(BadKey, match="fits"):
        sandbox.unionpay(pfx="", private_key=keys.leaf_key, certificate=keys.merchant)


def test_no_secret_and_nobodys_account_is_logged(sandbox, unionpay, paid, caplog):
    caplog.set_level(logging.DEBUG)
    sandbox.fault("answer_wrong_signature", paid.number, on="query")
    sandbox.fault("error", paid.number, on="refund", code="61")
    outcome = unionpay.query
    with pytest.raises(GatewaySilent):
        outcome(paid)
    unionpay.refund(refund_of(paid, unionpay.query(paid)))

    said = caplog.text
    assert "signature wrong" in said and "1000014" in said
    for secret in (sandbox.unionpay_keys.pfx_password, "621626", "PRIVATE", paid.number, "输入的卡号无效"):
        assert secret not in said


def genuine(sandbox, unionpay, paid, change):
    """A payment's notification as the far side would sign it, changed before it is signed; "" leaves a field out."""
    said = {
        "version": "5.1.0",
        "encoding": "UTF-8",
        "signMethod": "01",
        "accessType": "0",
        "bizType": "000000",
        "merId": sandbox.unionpay_keys.mer_id,
        "orderId": paid.number,
        "txnTime": f"{beijing(paid.ordered_at):%Y%m%d%H%M%S}",
        "txnType": "01",
        "txnSubType": "07",
        "txnAmt": "32000",
        "currencyCode": "156",
        "queryId": unionpay.query(paid).reference,
        "traceNo": "467849",
        "traceTime": "1105120000",
        "settleDate": "1105",
        "respCode": "00",
        "respMsg": "成功[0000000]",
    }
    fields = {name: value for name, value in {**said, **change}.items() if value}
    return urlencode(voice_of(sandbox).signed(fields)).encode()


def test_the_sandbox_makes_its_keys_once(tmp_path):
    first, second = make(tmp_path), make(tmp_path)

    assert first == second and len(first.mer_id) == 15
    assert all(file.stat().st_mode & 0o077 == 0 for file in tmp_path.iterdir())


def test_what_goes_over_the_wire_is_a_form_whose_values_are_encoded(sandbox, unionpay):
    fields = unionpay.start(order(Kind.WEB)).page.fields

    body = urlencode(fields)
    assert dict(parse_qsl(body, strict_parsing=True)) == dict(fields)
    assert "+" in fields["signature"] or "/" in fields["signature"] or "=" in fields["signature"]
