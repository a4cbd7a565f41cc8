"""Answers: only the signed characters of the node asked for are read, and only in their documented form."""

import json
from datetime import UTC, datetime

import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from payments.gateways.alipay.keys import platform_keys
from payments.gateways.alipay.meaning import ERRORS, Meaning, meaning
from payments.gateways.alipay.reading import AlipayReader, Complaint, Unproven
from payments.gateways.base import Word
from payments.gateways.signing import Signer

NOW = datetime(2026, 1, 1, tzinfo=UTC)
KEY = generate_private_key(65537, 2048)
SIGNER = Signer(KEY.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode())
PUBLIC = KEY.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
READER = AlipayReader("2021000000000001", "2088101568353491", platform_keys(PUBLIC, "", ""))
METHOD, NODE = "alipay.trade.query", "alipay_trade_query_response"
STATED = {"code": "10000", "msg": "Success", "out_trade_no": "YB01", "trade_no": "2026010122001473030000000001"}
STATED |= {"trade_status": "TRADE_SUCCESS", "total_amount": "400.50", "send_pay_date": "2026-01-01 08:00:05"}
TEXT = json.dumps(STATED)


def body(node=TEXT, *, name=NODE, signed=None, form='{{"{name}":{node},"sign":"{sign}"}}'):
    sign = SIGNER.sign((node if signed is None else signed).encode())
    return form.format(name=name, node=node, sign=sign).encode()


@pytest.mark.parametrize(
    "node",
    [
        TEXT,
        '{ "code" : "10000" ,\t"a":"}\\"{" }',
        '{"url":"https:\\/\\/qr.alipay.com\\/x","code":"10000"}',
        '{"msg":"成功 🀄 \\u6210","code":"10000"}',
        '{"code":"10000","n":1.50,"list":[{"a":[]}]}',
    ],
)
@pytest.mark.parametrize(
    "form",
    [
        '{{"{name}":{node},"sign":"{sign}"}}',
        '{{"sign":"{sign}","{name}":{node}}}',
        ' {{ "{name}" : {node} , "sign" : "{sign}" }} \r\n',
    ],
)
def test_the_characters_that_came_are_what_is_verified_and_read(node, form):
    assert READER.answer(body(node, form=form), METHOD, now=NOW) == json.loads(node)


FORGED = TEXT.replace("400.50", "0.01")


@pytest.mark.parametrize(
    ("spoilt", "why"),
    [
        (b"", "not one clean JSON object"),
        (b"{}", "not one clean JSON object"),
        (b"[]", "not one clean JSON object"),
        (b"<html>", "not one clean JSON object"),
        (b"\xef\xbb\xbf" + body(), "not one clean JSON object"),
        (body().decode().encode("gbk") + b"\xff", "not one clean JSON object"),
        (body()[:-1], "not one clean JSON object"),
        (body() + b"{}", "something after the answer"),
        (body(form='{{"{name}":{node},"{name}":{node},"sign":"{sign}"}}'), "not one clean JSON object"),
        (
            body(
                form='{{"{name}":' + FORGED.replace("{", "{{").replace("}", "}}") + ',"{name}":{node},"sign":"{sign}"}}'
            ),
            "not one",
        ),
        (body(form='{{"{name}":{node},"\\u0061lipay_trade_query_response":{node},"sign":"{sign}"}}'), "not one clean"),
        (body(form='{{"{name}":{node},"sign":"{sign}","sign":"{sign}"}}'), "not one clean JSON object"),
        (body('{"code":"10000","code":"40004"}'), "not one clean JSON object"),
        (body('{"code":"10000","n":NaN}'), "not one clean JSON object"),
        (body('{"a":' * 3000 + "1" + "}" * 3000), "not one clean JSON object|signature"),
        (body(form='{{"{name}":{node}}}'), "no sign"),
        (body(form='{{"{name}":{node},"sign":null}}'), "no sign"),
        (body(form='{{"{name}":{node},"sign":""}}'), "no sign"),
        (body(form='{{"{name}":{node},"sign":"{sign} "}}'), "signature wrong"),
        (body(signed=FORGED), "signature wrong"),
        (body(signed=TEXT + " "), "signature wrong"),
        (body(form='{{"{name}":{node},"alipay_cert_sn":1,"sign":"{sign}"}}'), "alipay_cert_sn is malformed"),
        (body(form='{{"{name}":{node},"alipay_cert_sn":"../x","sign":"{sign}"}}'), "alipay_cert_sn is malformed"),
        (body(name="alipay_trade_close_response"), "an answer to another question"),
        (body(form='{{"{name}":{node},"x_response":{{}},"sign":"{sign}"}}'), "an answer to another question"),
        (body(name="something"), "no answer in it"),
        (body("[1]"), "the answer is no object"),
        (body(form='{{"{name}":"{sign}","sign":"{sign}"}}'), "no answer in it"),
        (b"{" + b" " * 70_000, "body too long"),
    ],
    ids=lambda value: "" if isinstance(value, bytes) else value,
)
def test_an_answer_that_does_not_prove_itself_is_refused_by_the_check_it_fails(spoilt, why):
    with pytest.raises(Unproven, match=f"^({why})"):
        READER.answer(spoilt, METHOD, now=NOW)


@pytest.mark.parametrize("signed", [True, False])
def test_a_complaint_about_our_configuration_is_told_apart_and_believed_in_nothing(signed):
    said = {"error_response": {"code": "40002", "sub_code": "isv.invalid-signature", "sub_msg": "验签出错"}}
    if signed:
        said["sign"] = SIGNER.sign(json.dumps(said["error_response"], ensure_ascii=False).encode())

    with pytest.raises(Complaint, match=r"^error_response 40002 isv\.invalid-signature$"):
        READER.answer(json.dumps(said, ensure_ascii=False).encode(), METHOD, now=NOW)


@pytest.mark.parametrize("sign", ["", ',"sign":null', ',"sign":""'])
def test_an_unsigned_node_is_a_complaint_unless_it_says_that_all_is_well(sign):
    """A8: production says what is wrong with our configuration in the very node that was asked for."""

    def unsigned(**said):
        return f'{{"{NODE}":{json.dumps(said)}{sign}}}'.encode()

    with pytest.raises(Complaint, match=r"^complaint 40002 isv\.invalid-app-id$"):
        READER.answer(unsigned(code="40002", msg="Invalid Arguments", sub_code="isv.invalid-app-id"), METHOD, now=NOW)
    for said in (STATED, {"code": 40002}, {"sub_code": "isv.invalid-app-id"}, {}):
        with pytest.raises(Unproven, match=r"^no sign$") as doubt:
            READER.answer(unsigned(**said), METHOD, now=NOW)
        assert not isinstance(doubt.value, Complaint)


def test_what_stands_in_a_complaint_reaches_no_log_but_as_a_code():
    said = {"error_response": {"code": {"x": 1}, "sub_code": "a\nb 13900001111"}}

    with pytest.raises(Complaint, match=r"^error_response  $"):
        READER.answer(json.dumps(said).encode(), METHOD, now=NOW)


@pytest.mark.parametrize(
    ("changed", "word"),
    [
        ({}, Word.PAID),
        ({"trade_status": "TRADE_FINISHED"}, Word.PAID),
        ({"trade_status": "WAIT_BUYER_PAY"}, Word.OPEN),
        ({"trade_status": "TRADE_CLOSED"}, Word.PAID),
        ({"trade_status": "TRADE_CLOSED", "send_pay_date": None}, Word.CLOSED),
        ({"trade_status": "TRADE_CLOSED", "send_pay_date": None, "receipt_amount": "0.00"}, Word.CLOSED),
        ({"trade_status": "TRADE_CLOSED", "send_pay_date": None, "receipt_amount": "400.50"}, Word.PAID),
        ({"trade_status": "TRADE_PENDING"}, Word.UNKNOWN),
    ],
)
def test_a_state_is_what_the_table_says_and_an_unknown_one_is_unknown(changed, word):
    assert READER.trade(STATED | changed).word is word


@pytest.mark.parametrize("name", ["out_trade_no", "trade_no", "trade_status"])
@pytest.mark.parametrize("value", [None, "", 1, "a b", ["x"]])
def test_a_trade_without_its_numbers_or_state_is_no_answer(name, value):
    with pytest.raises(Unproven, match=name):
        READER.trade(STATED | {name: value})


@pytest.mark.parametrize(
    "amount",
    [
        *(None, "", "400.505", "4e2", "-1.00", "+1", " 400.50", "400.50 ", "４００.50", "1" * 20, "0400.50", 400),
        *(400.5, True, "400,50", "400.", ".50", "100000000.01", "NaN"),
    ],
)
def test_an_amount_that_makes_no_sense_is_none_and_never_guessed(amount):
    outcome = READER.trade(STATED | {"total_amount": amount})

    assert (outcome.word, outcome.amount) == (Word.PAID, None)


@pytest.mark.parametrize(("text", "fen"), [("400.50", 40050), ("0.01", 1), ("88.8", 8880), ("100000000.00", 10**10)])
def test_an_amount_is_whole_fen(text, fen):
    assert READER.trade(STATED | {"total_amount": text}).amount == fen


@pytest.mark.parametrize("moment", [None, "2026-13-01 00:00:00", "2026-01-01T08:00:05Z", "1767225605", 5])
def test_a_moment_that_makes_no_sense_is_none(moment):
    assert READER.trade(STATED | {"send_pay_date": moment}).happened_at is None


def test_a_code_counts_only_as_a_business_no_and_an_unlisted_one_is_unknown():
    assert meaning({"code": "40004", "sub_code": "ACQ.TRADE_NOT_EXIST"}) is Meaning.ABSENT
    assert meaning({"code": "20000", "sub_code": "ACQ.TRADE_NOT_EXIST"}) is Meaning.UNKNOWN
    assert meaning({"code": "40004"}) is meaning({"code": "10003"}) is meaning({}) is Meaning.UNKNOWN
    assert meaning({"code": "40004", "sub_code": "ACQ.BRAND_NEW"}) is Meaning.UNKNOWN
    assert meaning({"code": "40006", "sub_code": "isv.insufficient-isv-permissions"}) is Meaning.NOBODY
    assert meaning({"code": 40004, "sub_code": "ACQ.TRADE_NOT_EXIST"}) is Meaning.UNKNOWN
    assert "SYSTEM_ERROR" not in ERRORS and "CONTEXT_INCONSISTENT" not in ERRORS
