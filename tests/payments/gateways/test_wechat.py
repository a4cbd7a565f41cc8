"""The adapter against the far side over real HTTP."""

import base64
import json
import logging
import socket
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import count
from urllib.parse import urlsplit

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA256

from core.clock import utc_now
from core.http import Door
from payments.errors import (
    AlreadyPaidThere,
    ForgedCallback,
    GatewayRefused,
    GatewaySilent,
    GatewayTakesNobody,
    TooLateToStart,
    UnknownGateway,
)
from payments.gateways.base import Kind, Word
from payments.gateways.known import connect
from payments.gateways.signing import BadKey
from payments.gateways.verdict import judge
from payments.gateways.wechat.keys import public_keys_in
from payments.gateways.wechat.line import Line
from tests.builders import a_trade, an_order

OPENID = "o" + "T" * 27
numbers = (f"T{n:015d}" for n in count(1))


def order(kind=Kind.NATIVE, **changed):
    openid = OPENID if kind is Kind.JSAPI else None
    return replace(an_order(next(numbers), kind=kind, openid=openid), **changed)


@pytest.fixture
def wechat(sandbox):
    return sandbox.wechat()


@pytest.fixture
def paid(sandbox, wechat):
    taken = order()
    assert sandbox.pay(wechat.start(taken).code_url).status == 200
    return taken


def test_a_native_order_is_paid_by_its_code_and_the_query_says_so(sandbox, wechat):
    taken = order()

    checkout = wechat.start(taken)
    before = wechat.query(taken)
    sandbox.pay(checkout.code_url, OPENID)
    after = wechat.query(taken)

    assert checkout.code_url.startswith("weixin://wxpay/bizpayurl?pr=")
    assert (before.word, before.amount, before.happened_at) == (Word.OPEN, None, None)
    assert (after.word, after.amount, after.currency, after.payer) == (Word.PAID, 32000, "CNY", OPENID)
    [theirs] = sandbox.paid(taken.number)
    assert (theirs["reference"], theirs["amount"]) == (after.reference, after.amount)
    assert datetime.fromisoformat(theirs["success_time"]) == after.happened_at
    assert abs(after.happened_at - utc_now()) < timedelta(seconds=5)


def test_the_mini_program_gets_parameters_signed_by_the_merchant(sandbox, wechat):
    jsapi = wechat.start(order(Kind.JSAPI)).jsapi

    assert set(jsapi) == {"timeStamp", "nonceStr", "package", "signType", "paySign"}
    text = f"{sandbox.keys.appid}\n{jsapi['timeStamp']}\n{jsapi['nonceStr']}\n{jsapi['package']}\n"
    key = x509.load_pem_x509_certificate(sandbox.keys.merchant_cert.encode()).public_key()
    key.verify(base64.b64decode(jsapi["paySign"]), text.encode(), PKCS1v15(), SHA256())
    assert jsapi["package"].startswith("prepay_id=") and jsapi["signType"] == "RSA"
    assert sandbox.raw_post("/phone/pay", {"prepay_id": jsapi["package"].removeprefix("prepay_id=")}).status == 200


def test_the_same_order_again_is_harmless_and_another_under_its_number_is_not_taken(sandbox, wechat):
    taken = order()
    first = wechat.start(taken).code_url

    again = wechat.start(taken).code_url

    assert again != first
    with pytest.raises(GatewaySilent, match="INVALID_REQUEST"):
        wechat.start(replace(taken, amount=1))
    with pytest.raises(GatewaySilent, match="OUT_TRADE_NO_USED"):
        wechat.start(replace(taken, kind=Kind.JSAPI, openid=OPENID))
    assert sandbox.pay(first).status == 200
    assert sandbox.pay(again).status == 409


def test_a_closed_order_cannot_be_paid_and_closing_twice_or_nothing_is_harmless(sandbox, wechat):
    taken = order()
    code = wechat.start(taken).code_url

    wechat.close(taken)
    wechat.close(taken)
    wechat.close(a_trade("T999999999999998"))

    assert wechat.query(taken).word is Word.CLOSED
    assert sandbox.pay(code).status == 409
    with pytest.raises(GatewayRefused, match="ORDER_CLOSED"):
        wechat.start(taken)


def test_a_paid_order_is_neither_closed_nor_taken_again(wechat, paid):
    with pytest.raises(AlreadyPaidThere):
        wechat.close(paid)
    with pytest.raises(AlreadyPaidThere):
        wechat.start(paid)


def test_after_its_last_moment_nobody_pays_and_it_stays_open_until_closed(sandbox, wechat):
    taken = order(expires_at=utc_now() + timedelta(minutes=2))
    code = wechat.start(taken).code_url

    sandbox.post("/clock", {"offset_seconds": 180})

    assert sandbox.pay(code).status == 409
    assert wechat.query(taken).word is Word.OPEN


def test_signatures_stay_fresh_while_the_business_clock_is_in_2021(sandbox, wechat):
    offset = datetime(2021, 11, 5, tzinfo=UTC) - utc_now()
    sandbox.post("/clock", {"offset_seconds": int(offset.total_seconds())})
    now = (utc_now() + offset).replace(microsecond=0)
    taken = order(ordered_at=now, expires_at=now + timedelta(minutes=15))

    sandbox.pay(wechat.start(taken).code_url)

    assert wechat.query(taken).happened_at.date().isoformat() == "2021-11-05"


def test_a_wrong_key_is_told_as_a_refusal_of_the_order_and_as_silence_of_the_query(sandbox):
    wrong = sandbox.wechat(private_key=sandbox.keys.certificate_key, certificate="")

    with pytest.raises(GatewayTakesNobody, match="SIGN_ERROR"):
        wrong.start(order())
    with pytest.raises(GatewaySilent, match="401 SIGN_ERROR"):
        wrong.query(a_trade("T999999999999997"))


def test_what_wechat_refuses_whoever_pays_wakes_somebody(sandbox):
    """A10, the same kind."""
    told = []
    wechat = sandbox.wechat(alert=lambda what, **words: told.append((what, words["gateway"], words["code"])))
    sandbox.fault("error", on="create", status=403, code="NO_AUTH")
    sandbox.fault("error", on="create", status=403, code="RULE_LIMIT")

    for kind in (GatewayTakesNobody, GatewayRefused):
        with pytest.raises(kind):
            wechat.start(order())

    assert told == [("gateway_takes_nobody", "wechat", "NO_AUTH")]


@pytest.mark.parametrize("name", ["wechat", "alipay", "unionpay"])
def test_an_order_with_less_than_two_minutes_left_is_refused_in_words(sandbox, name):
    """Low: WeChat Pay lengthens it to a minute, past the price's end; nobody pays in so little."""
    gateway = sandbox.gateway(name)
    now = utc_now().replace(microsecond=0)

    with pytest.raises(TooLateToStart) as late:
        gateway.start(order(ordered_at=now, expires_at=now + timedelta(seconds=119)))

    assert "来不及" in late.value.sentence()
    assert gateway.start(order(ordered_at=now, expires_at=now + timedelta(seconds=121))).code_url


@pytest.mark.parametrize("sign", ["=", " = ", "\n", " "])
def test_a_public_key_may_stand_behind_an_equals_sign(sandbox, sign):
    """Low: `ID=PEM` is how operators write it."""
    text = f"{sandbox.keys.pub_key_id}{sign}{sandbox.keys.public_key}"

    assert list(public_keys_in(text)) == [sandbox.keys.pub_key_id]


@pytest.mark.parametrize("on", ["create", "query", "close"])
def test_a_probe_in_the_place_of_an_answer_is_silence(sandbox, wechat, on):
    taken = order()
    if on != "create":
        wechat.start(taken)
    sandbox.fault("answer_signtest", taken.number, on=on, count=None)

    ask = {"create": lambda: wechat.start(taken), "query": lambda: wechat.query(taken)}

    with pytest.raises(GatewaySilent):
        ask.get(on, lambda: wechat.close(taken))()


def test_an_order_that_meets_silence_once_is_sent_once_more_word_for_word(sandbox, wechat):
    taken = order()
    sandbox.fault("error", taken.number, on="create")

    assert wechat.start(taken).code_url

    assert sandbox.get("/faults")["faults"] == []


def test_an_order_that_was_taken_but_never_answered_is_found_by_its_number(sandbox):
    impatient = sandbox.wechat(read_s=0.2)
    taken = order()
    sandbox.fault("silent", taken.number, on="create", count=None, seconds=0.6)

    with pytest.raises(GatewaySilent):
        impatient.start(taken)

    assert impatient.query(taken).word is Word.OPEN


def test_a_refusal_after_silence_is_not_believed(sandbox, wechat):
    taken = order()
    sandbox.fault("error", taken.number, on="create")
    sandbox.fault("error", taken.number, on="create", status=403, code="RULE_LIMIT")

    with pytest.raises(GatewaySilent, match="silence, then RULE_LIMIT"):
        wechat.start(taken)


@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [
        (400, "PARAM_ERROR", GatewayRefused),
        (403, "NOAUTH", GatewayRefused),
        (403, "NO_AUTH", GatewayRefused),
        (500, "OPENID_MISMATCH", GatewayRefused),
        (403, "ORDER_PAID", AlreadyPaidThere),
        (500, "PARAM_ERROR", GatewaySilent),
        (429, "FREQUENCY_LIMITED", GatewaySilent),
        (502, "BANK_ERROR", GatewaySilent),
        (400, "A_WORD_TO_COME", GatewaySilent),
        (202, "USERPAYING", GatewaySilent),
    ],
)
def test_each_error_means_what_the_manual_says(sandbox, wechat, status, code, kind):
    taken = order()
    sandbox.fault("error", taken.number, on="create", count=None, status=status, code=code)

    with pytest.raises(kind):
        wechat.start(taken)


def test_an_answer_about_another_number_is_silence(sandbox, wechat, paid):
    sandbox.fault("other_trade", "T999999999999995", instead=paid.number)

    with pytest.raises(GatewaySilent, match="another number"):
        wechat.query(a_trade("T999999999999995"))


@pytest.mark.parametrize("held", ["public_keys", "platform_certificates"])
def test_either_kind_of_key_alone_suffices_for_answers_and_its_callbacks(sandbox, merchant, held):
    other = {"public_keys", "platform_certificates"} - {held}
    sandbox.post("/settings", {"callback_public_key_percent": 100 if held == "public_keys" else 0})
    wechat = sandbox.wechat(merchant.url, **dict.fromkeys(other, ""))
    taken = order()

    sandbox.pay(wechat.start(taken).code_url)
    [(headers, body)] = merchant.wait(1)

    assert wechat.read_callback(headers, body, now=utc_now()).outcome.number == taken.number
    assert wechat.query(taken).word is Word.PAID
    with pytest.raises(ForgedCallback, match="serial unknown"):
        sandbox.wechat(**{held: ""}).read_callback(headers, body, now=utc_now())


def test_a_callback_is_repeated_until_it_is_acknowledged_and_says_the_same_each_time(sandbox, merchant):
    merchant.answer = lambda n: 500 if n < 2 else 204
    wechat = sandbox.wechat(merchant.url)
    taken = order()

    sandbox.pay(wechat.start(taken).code_url, OPENID)
    came = merchant.wait(3)

    read = [wechat.read_callback(headers, body, now=utc_now()) for headers, body in came]
    assert len(set(read)) == 1
    assert read[0].outcome == wechat.query(taken)
    assert sandbox.callback_statuses(taken.number, 3) == [500, 500, 204]


def test_a_signtest_probe_is_refused_and_the_genuine_callback_follows(sandbox, merchant):
    wechat = sandbox.wechat(merchant.url)
    taken = order()
    sandbox.fault("callback_signtest", taken.number)

    sandbox.pay(wechat.start(taken).code_url)
    came = merchant.wait(2)

    probes = [pair for pair in came if pair[0]["Wechatpay-Signature"].startswith("WECHATPAY/SIGNTEST/")]
    genuine = [pair for pair in came if pair not in probes]
    with pytest.raises(ForgedCallback, match="signature wrong"):
        wechat.read_callback(*probes[0], now=utc_now())
    assert wechat.read_callback(*genuine[0], now=utc_now()).outcome.word is Word.PAID


def test_a_callback_under_a_wrong_signature_is_refused(sandbox, merchant):
    wechat = sandbox.wechat(merchant.url)
    taken = order()
    sandbox.fault("callback_wrong_signature", taken.number)

    sandbox.pay(wechat.start(taken).code_url)

    with pytest.raises(ForgedCallback, match="signature wrong"):
        wechat.read_callback(*merchant.wait(1)[0], now=utc_now())


def test_a_callback_may_come_before_the_answer_to_its_order(sandbox, merchant):
    wechat = sandbox.wechat(merchant.url)
    taken = order()
    sandbox.fault("callback_early", taken.number)

    wechat.start(taken)

    assert len(merchant.came) == 1
    assert wechat.read_callback(*merchant.came[0], now=utc_now()).outcome.number == taken.number


def test_a_success_after_the_close_is_told_like_any_other(sandbox, merchant):
    wechat = sandbox.wechat(merchant.url)
    taken = order()
    code = wechat.start(taken).code_url
    wechat.close(taken)
    assert wechat.query(taken).word is Word.CLOSED
    sandbox.fault("late_success", taken.number)

    sandbox.pay(code)

    assert wechat.read_callback(*merchant.wait(1)[0], now=utc_now()).outcome.word is Word.PAID
    assert wechat.query(taken).word is Word.PAID


@pytest.mark.parametrize(
    ("total", "amount"), [(31999, 31999), ("32000", None), (32000.0, None), (True, None), (None, None), (10**20, None)]
)
def test_an_odd_amount_is_read_and_left_to_settlement(sandbox, wechat, total, amount):
    taken = order()
    sandbox.fault("other_amount", taken.number, total=total)

    sandbox.pay(wechat.start(taken).code_url)

    outcome = wechat.query(taken)
    assert (outcome.word, outcome.amount) == (Word.PAID, amount)


def test_a_coupon_lowers_what_the_payer_paid_and_not_the_total(sandbox, wechat):
    taken = order()
    sandbox.fault("coupon", taken.number, off=500)

    sandbox.pay(wechat.start(taken).code_url)

    outcome = wechat.query(taken)
    assert (outcome.amount, outcome.payer_amount) == (32000, 31500)


def test_of_two_phones_on_one_code_one_pays(sandbox, wechat):
    taken = order()
    code = wechat.start(taken).code_url

    with ThreadPoolExecutor(8) as phones:
        answers = list(phones.map(lambda n: sandbox.pay(code, f"o{n:027d}").status, range(8)))

    assert sorted(answers) == [200] + [409] * 7
    assert len(sandbox.paid(taken.number)) == 1


def test_no_secret_and_no_payer_reaches_the_log(sandbox, merchant, caplog):
    caplog.set_level(logging.DEBUG)
    wechat = sandbox.wechat(merchant.url)
    taken = order(Kind.JSAPI)
    sandbox.fault("error", taken.number, on="query")

    package = wechat.start(taken).jsapi["package"]
    with pytest.raises(GatewaySilent):
        wechat.query(taken)
    sandbox.raw_post("/phone/pay", {"prepay_id": package.removeprefix("prepay_id=")})
    wechat.read_callback(*merchant.wait(1)[0], now=utc_now())

    keys = sandbox.keys
    secrets = [keys.api_v3_key, keys.app_secret, keys.merchant_key.split("\n")[1], OPENID, "signature=", package]
    assert "500 SYSTEM_ERROR" in caplog.text
    assert [secret for secret in secrets if secret in caplog.text] == []


def test_what_we_answer_stops_or_repeats_their_callbacks(wechat):
    assert (wechat.accepted().status, wechat.accepted().body) == (204, b"")
    assert wechat.rejected().status == 401
    assert json.loads(wechat.rejected().body)["code"] == "FAIL"


@pytest.mark.parametrize(
    "changed",
    [
        {"public_keys": "", "platform_certificates": ""},
        {"public_keys": "nothing readable"},
        {"platform_certificates": "nothing readable"},
        {"private_key": "nothing readable"},
        {"api_v3_keys": "short"},
        {"serial_no": " "},
        {"serial_no": "00"},
        {"certificate": "nothing readable"},
        {"notify_url": "https://pay.invalid/callbacks/wechat?a=1"},
    ],
)
def test_a_channel_with_an_unusable_credential_does_not_start(sandbox, changed):
    with pytest.raises(BadKey):
        sandbox.wechat(**changed)


def test_our_key_and_our_certificate_fit_each_other_or_the_channel_does_not_start(sandbox):
    sandbox.wechat(certificate="").sign_and_verify()
    with pytest.raises(BadKey, match="does not belong"):
        sandbox.wechat(private_key=sandbox.keys.certificate_key)


def test_every_key_is_told_with_its_end_and_none_with_its_secret(sandbox, wechat):
    keys = sandbox.keys

    facts = wechat.keys()

    by_name = {fact.name: fact for fact in facts}
    assert by_name[keys.merchant_serial].purpose == "signs our requests"
    assert by_name[keys.certificate_serial].expires_at == datetime(2040, 12, 26, 16, tzinfo=UTC)
    assert by_name[keys.merchant_serial].expires_at == datetime(2040, 12, 26, 16, tzinfo=UTC)
    assert by_name[keys.pub_key_id].expires_at is None
    assert sandbox.wechat(certificate="").keys()[0].expires_at is None
    assert keys.api_v3_key not in repr(facts) and keys.merchant_key not in repr(facts)


def test_a_query_that_meets_silence_at_the_first_host_is_asked_at_the_second(sandbox, monkeypatch):
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        first = f"127.0.0.1:{closed.getsockname()[1]}"
    monkeypatch.setattr(Line, "PRODUCTION", f"http://{first}")
    monkeypatch.setattr(Line, "SECOND", sandbox.url)
    credentials = sandbox.keys.wechat_credentials(base_url=f"http://{first}", notify_url="https://pay.invalid/c")
    wechat = connect("wechat", credentials, Door(hosts=frozenset({first, urlsplit(sandbox.url).netloc})), utc_now)

    assert wechat.query(a_trade("T999999999999994")).word is Word.ABSENT
    with pytest.raises(GatewaySilent):
        wechat.start(order())


def test_only_the_production_address_has_a_second_host(sandbox):
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        nobody = f"127.0.0.1:{closed.getsockname()[1]}"
    credentials = sandbox.keys.wechat_credentials(base_url=f"http://{nobody}", notify_url="https://pay.invalid/c")
    wechat = connect("wechat", credentials, Door(hosts=frozenset({nobody})), utc_now)

    with pytest.raises(GatewaySilent):
        wechat.query(a_trade("T999999999999993"))


def test_a_payer_who_pays_in_the_moment_of_closing_has_paid(sandbox, wechat):
    taken = order()
    wechat.start(taken)
    sandbox.fault("close_paid", taken.number)

    with pytest.raises(AlreadyPaidThere):
        wechat.close(taken)

    assert wechat.query(taken).word is Word.PAID


def test_another_merchants_genuine_callback_is_refused_and_ours_follows(sandbox, merchant):
    wechat = sandbox.wechat(merchant.url)
    taken = order()
    sandbox.fault("other_merchant", taken.number)

    sandbox.pay(wechat.start(taken).code_url)

    came = [judge(wechat, *pair, now=utc_now()) for pair in merchant.wait(2)]
    assert [verdict.why for verdict in came if not verdict.accepted] == ["another merchant's or another app's"]
    assert [verdict.callback.outcome.number for verdict in came if verdict.accepted] == [taken.number]


def test_public_keys_may_come_as_one_text(sandbox, wechat):
    keys = sandbox.keys
    told = sandbox.wechat(public_keys=f"{keys.pub_key_id}\n{keys.public_key}\n", platform_certificates="")

    assert told.query(a_trade("T999999999999996")).word is Word.ABSENT


def test_a_channel_nobody_registered_does_not_exist(sandbox):
    with pytest.raises(UnknownGateway):
        connect("cash", {}, sandbox.door, utc_now)
