"""Callbacks made by another implementation, judged by ours: every one comes out as marked, in each key mode."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from payments.errors import ForgedCallback
from payments.gateways.base import RefundWord, Word
from payments.gateways.signing import BadKey, ResourceKeys, Verifier, certificates, serial_of
from payments.gateways.verdict import judge
from payments.gateways.wechat.keys import public_keys_in
from payments.gateways.wechat.reading import WeChatReader

HERE = Path(__file__).parents[2] / "vectors" / "wechat"
FILE = json.loads((HERE / "callbacks.json").read_text(encoding="utf-8"))
VECTORS = {vector["name"]: vector for vector in FILE["vectors"]}
NOW = datetime.fromtimestamp(FILE["now"], UTC)
PUBLIC = {FILE["pub_key_id"]: Verifier.from_pem((HERE / "wx_platform.pub.pem").read_text())}
CERTIFICATES = certificates((HERE / "wx_platform_old.crt").read_text())


def reader(verifiers=None, *, keys=(FILE["apiv3_key"],), mchid=FILE["mchid"], appid=FILE["appid"]):
    held = PUBLIC | CERTIFICATES if verifiers is None else verifiers
    return WeChatReader(mchid, frozenset({appid}), held, ResourceKeys(keys))


def read(vector, *, by=None, now=NOW, **changed):
    headers = {**vector["headers"], **changed.pop("headers", {})}
    return (by or reader()).read_callback(headers, changed.pop("body", vector["body"].encode()), now=now)


@pytest.mark.parametrize("name", VECTORS)
def test_every_vector_comes_out_as_marked_with_both_kinds_of_key(name):
    vector = VECTORS[name]

    verdict = judge(reader(), vector["headers"], vector["body"].encode(), now=NOW)

    assert verdict.accepted == vector["ok"], verdict.why
    assert bool(verdict.why) != vector["ok"]


@pytest.mark.parametrize("held", [PUBLIC, CERTIFICATES], ids=["only public keys", "only certificates"])
@pytest.mark.parametrize("name", VECTORS)
def test_with_one_kind_of_key_the_other_serial_is_refused(name, held):
    vector = VECTORS[name]
    ours = vector["headers"]["Wechatpay-Serial"] in held

    verdict = judge(reader(held), vector["headers"], vector["body"].encode(), now=NOW)

    assert verdict.accepted == (vector["ok"] and ours)


def test_a_payment_is_read_in_our_words():
    vector = VECTORS["paid/pubkey"]

    outcome = read(vector).outcome

    plain = vector["plain"]
    assert (outcome.number, outcome.word, outcome.reference) == (
        plain["out_trade_no"],
        Word.PAID,
        plain["transaction_id"],
    )
    assert (outcome.amount, outcome.payer_amount, outcome.currency) == (40000, 40000, "CNY")
    assert outcome.happened_at == datetime(2026, 1, 1, tzinfo=UTC)
    assert (outcome.payer, outcome.merchant, outcome.app) == (plain["payer"]["openid"], FILE["mchid"], FILE["appid"])


def test_a_refund_notice_is_read_in_our_words():
    vector = VECTORS["refund/pubkey"]

    callback = read(vector)

    plain, refund = vector["plain"], callback.refund
    assert (callback.event_type, callback.outcome) == ("REFUND.SUCCESS", None)
    assert (refund.number, refund.payment) == (plain["out_refund_no"], plain["out_trade_no"])
    assert (refund.word, refund.reference, refund.amount) == (RefundWord.DONE, plain["refund_id"], 40000)
    assert (refund.merchant, refund.their_word) == (FILE["mchid"], "SUCCESS")
    assert refund.happened_at == datetime(2026, 1, 1, 0, 5, tzinfo=UTC)


def test_an_expired_certificate_verifies_nothing_any_more():
    [(serial, verifier)] = CERTIFICATES.items()
    ended = {serial: Verifier(verifier._key, expires_at=NOW)}
    ending = {serial: Verifier(verifier._key, expires_at=NOW + timedelta(seconds=1))}

    assert verifier.expires_at > NOW
    assert read(VECTORS["paid/cert"], by=reader(ending)).outcome
    with pytest.raises(ForgedCallback, match="expired"):
        read(VECTORS["paid/cert"], by=reader(ended))


@pytest.mark.parametrize("seconds", [-299, 299])
def test_a_message_less_than_300_seconds_from_our_clock_is_fresh(seconds):
    assert read(VECTORS["paid/cert"], now=NOW + timedelta(seconds=seconds)).outcome


@pytest.mark.parametrize("seconds", [-300, 300, 28_800])
def test_a_message_300_seconds_from_our_clock_is_stale(seconds):
    with pytest.raises(ForgedCallback, match="clock"):
        read(VECTORS["paid/cert"], now=NOW + timedelta(seconds=seconds))


@pytest.mark.parametrize("who", [{"mchid": "1900000110"}, {"appid": "wx8888888888888889"}])
def test_another_merchants_or_apps_genuine_payment_is_refused(who):
    with pytest.raises(ForgedCallback, match="another"):
        read(VECTORS["paid/pubkey"], by=reader(**who))


def test_the_previous_resource_key_still_opens():
    both = reader(keys=("N" * 32, FILE["apiv3_key"]))

    assert read(VECTORS["paid/pubkey"], by=both).outcome
    with pytest.raises(ForgedCallback, match="no key opens"):
        read(VECTORS["paid/pubkey"], by=reader(keys=("N" * 32,)))


@pytest.mark.parametrize("name", ["Timestamp", "Nonce", "Signature", "Serial"])
def test_a_callback_without_one_of_the_signed_headers_is_refused(name):
    headers = {key: value for key, value in VECTORS["paid/pubkey"]["headers"].items() if key != f"Wechatpay-{name}"}

    with pytest.raises(ForgedCallback, match="missing"):
        reader().read_callback(headers, VECTORS["paid/pubkey"]["body"].encode(), now=NOW)


@pytest.mark.parametrize("name", ["Timestamp", "Nonce", "Signature", "Serial", "Signature-Type"])
@pytest.mark.parametrize("joined", [True, False])
def test_a_header_that_comes_twice_is_refused(name, joined):
    vector = VECTORS["paid/pubkey"]
    value = vector["headers"][f"Wechatpay-{name}"]
    twice = {f"Wechatpay-{name}": f"{value},{value}"} if joined else {f"wechatpay-{name}": value}

    with pytest.raises(ForgedCallback, match="more than once"):
        read(vector, headers=twice)


@pytest.mark.parametrize(
    "stamp", ["", "-1", "1767225600.0", " 1767225600", "1767225600\n", "十", "9" * 12, "4294967296"]
)
def test_a_timestamp_that_is_no_fresh_number_is_refused(stamp):
    with pytest.raises(ForgedCallback):
        read(VECTORS["paid/pubkey"], headers={"Wechatpay-Timestamp": stamp})


@pytest.mark.parametrize("kind", ["WECHATPAY2-SM2-WITH-SM3", "MD5", "none"])
def test_the_message_does_not_choose_its_algorithm(kind):
    with pytest.raises(ForgedCallback, match="type"):
        read(VECTORS["paid/pubkey"], headers={"Wechatpay-Signature-Type": kind})


@pytest.mark.parametrize("spoil", [lambda s: s + "\n", lambda s: s.rstrip("="), lambda s: s[:40] + " " + s[40:]])
def test_a_signature_in_loose_base64_is_refused(spoil):
    vector = VECTORS["paid/pubkey"]

    with pytest.raises(ForgedCallback, match="signature wrong"):
        read(vector, headers={"Wechatpay-Signature": spoil(vector["headers"]["Wechatpay-Signature"])})


@pytest.mark.parametrize("place", range(0, 900, 37))
def test_any_one_byte_changed_is_refused(place):
    body = bytearray(VECTORS["paid/cert"]["body"].encode())
    body[place] ^= 1

    with pytest.raises(ForgedCallback, match="signature wrong"):
        read(VECTORS["paid/cert"], body=bytes(body))


def test_a_body_beyond_all_measure_is_refused_before_anything_is_computed():
    with pytest.raises(ForgedCallback, match="too long"):
        read(VECTORS["paid/cert"], body=b" " * 70_000)


def test_a_serial_that_begins_with_a_zero_keeps_it():
    assert list(CERTIFICATES) == [FILE["cert_serial"]]

    assert serial_of(0x0A1B) == "0A1B"


@pytest.mark.parametrize("keys", [(), ("",), ("short",), ("键" * 32,)])
def test_a_resource_key_that_is_none_is_refused_at_the_start(keys):
    with pytest.raises(BadKey):
        ResourceKeys(keys)


def test_several_certificates_and_several_public_keys_are_held_at_a_time():
    pems = [(HERE / name).read_text() for name in ("wx_merchant.crt", "wx_platform_old.crt")]
    public = (HERE / "wx_platform.pub.pem").read_text()
    ids = ["PUB_KEY_ID_0119000001092025010100111111000001", FILE["pub_key_id"]]

    held = certificates("\n".join(pems)) | public_keys_in("\n".join(f"{key_id}\n{public}" for key_id in ids))

    assert len(held) == 4
    for name in ("paid/pubkey", "paid/cert"):
        assert read(VECTORS[name], by=reader(held)).outcome
