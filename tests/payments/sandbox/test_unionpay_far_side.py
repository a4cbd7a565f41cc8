"""UnionPay's far side is as strict as the real one: what it refuses, how it answers, how it repeats itself."""

import base64
import hashlib
from datetime import timedelta
from functools import cache
from itertools import count
from urllib.parse import parse_qsl, urlencode

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from core.clock import beijing, utc_now
from payments.sandbox.unionpay.routes import UnionPaySide
from tests.outside import NOBODY

BACK, QUERY, FILE = (
    f"/unionpay/{path}" for path in ("gateway/api/backTransReq.do", "gateway/api/queryTrans.do", "file")
)
numbers = (f"G{n:015d}" for n in count(1))


def stamp(**ahead):
    return f"{beijing(utc_now() + timedelta(**ahead)):%Y%m%d%H%M%S}"


def digest(fields):
    text = "&".join(f"{name}={fields[name]}" for name in sorted(fields) if fields[name] and name != "signature")
    return hashlib.sha256(text.encode()).hexdigest().encode()


@cache
def read(pem):
    return load_pem_private_key(pem.encode(), None)


def signed(sandbox, fields, *, key=None):
    keys = sandbox.unionpay_keys
    serial = x509.load_pem_x509_certificate(keys.merchant.encode()).serial_number
    held = read(key or keys.merchant_key)
    whole = {"certId": str(serial), **fields}
    whole = {name: value for name, value in whole.items() if value is not None}
    return {**whole, "signature": base64.b64encode(held.sign(digest(whole), PKCS1v15(), SHA256())).decode()}


def common(sandbox, **more):
    return {
        "version": "5.1.0",
        "encoding": "UTF-8",
        "signMethod": "01",
        "accessType": "0",
        "merId": sandbox.unionpay_keys.mer_id,
        "bizType": "000000",
        "txnTime": stamp(),
        **more,
    }


def an_apply(sandbox, **changed):
    return common(sandbox) | {
        "txnType": "01",
        "txnSubType": "07",
        "channelType": "08",
        "orderId": next(numbers),
        "txnAmt": "32000",
        "currencyCode": "156",
        "backUrl": NOBODY,
        "payTimeout": stamp(minutes=10),
        **changed,
    }


def sent(sandbox, path, body):
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    return sandbox.door.send("POST", sandbox.url + path, headers=headers, body=body).body


def said(sandbox, path, fields):
    """The answer's fields, of those without a bracket around an ampersand."""
    text = sent(sandbox, path, urlencode(fields).encode()).decode()
    return dict(pair.split("=", 1) for pair in text.split("&")) if "=" in text else text


def code(sandbox, fields, path=BACK):
    answer = said(sandbox, path, signed(sandbox, fields))
    return answer if isinstance(answer, str) else answer["respCode"]


def test_an_answer_is_signed_not_encoded_and_carries_its_certificate_with_line_ends(sandbox):
    wanted = an_apply(sandbox)

    text = sent(sandbox, BACK, urlencode(signed(sandbox, wanted)).encode())
    answer = dict(pair.split("=", 1) for pair in text.decode().split("&"))

    pem = answer["signPubKeyCert"]
    assert pem.startswith("-----BEGIN CERTIFICATE-----\r\n") and pem.endswith("-----END CERTIFICATE-----")
    assert pem.replace("\r\n", "") == pem.replace("\n", "").replace("\r", "")
    leaf = x509.load_pem_x509_certificate(pem.encode())
    leaf.public_key().verify(base64.b64decode(answer["signature"]), digest(answer), PKCS1v15(), SHA256())
    assert "@中国银联股份有限公司@" in leaf.subject.rfc4514_string()
    assert b"%" not in text and "certId" not in answer
    assert answer["respMsg"] == "成功[0000000]" and answer["qrCode"].startswith("https://qr.95516.com/")
    assert {name: answer[name] for name in ("orderId", "txnTime", "merId")} == {
        name: wanted[name] for name in ("orderId", "txnTime", "merId")
    }


@pytest.mark.parametrize("name", ["leaf_key", "stranger_key"])
def test_a_request_by_another_key_is_refused(sandbox, name):
    fields = signed(sandbox, an_apply(sandbox), key=getattr(sandbox.unionpay_keys, name))

    assert said(sandbox, BACK, fields)["respCode"] == "11"


@pytest.mark.parametrize("change", [{"txnAmt": "1"}, {"signature": "AAAA"}, {"signature": ""}, {"certId": "1"}])
def test_a_request_changed_on_the_way_is_refused(sandbox, change):
    assert said(sandbox, BACK, signed(sandbox, an_apply(sandbox)) | change)["respCode"] == "11"


@pytest.mark.parametrize("body", [b"", b"{}", b"a=1&a=2", b"merId=%FF", b"merId", "merId=一".encode()])
def test_what_cannot_be_read_is_an_invalid_request(sandbox, body):
    assert sent(sandbox, BACK, body) == b"Invalid request."


def test_another_merchant_is_an_invalid_request(sandbox):
    assert code(sandbox, an_apply(sandbox, merId="777290000000000")) == "Invalid request."


@pytest.mark.parametrize(
    "change",
    [
        *(
            {name: None}
            for name in ("version", "accessType", "bizType", "txnTime", "txnAmt", "currencyCode", "backUrl")
        ),
        *({name: None} for name in ("channelType", "orderId", "txnSubType", "txnType", "encoding", "signMethod")),
        {"version": "5.0.0"},
        {"encoding": "GBK"},
        {"signMethod": "11"},
        {"txnAmt": "0"},
        {"txnAmt": "032000"},
        {"txnAmt": "320.00"},
        {"currencyCode": "CNY"},
        {"orderId": "short"},
        {"orderId": "with-a-dash"},
        {"orderId": "X" * 41},
        {"txnTime": "20211105"},
        {"txnTime": "20211305090000"},
        {"backUrl": "ftp://x"},
        {"backUrl": "https://x/" + "y" * 250},
        {"bizType": "000201"},
        {"txnSubType": "06"},
        {"unheard": "of"},
        {"frontUrl": "https://x/"},
    ],
)
def test_a_field_missing_malformed_or_unheard_of_is_refused(sandbox, change):
    assert code(sandbox, an_apply(sandbox) | change) == "10"


@pytest.mark.parametrize("ahead", [{"minutes": -11}, {"minutes": 11}, {"days": -1840}])
def test_an_order_of_another_time_is_refused(sandbox, ahead):
    assert code(sandbox, an_apply(sandbox, txnTime=stamp(**ahead), payTimeout=stamp(days=1))) == "10"


def test_an_order_that_is_over_before_it_begins_is_refused(sandbox):
    assert code(sandbox, an_apply(sandbox, payTimeout=stamp(seconds=-1))) == "10"


def test_a_number_is_used_once_for_orders_and_refunds_alike(sandbox):
    wanted = an_apply(sandbox)
    answer = said(sandbox, BACK, signed(sandbox, wanted))
    sandbox.pay(answer["qrCode"])
    [paid] = sandbox.paid(wanted["orderId"])
    refund = an_apply(sandbox) | {
        "txnType": "04",
        "txnSubType": "00",
        "origQryId": paid["reference"],
        "payTimeout": None,
    }

    assert code(sandbox, wanted) == "12"
    assert code(sandbox, {**wanted, "txnAmt": "1"}) == "12"
    assert code(sandbox, {**refund, "orderId": wanted["orderId"]}) == "12"
    assert code(sandbox, refund) == "00"
    assert code(sandbox, refund) == "12"
    assert code(sandbox, an_apply(sandbox, orderId=refund["orderId"])) == "12"


def test_a_query_needs_the_orders_own_moment(sandbox):
    wanted = an_apply(sandbox)
    sandbox.pay(said(sandbox, BACK, signed(sandbox, wanted))["qrCode"])
    question = common(sandbox, txnType="00", txnSubType="00", orderId=wanted["orderId"], txnTime=wanted["txnTime"])

    found = said(sandbox, QUERY, signed(sandbox, question))
    lost = said(sandbox, QUERY, signed(sandbox, question | {"txnTime": stamp(seconds=-1)}))

    assert (found["respCode"], found["origRespCode"], found["txnType"], found["txnAmt"]) == ("00", "00", "01", "32000")
    assert len(found["queryId"]) == 21 and found["traceNo"] == found["queryId"][14:20]
    assert (lost["respCode"], lost["txnType"]) == ("34", "00") and "origRespCode" not in lost


@pytest.mark.parametrize("change", [{"settleDate": "1332"}, {"settleDate": "0101"}])
def test_a_file_that_is_not_there_is_98_and_a_stale_question_10(sandbox, change):
    question = common(sandbox, txnType="76", txnSubType="01", fileType="00") | change

    assert code(sandbox, question, FILE) == "98"
    assert code(sandbox, question | {"txnTime": stamp(minutes=-11)}, FILE) == "10"
    assert code(sandbox, question | {"orderId": next(numbers)}, FILE) == "10"


def test_a_notification_is_an_encoded_form_repeated_four_times_and_never_again(sandbox, merchant):
    merchant.answer = lambda n: 204
    sandbox.post("/settings", {"notify_factor": 0.0005})
    wanted = an_apply(sandbox, backUrl=merchant.url)
    sandbox.pay(said(sandbox, BACK, signed(sandbox, wanted))["qrCode"])

    came = merchant.wait(5)

    assert UnionPaySide.retry_after_s == (60, 120, 240, 300)
    assert len({body for _, body in came}) == 1
    assert came[0][0]["Content-Type"] == "application/x-www-form-urlencoded;charset=UTF-8"
    fields = dict(parse_qsl(came[0][1].decode("ascii"), strict_parsing=True))
    assert (fields["orderId"], fields["respCode"], fields["settleAmt"]) == (wanted["orderId"], "00", "32000")
    assert sandbox.callback_statuses(wanted["orderId"], 6, seconds=0.4) == [204] * 5


def test_one_acknowledgement_is_enough(sandbox, merchant):
    merchant.answer = lambda n: 200
    wanted = an_apply(sandbox, backUrl=merchant.url)
    sandbox.pay(said(sandbox, BACK, signed(sandbox, wanted))["qrCode"])

    merchant.wait(1)

    assert sandbox.callback_statuses(wanted["orderId"], 2, seconds=0.4) == [200]
