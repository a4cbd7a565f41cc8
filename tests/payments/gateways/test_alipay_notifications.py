"""Notifications signed with a key of our own: states, missing fields, senseless amounts, ended certificates."""

from datetime import UTC, datetime, timedelta
from urllib.parse import urlencode

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from cryptography.x509.oid import NameOID

from payments.errors import ForgedCallback, GatewaySilent
from payments.gateways.alipay.fetching import believed_address
from payments.gateways.alipay.keys import certificate_sn, own_key, platform_keys
from payments.gateways.alipay.reading import AlipayReader
from payments.gateways.base import RefundWord, Word
from payments.gateways.signing import BadKey, Signer

NOW = datetime(2026, 1, 1, tzinfo=UTC)
KEY = generate_private_key(65537, 2048)
PEM = KEY.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
PUBLIC = KEY.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
SIGNER = Signer(PEM)
READER = AlipayReader("2021000000000001", "2088101568353491", platform_keys(PUBLIC, "", ""))
STATED = {
    "app_id": "2021000000000001",
    "seller_id": "2088101568353491",
    "charset": "utf-8",
    "notify_id": "20260101002220800000001",
    "notify_type": "trade_status_sync",
    "out_trade_no": "YB01",
    "trade_no": "2026010122001473030000000001",
    "trade_status": "TRADE_SUCCESS",
    "total_amount": "400.50",
    "gmt_payment": "2026-01-01 08:00:05",
    "subject": "居民医保 100% a+b&c=d",
}
BACK = {"refund_fee": "100.00", "gmt_refund": "2026-01-02 09:00:00.123", "out_biz_no": "RF01"}


def signed(**changed):
    fields = {name: value for name, value in (STATED | changed).items() if value is not None}
    text = "&".join(f"{name}={value}" for name, value in sorted(fields.items()))
    return urlencode({**fields, "sign_type": "RSA2", "sign": SIGNER.sign(text.encode())}).encode()


def read(body, *, by=READER, now=NOW):
    return by.read_callback({}, body, now=now)


@pytest.mark.parametrize(
    ("changed", "word", "back"),
    [
        ({}, Word.PAID, None),
        ({"trade_status": "TRADE_FINISHED"}, Word.PAID, None),
        ({"trade_status": "TRADE_FINISHED", **BACK}, Word.PAID, "RF01"),
        ({"trade_status": "TRADE_CLOSED"}, Word.CLOSED, None),
        ({"trade_status": "TRADE_CLOSED", **BACK}, Word.PAID, "RF01"),
        ({"trade_status": "TRADE_CLOSED", "refund_fee": "100.00"}, Word.PAID, None),
        (
            {"trade_status": "TRADE_CLOSED", "refund_fee": "0.00", "gmt_refund": "x", "out_biz_no": "RF01"},
            Word.CLOSED,
            None,
        ),
        ({"trade_status": "WAIT_BUYER_PAY"}, Word.OPEN, None),
        ({"trade_status": "WAIT_BUYER_PAY", **BACK}, Word.OPEN, None),
        ({"trade_status": "TRADE_PENDING", **BACK}, Word.UNKNOWN, None),
        (BACK, Word.PAID, "RF01"),
        (BACK | {"out_biz_no": None}, Word.PAID, None),
        (BACK | {"gmt_refund": None}, Word.PAID, None),
    ],
)
def test_state_and_refund_fields_together_say_what_happened(changed, word, back):
    callback = read(signed(**changed))

    assert callback.outcome.word is word
    assert (callback.refund.number if callback.refund else None) == back
    assert callback.outcome.reference == (STATED["trade_no"] if word is Word.PAID else "")
    if callback.refund:
        assert (callback.refund.word, callback.refund.payment) == (RefundWord.DONE, "YB01")


@pytest.mark.parametrize("name", ["out_trade_no", "trade_no", "trade_status", "notify_id", "notify_type"])
@pytest.mark.parametrize("value", [None, "", "a b", "x" * 200])
def test_a_signed_notification_without_what_it_is_about_is_refused(name, value):
    with pytest.raises(ForgedCallback, match=name):
        read(signed(**{name: value}))


@pytest.mark.parametrize("name", ["app_id", "seller_id"])
def test_a_signed_notification_that_names_no_receiver_is_refused(name):
    with pytest.raises(ForgedCallback, match="another"):
        read(signed(**{name: None}))


@pytest.mark.parametrize(
    "amount", [None, "", "400.505", "4e2", "-400.50", "400.50 ", "４００.50", "1" * 20, "null", "true"]
)
def test_real_money_with_a_senseless_amount_is_told_without_it(amount):
    outcome = read(signed(total_amount=amount)).outcome

    assert (outcome.word, outcome.amount) == (Word.PAID, None)


def test_a_senseless_moment_is_told_as_none():
    assert read(signed(gmt_payment="yesterday")).outcome.happened_at is None


def test_what_is_not_about_trades_is_acknowledged_and_changes_nothing():
    callback = read(signed(notify_type="dut_user_sign", trade_status=None, out_trade_no=None))

    assert (callback.event_type, callback.outcome, callback.refund) == ("dut_user_sign", None, None)


def test_a_message_may_come_a_day_late_for_that_is_how_they_repeat_themselves():
    assert read(signed(), now=NOW + timedelta(days=2)).outcome.word is Word.PAID


def certificate(name, issuer, *, key=KEY, by=KEY, ends=NOW + timedelta(days=9), serial=7):
    subject, above = (x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, one)]) for one in (name, issuer))
    made = x509.CertificateBuilder().subject_name(subject).issuer_name(above).public_key(key.public_key())
    made = made.serial_number(serial).not_valid_before(NOW - timedelta(days=9)).not_valid_after(ends)
    return made.sign(by, hashes.SHA256())


def pem(*certificates):
    return "".join(one.public_bytes(Encoding.PEM).decode() for one in certificates)


def test_a_named_certificate_proves_until_it_ends_whichever_of_several_it_is():
    root = certificate("root", "root")
    ending, fresh = (certificate(f"leaf {n}", "root", serial=n, ends=NOW + timedelta(days=n)) for n in (1, 5))
    by = AlipayReader(READER.app_id, READER.seller_id, platform_keys("", pem(ending, fresh), pem(root)))
    bodies = [signed(alipay_cert_sn=certificate_sn(one)) for one in (ending, fresh)]

    assert [read(body, by=by).outcome.word for body in bodies] == [Word.PAID] * 2
    assert read(bodies[1], by=by, now=NOW + timedelta(days=2)).outcome.word is Word.PAID
    with pytest.raises(ForgedCallback, match="signature wrong"):
        read(bodies[0], by=by, now=NOW + timedelta(days=2))


def test_who_names_no_certificate_or_an_unknown_one_is_proven_by_any_that_is_held():
    """A2, A3: a certificate reissued with the same key has another name; somebody fetches it, and nobody is refused."""
    told = []
    root, leaf = certificate("root", "root"), certificate("leaf", "root", ends=NOW + timedelta(days=5))
    keys = platform_keys("", pem(leaf), pem(root), alert=lambda what, **words: told.append((what, words)))
    by = AlipayReader(READER.app_id, READER.seller_id, keys)
    unknown = "0" * 32

    assert read(signed(), by=by).outcome.word is Word.PAID
    assert told == []
    assert read(signed(alipay_cert_sn=unknown), by=by).outcome.word is Word.PAID
    assert told == [("certificate_unknown", {"gateway": "alipay", "sn": unknown})]
    for body, now in (
        (signed(alipay_cert_sn=unknown), NOW + timedelta(days=6)),
        (signed(alipay_cert_sn=unknown) + b"&body=1", NOW),
    ):
        with pytest.raises(ForgedCallback, match="signature wrong"):
            read(body, by=by, now=now)
    assert len(told) == 1, "who proves nothing wakes nobody"


def test_a_leaf_leads_to_its_root_through_the_authority_between_and_by_no_other_way():
    other = generate_private_key(65537, 2048)
    root, between = certificate("root", "root"), certificate("between", "root", key=other)
    leaf = certificate("leaf", "between", by=other)
    forged = certificate("leaf", "between", by=KEY)

    held = platform_keys("", pem(leaf, between), pem(root))

    assert list(held.certificates) == [certificate_sn(leaf)]
    with pytest.raises(BadKey, match="does not lead to a root"):
        platform_keys("", pem(forged, between), pem(root))


def test_our_names_in_certificate_mode_are_those_of_our_certificate_and_of_every_rsa_root():
    roots = [certificate(f"root {n}", f"root {n}", serial=n) for n in (1, 2)]
    ours = certificate("app", "root 1")

    own = own_key(PEM, pem(ours), pem(*roots))

    assert own.sns == {
        "app_cert_sn": certificate_sn(ours),
        "alipay_root_cert_sn": "_".join(certificate_sn(one) for one in roots),
    }


OURS = "http://127.0.0.1:8100"


@pytest.mark.parametrize(
    ("address", "believed"),
    [
        ("http://dwbillcenter.alipay.com/downloadBillFile.resource?a=1", False),
        ("https://dwbillcenter.alipay.com/downloadBillFile.resource?a=1", True),
        (f"{OURS}/downloadBillFile.resource?a=1", True),
        ("http://127.0.0.1:8101/a", False),
        ("https://127.0.0.1:8100/a", False),
        ("http://127.0.0.1:8100@dwbillcenter.alipay.com/a", False),
        ("http://dwbillcenter.alipay.com@evil.invalid/a", False),
        ("http://dwbillcenter.alipay.com.evil.invalid/a", False),
        ("http://dwbillcenter.alipay.com:8080/a", False),
        ("http://evil.invalid/?dwbillcenter.alipay.com", False),
    ],
)
def test_a_bill_is_fetched_from_its_one_host_and_by_https(address, believed):
    if not believed:
        with pytest.raises(GatewaySilent):
            believed_address(address, OURS)
        return

    assert believed_address(address, OURS) == address
