"""Well-signed messages that say odd things: what is believed, what is refused, what is put aside."""

import json
from datetime import UTC, datetime

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from payments.errors import ForgedCallback
from payments.gateways.base import RefundWord, Word
from payments.gateways.signing import BadKey, ResourceKeys, Signer, Unopenable, Verifier
from payments.gateways.wechat.reading import REFUND_STATUS, STATUS, WeChatReader

NOW = datetime(2026, 1, 1, tzinfo=UTC)
KEYS = ResourceKeys(["K" * 32])
PAID = {
    "mchid": "1900000109",
    "appid": "wx8888888888888888",
    "out_trade_no": "T2026010100000001",
    "transaction_id": "4200002222202601010000000001",
    "trade_state": "SUCCESS",
    "success_time": "2026-01-01T08:00:00+08:00",
    "payer": {"openid": "oUpF8uMuAJO_M2pxb1Q9zNjWeS6o"},
    "amount": {"total": 40000, "payer_total": 40000, "currency": "CNY"},
}
REFUNDED = {
    "mchid": "1900000109",
    "out_trade_no": "T2026010100000001",
    "transaction_id": "4200002222202601010000000001",
    "out_refund_no": "B2026010100000001",
    "refund_id": "50300000002026010100000000001",
    "refund_status": "SUCCESS",
    "success_time": "2026-01-01T08:05:00+08:00",
    "amount": {"total": 40000, "refund": 30000, "payer_total": 40000, "payer_refund": 30000},
}


@pytest.fixture(scope="module")
def platform():
    return rsa.generate_private_key(65537, 2048)


@pytest.fixture(scope="module")
def signer(platform):
    return Signer(platform.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode())


@pytest.fixture(scope="module")
def reader(platform):
    verifiers = {"PUB_KEY_ID_1": Verifier(platform.public_key())}
    return WeChatReader("1900000109", frozenset({"wx8888888888888888"}), verifiers, KEYS)


@pytest.fixture
def read(reader, signer):
    def read(body: str | dict):
        raw = (body if isinstance(body, str) else json.dumps(body)).encode()
        stamp = str(int(NOW.timestamp()))
        headers = {
            "Wechatpay-Timestamp": stamp,
            "Wechatpay-Nonce": "n" * 32,
            "Wechatpay-Serial": "PUB_KEY_ID_1",
            "Wechatpay-Signature": signer.sign(f"{stamp}\n{'n' * 32}\n".encode() + raw + b"\n"),
        }
        return reader.read_callback(headers, raw, now=NOW)

    return read


def envelope(plain: dict | str, *, event="TRANSACTION.SUCCESS", **changed):
    clear = plain if isinstance(plain, str) else json.dumps(plain)
    resource = {
        "algorithm": "AEAD_AES_256_GCM",
        "ciphertext": KEYS.seal(clear.encode(), nonce="n" * 12, associated="transaction"),
        "associated_data": "transaction",
        "nonce": "n" * 12,
        **changed,
    }
    return {"id": "EV-1", "event_type": event, "resource": resource}


def test_a_payment_told_properly_is_read(read):
    assert read(envelope(PAID)).outcome.word is Word.PAID


@pytest.mark.parametrize("their_word", STATUS)
def test_each_of_their_words_has_one_of_ours(read, their_word):
    outcome = read(envelope(PAID | {"trade_state": their_word})).outcome

    assert (outcome.word, outcome.their_word) == (STATUS[their_word], their_word)


def test_a_word_to_come_is_unknown_and_never_failed(read):
    assert read(envelope(PAID | {"trade_state": "SETTLING"})).outcome.word is Word.UNKNOWN


@pytest.mark.parametrize("missing", ["mchid", "appid", "out_trade_no", "transaction_id", "trade_state"])
def test_a_payment_without_what_identifies_it_is_refused(read, missing):
    with pytest.raises(ForgedCallback):
        read(envelope({name: value for name, value in PAID.items() if name != missing}))


@pytest.mark.parametrize("missing", ["success_time", "payer", "amount"])
def test_a_payment_without_the_rest_is_read_with_the_gap_shown(read, missing):
    outcome = read(envelope({name: value for name, value in PAID.items() if name != missing})).outcome

    assert outcome.word is Word.PAID
    assert {"success_time": outcome.happened_at, "payer": outcome.payer, "amount": outcome.amount}[missing] in (
        None,
        "",
    )


@pytest.mark.parametrize("total", ["400.00", "40000 ", "４００００", 4e4, -40000, 10**20, None, True, [40000]])
def test_an_amount_that_is_no_whole_number_of_fen_is_none(read, total):
    assert read(envelope(PAID | {"amount": {"total": total, "currency": "CNY"}})).outcome.amount is None


@pytest.mark.parametrize(("currency", "told"), [("USD", "USD"), (None, ""), (7, ""), ("元", "")])
def test_another_currency_is_told_as_it_is(read, currency, told):
    outcome = read(envelope(PAID | {"amount": {"total": 40000, "currency": currency}})).outcome

    assert (outcome.amount, outcome.currency) == (40000, told)


@pytest.mark.parametrize(
    "moment", ["2026-01-01 08:00:00", "2026-01-01T08:00:00", "2026-13-01T08:00:00+08:00", 1, "", None]
)
def test_a_moment_that_is_none_is_none(read, moment):
    assert read(envelope(PAID | {"success_time": moment})).outcome.happened_at is None


@pytest.mark.parametrize("number", ["T 1", "T1\n", "订单一二三四", "T" * 33, "", 7, None, "\ud800"])
def test_a_number_nobody_could_have_given_is_refused(read, number):
    with pytest.raises(ForgedCallback, match="out_trade_no"):
        read(envelope(PAID | {"out_trade_no": number}))


def test_a_refund_of_another_merchant_is_refused(read):
    with pytest.raises(ForgedCallback, match="another"):
        read(envelope(REFUNDED | {"mchid": "1900000110"}, event="REFUND.SUCCESS"))


@pytest.mark.parametrize("their_word", REFUND_STATUS)
def test_each_of_their_words_about_a_refund_has_one_of_ours(read, their_word):
    told = envelope(REFUNDED | {"refund_status": their_word}, event=f"REFUND.{their_word}")

    refund = read(told).refund

    assert (refund.word, refund.their_word) == (REFUND_STATUS[their_word], their_word)


@pytest.mark.parametrize(
    ("event", "status"), [("REFUND.SETTLING", "SETTLING"), ("REFUND.SUCCESS", "CLOSED"), ("REFUND.CLOSED", "SUCCESS")]
)
def test_a_word_to_come_or_two_that_contradict_each_other_leave_a_refund_unknown(read, event, status):
    assert read(envelope(REFUNDED | {"refund_status": status}, event=event)).refund.word is RefundWord.UNKNOWN


@pytest.mark.parametrize("missing", ["mchid", "out_trade_no", "out_refund_no", "refund_id", "refund_status"])
def test_a_refund_without_what_identifies_it_is_refused(read, missing):
    with pytest.raises(ForgedCallback):
        read(envelope({name: v for name, v in REFUNDED.items() if name != missing}, event="REFUND.SUCCESS"))


@pytest.mark.parametrize(
    "amount",
    [
        *({"refund": back, "total": 40000} for back in ("400", 4e4, -1, 0, 40001, None, True)),
        {"refund": 40000},
        {"refund": 40000, "total": "40000"},
        {"refund": 40000, "total": 40000, "currency": "USD"},
        None,
        40000,
    ],
    ids=str,
)
def test_a_refund_whose_amount_makes_no_sense_is_unknown(read, amount):
    refund = read(envelope(REFUNDED | {"amount": amount}, event="REFUND.SUCCESS")).refund

    assert (refund.word, refund.amount) == (RefundWord.UNKNOWN, None)


@pytest.mark.parametrize("event", ["SECURITY_ECHO.SUCCESS", "A.WORD.TO.COME"])
def test_an_event_that_is_no_payment_is_acknowledged_whatever_it_holds(read, event):
    callback = read({"id": "EV-1", "event_type": event, "resource": {"ciphertext": "?"}})

    assert (callback.event_type, callback.outcome, callback.refund) == (event, None, None)


@pytest.mark.parametrize(
    "changed",
    [
        {"algorithm": "AEAD_SM4_GCM"},
        {"algorithm": None},
        {"nonce": ""},
        {"nonce": "n" * 17},
        {"nonce": "m" * 12},
        {"associated_data": "refund"},
        {"associated_data": 7},
        {"ciphertext": "not Base64"},
        {"ciphertext": ""},
    ],
    ids=str,
)
def test_a_resource_that_is_not_sealed_as_agreed_is_refused(read, changed):
    with pytest.raises(ForgedCallback):
        read(envelope(PAID, **changed))


@pytest.mark.parametrize(
    "clear",
    [
        json.dumps(PAID)[:-1] + ', "mchid": "1900000109"}',
        json.dumps(PAID).replace('"total": 40000', '"total": 1, "total": 40000'),
        json.dumps(PAID).replace("40000", "NaN"),
        "[]",
        "null",
        "",
        '{"a":' * 5000,
    ],
)
def test_json_that_may_be_read_in_two_ways_is_refused(read, clear):
    with pytest.raises(ForgedCallback, match="JSON"):
        read(envelope(clear))


@pytest.mark.parametrize(
    "body", ["", "{", "[" * 60_000, '{"id":"EV-1","id":"EV-1","event_type":"REFUND.SUCCESS"}', '{"id":"EV-1"}', '"x"']
)
def test_an_envelope_that_is_none_is_refused(read, body):
    with pytest.raises(ForgedCallback):
        read(body)


def test_what_is_sealed_opens_only_as_it_was_sealed():
    sealed = KEYS.seal(b"clear", nonce="n" * 12, associated="")

    assert KEYS.open(sealed, nonce="n" * 12, associated="") == b"clear"
    with pytest.raises(Unopenable):
        KEYS.open(sealed, nonce="n" * 12, associated="\ud800")


def test_a_short_rsa_key_is_refused():
    weak = rsa.generate_private_key(65537, 1024)

    with pytest.raises(BadKey):
        Signer(weak.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode())
    with pytest.raises(BadKey):
        Verifier(weak.public_key())
