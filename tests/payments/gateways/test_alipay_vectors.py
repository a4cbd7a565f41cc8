"""Notifications made by another implementation, judged by ours: every one comes out as marked, in both key modes."""

import hashlib
import json
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import quote_plus

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from payments.errors import ForgedCallback
from payments.gateways.alipay.keys import certificate_sn, platform_keys, root_sn
from payments.gateways.alipay.reading import AlipayReader
from payments.gateways.base import RefundWord, Word
from payments.gateways.signing import BadKey
from payments.gateways.verdict import judge

HERE = Path(__file__).parents[2] / "vectors" / "alipay"
VECTORS = {vector["name"]: vector for vector in json.loads((HERE / "notifies.json").read_text("utf-8"))["vectors"]}
PUBLIC, LEAF, ROOT = (
    (HERE / name).read_text() for name in ("ali_platform.pub.pem", "ali_platform.crt", "ali_root.crt")
)
SPARE = generate_private_key(65537, 2048)
NOW = datetime(2026, 1, 1, tzinfo=UTC)
PAID = VECTORS["TRADE_SUCCESS"]["body"].encode()


def reader(*, app_id="2021000000000001", seller_id="2088101568353491", keys=None):
    return AlipayReader(app_id, seller_id, keys or platform_keys(PUBLIC, "", ""))


def read(body, *, by=None):
    return (by or reader()).read_callback({}, body, now=NOW)


@pytest.mark.parametrize("name", VECTORS)
def test_every_vector_comes_out_as_marked(name):
    verdict = judge(reader(), {}, VECTORS[name]["body"].encode(), now=NOW)

    assert verdict.accepted == VECTORS[name]["ok"], verdict.why
    assert bool(verdict.why) != VECTORS[name]["ok"]


@pytest.mark.parametrize("name", VECTORS)
def test_one_of_several_public_keys_is_enough_while_a_key_is_changed(name):
    pem = SPARE.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()

    verdict = judge(reader(keys=platform_keys(pem + PUBLIC, "", "")), {}, VECTORS[name]["body"].encode(), now=NOW)

    assert verdict.accepted == VECTORS[name]["ok"]


def test_what_was_paid_is_read_as_it_was_signed():
    callback = read(PAID)

    outcome = callback.outcome
    assert (callback.event_id, callback.event_type) == ("2026010100222080000000000000000001", "TRADE_SUCCESS")
    assert (outcome.word, outcome.number, outcome.amount) == (Word.PAID, "YB20260101000000000001", 40000)
    assert (outcome.reference, outcome.currency, outcome.payer) == ("2026010122001473030000000001", "CNY", "")
    assert (outcome.merchant, outcome.app) == ("2088101568353491", "2021000000000001")
    assert outcome.happened_at == datetime(2026, 1, 1, 0, 0, 5, tzinfo=UTC)
    assert callback.refund is None


@pytest.mark.parametrize(
    ("name", "number"),
    [("refund notice (still TRADE_SUCCESS)", "RF20260102000000000001"), ("TRADE_CLOSED after full refund", "RF2")],
)
def test_a_refund_tells_of_itself_and_of_the_same_payment_again(name, number):
    callback = read(VECTORS[name]["body"].encode())

    assert (callback.outcome.word, callback.outcome.reference) == (Word.PAID, read(PAID).outcome.reference)
    assert (callback.refund.word, callback.refund.number) == (RefundWord.DONE, number)
    assert callback.refund.payment == callback.outcome.number
    assert callback.refund.amount is None, "refund_fee is what went back in all, not by this refund"
    assert callback.refund.happened_at == datetime(2026, 1, 2, 1, 0, 0, 123000, tzinfo=UTC)


def test_a_trade_closed_by_its_time_moved_no_money():
    callback = read(VECTORS["TRADE_CLOSED unpaid timeout"]["body"].encode())

    assert (callback.outcome.word, callback.outcome.reference, callback.refund) == (Word.CLOSED, "", None)


@pytest.mark.parametrize("place", range(0, len(PAID), 211))
def test_one_changed_byte_is_refused(place):
    changed = bytearray(PAID)
    changed[place] ^= 1

    with pytest.raises(ForgedCallback):
        read(bytes(changed))


@pytest.mark.parametrize(
    ("spoil", "why"),
    [
        (lambda body: body + b"&total_amount=400.00", "not a clean form"),
        (lambda body: body + b"&a[]=1", "not a clean form"),
        (lambda body: body.replace(b"&version", b";version"), "not a clean form"),
        (lambda body: body + b"&", "not a clean form"),
        (lambda body: body + b"&x", "not a clean form"),
        (lambda body: body + b"&x=%4", "not a clean form"),
        (lambda body: body + " 元".encode(), "not a clean form"),
        (lambda body: b"", "not a clean form"),
        (lambda body: b'{"trade_status":"TRADE_SUCCESS"}', "not a clean form"),
        (lambda body: body + b"&" + b"&".join(b"x%d=1" % n for n in range(100)), "not a clean form"),
        (lambda body: body + b"&x=" + b"1" * 70_000, "body too long"),
        (lambda body: body.replace(b"sign_type=RSA2", b"sign_type=RSA"), "sign_type is not RSA2"),
        (lambda body: body.replace(b"sign_type=RSA2", b"sign_type=rsa2"), "sign_type is not RSA2"),
        (lambda body: body.replace(b"sign_type=RSA2&", b""), "sign_type is not RSA2"),
        (lambda body: body.replace(b"charset=utf-8", b"charset=utf-16"), "charset is none we know"),
        (lambda body: body.replace(b"version=1.0", b"version=%ff"), "not in its charset"),
        (lambda body: body.replace(b"charset=utf-8", b"charset=GBK"), "not in its charset"),
        (lambda body: body + b"&alipay_cert_sn=" + b"0" * 32, "signature wrong"),
        (lambda body: body + b"&alipay_cert_sn=1", "sign or alipay_cert_sn is missing or malformed"),
        (lambda body: body.replace(b"%3D%3D", b"%3D%3D%0A"), "signature wrong"),
    ],
)
def test_what_is_no_clean_notification_is_refused_by_the_check_it_fails(spoil, why):
    with pytest.raises(ForgedCallback, match=f"^{why}$"):
        read(spoil(PAID))


@pytest.mark.parametrize("other", [{"app_id": "2021000000000002"}, {"seller_id": "2088101568353492"}])
def test_a_genuine_notification_for_another_app_or_merchant_is_refused(other):
    with pytest.raises(ForgedCallback, match="another merchant's or another app's"):
        read(PAID, by=reader(**other))


def test_a_certificate_vouches_for_who_names_none():
    """A2."""
    certified = reader(keys=platform_keys("", LEAF, ROOT))

    assert read(PAID, by=certified).outcome == read(PAID).outcome


def test_certificates_are_named_by_their_issuer_read_backwards():
    leaf, root = (x509.load_pem_x509_certificate(pem.encode()) for pem in (LEAF, ROOT))

    issuer = "CN=TEST Root R1,OU=TEST CA,O=TEST Financial,C=CN"
    assert certificate_sn(leaf) == hashlib.md5(f"{issuer}{leaf.serial_number}".encode()).hexdigest()
    assert certificate_sn(leaf) != certificate_sn(root) == root_sn(ROOT)
    assert list(platform_keys("", LEAF, ROOT).certificates) == [certificate_sn(leaf)]


def test_a_certificate_that_leads_to_no_root_is_no_key():
    assert [fact.doubt for fact in platform_keys("", LEAF, ROOT).facts] == [""]
    with pytest.raises(BadKey, match="signs messages"):
        platform_keys("", ROOT, ROOT)


def test_a_field_the_signer_left_empty_is_as_if_it_had_not_come():
    for name in ("empty value, left out of the signed text", "empty value, signed as body="):
        assert read(VECTORS[name]["body"].encode()).outcome.amount == 40000


def test_an_empty_field_slipped_in_changes_nothing_that_is_read():
    assert read(PAID + b"&refund_fee=").refund is None
    assert read(PAID + f"&{quote_plus('x')}=".encode()).outcome == read(PAID).outcome
