"""Alipay's far side is as strict as the real one: what it refuses, how it speaks, how it repeats itself."""

import base64
import io
import json
import secrets
import time
import zipfile
from datetime import timedelta
from itertools import count
from urllib.parse import parse_qsl, urlencode

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.serialization import load_pem_private_key, load_pem_public_key

from core.clock import beijing, utc_now
from payments.errors import BadStatement
from payments.sandbox.alipay import keys as alipay_keys
from payments.sandbox.alipay.keys import sn_of
from payments.sandbox.alipay.side import AlipaySide
from payments.sandbox.signing import is_signed, sign
from tests.builders import an_order
from tests.outside import outside

numbers = (f"H{n:015d}" for n in count(1))
FORM = {"Content-Type": "application/x-www-form-urlencoded;charset=utf-8"}


def stamp(moment):
    return f"{beijing(moment):%Y-%m-%d %H:%M:%S}"


def content(**changed):
    said = {
        "out_trade_no": next(numbers),
        "total_amount": "320.00",
        "subject": "居民医保 2022 年度",
        "product_code": "FACE_TO_FACE_PAYMENT",
        "time_expire": stamp(utc_now() + timedelta(minutes=10)),
        **changed,
    }
    return {name: value for name, value in said.items() if value is not None}


def params(sandbox, method, said, /, **changed):
    """A request signed by hand, to be spoiled in one place."""
    common = {
        "app_id": sandbox.alipay_keys.app_id,
        "method": method if "." in method else f"alipay.trade.{method}",
        "format": "JSON",
        "charset": "utf-8",
        "sign_type": "RSA2",
        "timestamp": stamp(utc_now()),
        "version": "1.0",
        "biz_content": said if isinstance(said, str) else json.dumps(said, ensure_ascii=False),
        **changed,
    }
    common = {name: value for name, value in common.items() if value is not None}
    text = "&".join(f"{name}={value}" for name, value in sorted(common.items()) if value)
    key = load_pem_private_key(sandbox.alipay_keys.app_key.encode(), None, unsafe_skip_rsa_key_validation=True)
    return {"sign": sign(key, text.encode()), **common}


def send(sandbox, pairs, *, query=""):
    body = urlencode(pairs).encode()
    return sandbox.door.send("POST", f"{sandbox.url}/gateway.do{query}", headers=FORM, body=body)


def ask(sandbox, method, said, **changed):
    """The node that came back, whichever it is."""
    body = json.loads(send(sandbox, params(sandbox, method, said, **changed)).body)
    return next(value for name, value in body.items() if name.endswith("_response"))


def test_an_answer_calls_itself_html_escapes_its_slashes_and_signs_the_characters_sent(sandbox):
    answer = send(sandbox, params(sandbox, "precreate", content()))

    text = answer.body.decode()
    node = text[text.index(":") + 1 : text.index(',"sign"')]
    public = load_pem_public_key(sandbox.alipay_keys.public_key.encode())
    assert (answer.status, answer.headers["content-type"]) == (200, "text/html;charset=utf-8")
    assert r"https:\/\/qr.alipay.com\/" in node
    assert is_signed(public, node.encode(), json.loads(text)["sign"])
    assert not is_signed(public, json.dumps(json.loads(node)).encode(), json.loads(text)["sign"])


def test_parameters_may_stand_in_the_address_or_in_the_body(sandbox):
    pairs = params(sandbox, "precreate", content())
    inside = {"biz_content": pairs.pop("biz_content")}

    answer = send(sandbox, inside, query=f"?{urlencode(pairs)}")

    assert json.loads(answer.body)["alipay_trade_precreate_response"]["code"] == "10000"


@pytest.mark.parametrize(
    ("changed", "sub_code"),
    [
        ({"app_id": "2021009999999999"}, "isv.invalid-app-id"),
        ({"app_id": None}, "isv.missing-app-id"),
        ({"method": "alipay.trade.pay"}, "isv.invalid-method"),
        ({"method": None}, "isv.missing-method"),
        ({"format": "XML"}, "isv.invalid-format"),
        ({"charset": "GBK"}, "isv.invalid-charset"),
        ({"sign_type": "RSA"}, "isv.invalid-signature-type"),
        ({"version": "2.0"}, "isv.invalid-version"),
        ({"version": None}, "isv.missing-version"),
        ({"timestamp": None}, "isv.missing-timestamp"),
        ({"timestamp": "2026-11-23T18:00:00Z"}, "isv.invalid-timestamp"),
        ({"timestamp": stamp(utc_now() - timedelta(minutes=11))}, "isv.invalid-timestamp"),
        ({"timestamp": f"{utc_now():%Y-%m-%d %H:%M:%S}"}, "isv.invalid-timestamp"),
        ({"return_url": "https://pay.invalid/back"}, "isv.invalid-parameter"),
        ({"notify_url": "pay.invalid"}, "isv.invalid-parameter"),
        ({"notify_url": "https://pay.invalid/" + "x" * 250}, "isv.invalid-parameter"),
        ({"something": "else"}, "isv.invalid-parameter"),
        ({"app_cert_sn": "0" * 32, "alipay_root_cert_sn": "0" * 32}, "isv.invalid-app-cert-sn"),
    ],
)
def test_wrong_common_words_are_complained_about_unsigned(sandbox, changed, sub_code):
    body = json.loads(send(sandbox, params(sandbox, "precreate", content(), **changed)).body)

    node = "error_response" if "method" in changed else "alipay_trade_precreate_response"
    assert list(body) == [node]
    assert body[node]["sub_code"] == sub_code


@pytest.mark.parametrize("name", ["biz_content", "timestamp", "notify_url"])
def test_one_changed_letter_breaks_the_signature(sandbox, name):
    pairs = params(sandbox, "precreate", content(), notify_url="https://pay.invalid/a")
    changed = pairs[name].replace("320.00", "320.01") if name == "biz_content" else pairs[name][:-1] + "0"
    if name == "timestamp":
        changed = stamp(utc_now() - timedelta(minutes=1))

    assert b"isv.invalid-signature" in send(sandbox, pairs | {name: changed}).body


def test_a_name_that_comes_twice_is_refused(sandbox):
    pairs = params(sandbox, "precreate", content())

    assert b"isv.invalid-parameter" in send(sandbox, pairs, query="?version=1.0").body


@pytest.mark.parametrize(
    ("changed", "sub_code"),
    [
        ({"out_trade_no": "a-b"}, "ACQ.INVALID_PARAMETER"),
        ({"out_trade_no": "A" * 65}, "ACQ.INVALID_PARAMETER"),
        ({"out_trade_no": None}, "ACQ.INVALID_PARAMETER"),
        ({"total_amount": 320}, "ACQ.INVALID_PARAMETER"),
        ({"total_amount": "320.001"}, "ACQ.INVALID_PARAMETER"),
        ({"total_amount": "3.2e2"}, "ACQ.INVALID_PARAMETER"),
        ({"total_amount": "0.00"}, "ACQ.TOTAL_FEE_EXCEED"),
        ({"total_amount": "100000000.1"}, "ACQ.TOTAL_FEE_EXCEED"),
        ({"subject": "a/b"}, "ACQ.INVALID_PARAMETER"),
        ({"subject": "a=b"}, "ACQ.INVALID_PARAMETER"),
        ({"subject": "a&b"}, "ACQ.INVALID_PARAMETER"),
        ({"subject": "医" * 257}, "ACQ.INVALID_PARAMETER"),
        ({"product_code": "JSAPI_PAY"}, "ACQ.INVALID_PARAMETER"),
        ({"seller_id": "2088000000000001"}, "ACQ.PARTNER_ERROR"),
        ({"time_expire": "2026-11-23 18:00"}, "ACQ.INVALID_PARAMETER"),
        ({"time_expire": "2020-01-01 00:00:00"}, "ACQ.INVALID_PARAMETER"),
        ({"timeout_express": "1.5h"}, "ACQ.INVALID_PARAMETER"),
        ({"payer_name": "x"}, "ACQ.INVALID_PARAMETER"),
    ],
)
def test_a_wrong_field_is_denied_and_the_denial_signed(sandbox, changed, sub_code):
    body = json.loads(send(sandbox, params(sandbox, "precreate", content(**changed))).body)

    said = body["alipay_trade_precreate_response"]
    assert (said["code"], said["sub_code"]) == ("40004", sub_code)
    assert body["sign"]


@pytest.mark.parametrize("text", ["", "[]", "x", "null"])
def test_a_content_that_is_no_object_is_denied(sandbox, text):
    assert ask(sandbox, "query", text or "{")["code"] == "40002"


def test_the_same_order_again_is_the_same_and_another_under_its_number_is_not(sandbox):
    said = content()

    codes = [ask(sandbox, "precreate", said)["qr_code"] for _ in range(2)]
    other = ask(sandbox, "precreate", said | {"total_amount": "320.01"})
    sandbox.pay(codes[0])

    assert other["sub_code"] == "ACQ.CONTEXT_INCONSISTENT"
    assert sandbox.pay(codes[1]).status == 409
    assert ask(sandbox, "precreate", said)["sub_code"] == "ACQ.TRADE_HAS_SUCCESS"


def test_no_trade_exists_before_somebody_scans(sandbox):
    said = content()
    code = ask(sandbox, "precreate", said)["qr_code"]
    number = {"out_trade_no": said["out_trade_no"]}

    before = [ask(sandbox, method, number)["sub_code"] for method in ("query", "close")]
    sandbox.phone(code)
    seen = ask(sandbox, "query", number)
    by_their_number = ask(sandbox, "query", {"trade_no": seen["trade_no"]})

    assert before == ["ACQ.TRADE_NOT_EXIST"] * 2
    assert seen["trade_status"] == "WAIT_BUYER_PAY" and "send_pay_date" not in seen
    assert by_their_number["out_trade_no"] == said["out_trade_no"]
    assert ask(sandbox, "close", number)["code"] == "10000"
    assert ask(sandbox, "close", number)["sub_code"] == "ACQ.REASON_TRADE_STATUS_INVALID"
    assert ask(sandbox, "precreate", said)["sub_code"] == "ACQ.TRADE_HAS_CLOSE"


def test_a_code_is_of_no_use_after_two_hours(sandbox):
    code = ask(sandbox, "precreate", content(time_expire=None, timeout_express="1d"))["qr_code"]

    sandbox.post("/clock", {"offset_seconds": 7201})

    assert json.loads(sandbox.pay(code).body)["code"] == "CODE_EXPIRED"


def test_refunds_are_one_by_their_number_and_never_more_than_was_paid(sandbox):
    said = content()
    sandbox.pay(ask(sandbox, "precreate", said)["qr_code"])
    back = {"out_trade_no": said["out_trade_no"], "refund_amount": "120.00", "out_request_no": "R1"}

    first, again = ask(sandbox, "refund", back), ask(sandbox, "refund", back)
    other = ask(sandbox, "refund", back | {"refund_amount": "120.01"})
    second = ask(sandbox, "refund", back | {"out_request_no": "R2"})
    too_much = ask(sandbox, "refund", back | {"out_request_no": "R3"})
    rest = ask(sandbox, "refund", back | {"out_request_no": "R4", "refund_amount": "80"})
    after = ask(sandbox, "refund", back | {"out_request_no": "R5", "refund_amount": "0.01"})

    assert [one.get("fund_change") for one in (first, again, second, rest)] == ["Y", "N", "Y", "Y"]
    assert [one["refund_fee"] for one in (first, again, second, rest)] == ["120.00", "120.00", "240.00", "320.00"]
    assert other["sub_code"] == "ACQ.DISCORDANT_REPEAT_REQUEST"
    assert too_much["sub_code"] == "ACQ.REFUND_AMT_NOT_EQUAL_TOTAL"
    assert after["sub_code"] == "ACQ.TRADE_STATUS_ERROR"
    assert ask(sandbox, "query", {"out_trade_no": said["out_trade_no"]})["trade_status"] == "TRADE_CLOSED"
    asked = {"out_trade_no": said["out_trade_no"], "out_request_no": "R2"}
    found = ask(sandbox, "alipay.trade.fastpay.refund.query", asked)
    assert (found["refund_status"], found["refund_amount"]) == ("REFUND_SUCCESS", "120.00")
    assert "refund_status" not in ask(sandbox, "alipay.trade.fastpay.refund.query", asked | {"out_request_no": "R9"})
    assert [one["state"] for one in sandbox.get("/refunds")["refunds"] if one["payment"] == said["out_trade_no"]] == [
        "SUCCESS"
    ] * 3


def test_a_year_later_a_trade_is_finished_and_gives_nothing_back(sandbox):
    said = content()
    sandbox.pay(ask(sandbox, "precreate", said)["qr_code"])

    sandbox.post("/clock", {"offset_seconds": 366 * 86400})

    number = {"out_trade_no": said["out_trade_no"]}
    assert ask(sandbox, "query", number)["trade_status"] == "TRADE_FINISHED"
    assert ask(sandbox, "refund", number | {"refund_amount": "1", "out_request_no": "R"})["sub_code"] == (
        "ACQ.TRADE_HAS_FINISHED"
    )


def test_a_notification_is_signed_without_its_sign_type_and_keeps_its_id(sandbox, merchant):
    said = content()
    sandbox.post("/settings", {"notify_factor": 0.0001})
    merchant.answer, merchant.body = (lambda n: 200), b"fail"
    sandbox.pay(ask(sandbox, "precreate", said, notify_url=merchant.url)["qr_code"])

    came = [dict(parse_qsl(body.decode(), strict_parsing=True)) for _, body in merchant.wait(2)]

    fields = dict(came[0])
    signature = fields.pop("sign")
    assert fields.pop("sign_type") == "RSA2"
    text = "&".join(f"{name}={value}" for name, value in sorted(fields.items()))
    public = load_pem_public_key(sandbox.alipay_keys.public_key.encode())
    public.verify(base64.b64decode(signature), text.encode(), PKCS1v15(), hashes.SHA256())
    assert came[0]["notify_id"] == came[1]["notify_id"]
    assert (fields["trade_status"], fields["total_amount"]) == ("TRADE_SUCCESS", "320.00")
    assert fields["seller_id"] == sandbox.alipay_keys.seller_id
    assert merchant.came[0][0]["Content-Type"].startswith("application/x-www-form-urlencoded")


def test_the_pauses_are_those_documented(sandbox):
    minutes = [pause / 60 for pause in AlipaySide.retry_after_s]

    assert minutes == [4, 10, 10, 60, 120, 360, 900]


def test_the_bill_is_a_zip_of_gbk_names_that_do_not_say_so(sandbox):
    alipay, day = sandbox.alipay(), _noon_long_ago(sandbox, 2600)
    taken = an_order(next(numbers), at=day)
    sandbox.pay(alipay.start(taken).code_url)
    _at(sandbox, day + timedelta(days=1, hours=6))
    file = io.BytesIO()

    alipay.fetch_statement(beijing(day).date(), file)

    members = zipfile.ZipFile(file).infolist()
    stem = f"{sandbox.alipay_keys.seller_id}0156_{beijing(day):%Y%m%d}_业务明细"
    assert not any(member.flag_bits & 0x800 for member in members)
    assert [member.filename.encode("cp437").decode("gbk") for member in members] == [f"{stem}.csv", f"{stem}(汇总).csv"]
    detail = zipfile.ZipFile(file).read(members[0]).decode("gb18030")
    assert f"{taken.number}\t," in detail and detail.startswith("#支付宝业务明细查询\r\n#账号：[")


@pytest.mark.parametrize("kind", ["truncated", "junk", "total", "hash"])
def test_a_spoilt_bill_is_refused_and_the_next_one_read(sandbox, kind):
    days = {"truncated": 2610, "junk": 2620, "total": 2630, "hash": 2640}[kind]
    alipay, day = sandbox.alipay(), _noon_long_ago(sandbox, days)
    sandbox.pay(alipay.start(an_order(next(numbers), at=day)).code_url)
    _at(sandbox, day + timedelta(days=1, hours=6))
    sandbox.fault(f"statement_{kind}", gateway="alipay")
    spoilt, good = io.BytesIO(), io.BytesIO()

    assert alipay.fetch_statement(beijing(day).date(), spoilt) and alipay.fetch_statement(beijing(day).date(), good)

    with pytest.raises(BadStatement):
        list(alipay.read_statement(spoilt, beijing(day).date()))
    assert len(list(alipay.read_statement(good, beijing(day).date()))) == 1


def test_a_download_address_lives_half_a_minute_and_no_other_opens(sandbox):
    said = sandbox.door.send(
        "GET", f"{sandbox.url}/downloadBillFile.resource?fileId={secrets.token_hex(8)}", headers={}
    )

    assert "下载链接已失效" in said.body.decode()


def test_keys_are_made_once_beside_the_others_and_their_names_are_alipays(tmp_path):
    with outside(tmp_path) as first:
        made = first.alipay_keys
        wechat = first.keys
    started = time.monotonic()

    assert alipay_keys.make(tmp_path) == made
    assert time.monotonic() - started < 0.1, "loaded, not made again"
    assert (tmp_path / "alipay_app_key.pem").stat().st_mode & 0o077 == 0
    assert made.app_key != wechat.merchant_key
    leaf = alipay_keys.first_of(made.platform_certificate)
    assert len(sn_of(leaf)) == 32 and made.app_id.startswith("2021") and made.seller_id.startswith("2088")


def _noon_long_ago(sandbox, days):
    """Move the business clock to noon of a day that no other test plays on."""
    noon = (utc_now() - timedelta(days=days)).replace(hour=4, minute=0, second=0, microsecond=0)
    _at(sandbox, noon)
    return noon


def _at(sandbox, moment):
    sandbox.post("/clock", {"offset_seconds": int((moment - utc_now()).total_seconds())})
