"""Messages signed by UnionPay's own software and by its test system, judged by ours: each comes out as marked."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlencode

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from core.clock import BEIJING
from payments.errors import ForgedCallback
from payments.gateways.base import Kind, Order, RefundOrder, RefundWord, Trade, Word
from payments.gateways.signing import BadKey, Verifier
from payments.gateways.unionpay.reading import UnionPayReader, answer_fields
from payments.gateways.unionpay.requests import Requests
from payments.gateways.unionpay.seal import (
    TEST_SYSTEM,
    UNIONPAY,
    Authority,
    MerchantKey,
    Unproven,
    certificates_in,
    digest,
    text_to_sign,
)
from payments.gateways.verdict import judge

HERE = Path(__file__).parents[2] / "vectors" / "unionpay"
FILE = json.loads((HERE / "vectors.json").read_text(encoding="utf-8"))
SIGNED = {case["name"]: case for case in FILE["signing"]}
JUDGED = {case["name"]: case for case in FILE["verification"]}
REAL = {case["name"]: case for case in json.loads((HERE / "real" / "real_samples.json").read_text(encoding="utf-8"))}
NOW = datetime(2026, 11, 23, 4, tzinfo=UTC)
OURS = "777290000000001"
REFUSED = {"up_testcn", "up_other", "up_shortcn", "up_expired", "up_future", "up_rogue"}


def cert(name):
    return (HERE / name).read_text(encoding="ascii")


def authority(roots=("root256", "root1"), middles=("mid256", "mid1"), companies=(UNIONPAY,)):
    return Authority(
        *("".join(cert(f"certs/{name}.cer") + "\n" for name in names) for names in (roots, middles)), companies
    )


def real_authority(*companies):
    return Authority(cert("real/acp_test_root.cer"), cert("real/acp_test_middle.cer"), companies or (UNIONPAY,))


READER, TEST_READER = (
    UnionPayReader(OURS, authority(companies=held)) for held in ((UNIONPAY,), (UNIONPAY, TEST_SYSTEM))
)


def as_answer(fields, charset="utf-8"):
    return "&".join(f"{name}={value}" for name, value in fields.items()).encode(charset)


def believed(read, body, now=NOW):
    try:
        read(body, now=now)
    except Unproven:
        return False
    return True


@pytest.mark.parametrize("case", SIGNED.values(), ids=SIGNED)
def test_every_signing_case_gives_the_same_text_digest_and_signature(case):
    fields = {**case["input"], **({"certId": FILE["merchant_cert_id"]} if case["kind"] == "req" else {})}
    if case["kind"] == "req":  # what we send is trimmed, what we receive never
        fields = {name: value.strip() for name, value in fields.items()}

    text = text_to_sign(fields)

    assert text == case["string_to_sign"]
    assert digest(text, case["charset"]).decode() == case["sha256_hex"]
    [held] = certificates_in(cert(f"certs/{case['key']}.cer"))
    assert Verifier(held.public_key()).verify(digest(text, case["charset"]), case["signature"])


def test_our_requests_have_the_fields_of_the_signing_cases():
    at = datetime(2026, 11, 23, 10, 15, 30, tzinfo=BEIJING)
    order = Order("YB2026112300000001", at, Kind.NATIVE, 38000, "城乡居民医保费", at + timedelta(minutes=30))
    page = replace(order, number="YB2026112300000003", kind=Kind.WEB, amount=1)
    page = replace(page, ordered_at=at + timedelta(seconds=2), expires_at=at + timedelta(minutes=15, seconds=2))
    back = RefundOrder(
        "RF2026112400000001",
        datetime(2026, 11, 24, 9, tzinfo=BEIJING),
        order.number,
        "442611231015304678498",
        38000,
        38000,
        "",
    )
    ours = Requests(OURS, "https://pay.example.gov.cn/unionpay/notify", "https://pay.example.gov.cn/unionpay/front")
    refunds = replace(ours, notify_url="https://pay.example.gov.cn/unionpay/refund-notify")
    wanted = {
        name: {field: value for field, value in case["input"].items() if field != "reqReserved"}
        for name, case in SIGNED.items()
    }

    assert ours.qr_code(order) == wanted["req_qr_apply"]
    assert ours.page(page) == wanted["req_wap_pay"]
    assert ours.query(Trade(order.number, at)) == wanted["req_query"]
    assert refunds.refund(back) == wanted["req_refund"]
    assert ours.file(at.date(), datetime(2026, 11, 24, 10, tzinfo=BEIJING)) == wanted["req_file"]


@pytest.mark.parametrize("case", [one for one in JUDGED.values() if one["form_body"]], ids=lambda one: one["name"])
def test_every_form_comes_out_as_marked(case):
    body = case["form_body"].encode()

    assert believed(READER.read_form, body) == case["expect_production"]
    assert believed(TEST_READER.read_form, body) == case["expect_test_env"]


@pytest.mark.parametrize("case", [one for one in JUDGED.values() if one["form_body"]], ids=lambda one: one["name"])
def test_a_genuine_answer_sent_as_a_notification_changes_nothing(case):
    verdict = judge(READER, {}, case["form_body"].encode(), now=NOW)

    assert verdict.accepted == case["expect_production"]
    if verdict.accepted and case["name"].startswith("resp_"):
        assert (verdict.callback.outcome, verdict.callback.refund) == (None, None)


@pytest.mark.parametrize("case", JUDGED.values(), ids=JUDGED)
def test_every_answer_comes_out_as_marked(case):
    body = case["raw_body"].encode(case["charset"])

    assert believed(READER.read_answer, body) == case["expect_production"]
    assert believed(TEST_READER.read_answer, body) == case["expect_test_env"]


@pytest.mark.parametrize("case", [one for one in SIGNED.values() if one["kind"] == "msg"], ids=lambda one: one["name"])
def test_a_message_is_believed_exactly_when_its_certificate_is_unionpays(case):
    fields = {**case["input"], "signature": case["signature"]}

    assert believed(READER.read_answer, as_answer(fields, case["charset"])) == (case["key"] not in REFUSED)
    if case["charset"] == "UTF-8":
        assert believed(READER.read_form, urlencode(fields).encode()) == (case["key"] not in REFUSED)


@pytest.mark.parametrize("case", REAL.values(), ids=REAL)
def test_every_message_of_the_real_test_system_is_believed_at_its_time(case):
    fields, at = case["fields"], datetime.fromisoformat(case["clock"]).replace(tzinfo=UTC)
    reader = UnionPayReader(fields["merId"], real_authority(UNIONPAY, TEST_SYSTEM))

    assert reader.read_answer(as_answer(fields), now=at)["orderId"] == fields["orderId"]
    assert believed(reader.read_form, urlencode({**fields, "signature": fields["signature"].strip()}).encode(), at)
    assert not believed(reader.read_answer, as_answer({**fields, "respCode": "01"}), at)
    assert not believed(reader.read_answer, as_answer(fields), NOW), "its certificate has ended since"
    assert not believed(UnionPayReader(OURS, reader.authority).read_answer, as_answer(fields), at), "another merchant's"


def test_the_older_test_systems_name_counts_only_where_it_is_listed():
    case = REAL["omnipay_WtzCompleteFrontOpen"]
    reader = UnionPayReader(case["fields"]["merId"], real_authority())

    assert not believed(reader.read_answer, as_answer(case["fields"]), datetime(2017, 10, 30, tzinfo=UTC))


def test_a_payment_of_the_real_test_system_is_read_in_our_words():
    fields = REAL["yansongda_testReturnCallback_notify"]["fields"]
    reader = UnionPayReader(fields["merId"], real_authority())

    callback = reader.read_callback({}, urlencode(fields).encode(), now=datetime(2022, 9, 12, tzinfo=UTC))

    outcome = callback.outcome
    assert (outcome.number, outcome.word, outcome.amount) == ("yansongda20220908132206", Word.PAID, 1)
    assert (outcome.reference, outcome.currency, outcome.payer) == ("782209081322060674028", "CNY", "")
    assert outcome.happened_at == datetime(2022, 9, 8, 13, 22, 6, tzinfo=BEIJING)
    assert callback.event_id == "01-yansongda20220908132206-20220908132206-00" and callback.refund is None


@pytest.mark.parametrize(
    ("name", "word"),
    [("notify_refund_ok__up_prod", RefundWord.DONE), ("notify_refund_failed__up_prod", RefundWord.FAILED)],
)
def test_a_refunds_notification_comes_for_success_and_failure(name, word):
    fields = {**SIGNED[name]["input"], "signature": SIGNED[name]["signature"]}

    callback = READER.read_callback({}, urlencode(fields).encode(), now=NOW)

    refund = callback.refund
    assert (refund.number, refund.word, refund.amount) == ("RF2026112400000001", word, 38000)
    assert (refund.reference, callback.outcome) == (fields["queryId"], None)


def test_defective_success_is_not_yet_money():
    fields = {**SIGNED["notify_pay_A6__up_prod"]["input"], "signature": SIGNED["notify_pay_A6__up_prod"]["signature"]}

    outcome = READER.read_callback({}, urlencode(fields).encode(), now=NOW).outcome

    assert (outcome.word, outcome.their_word) == (Word.UNKNOWN, "A6")


def test_brackets_in_an_answer_keep_what_is_in_them_together():
    case = SIGNED["resp_with_braces__up_prod"]

    fields = READER.read_answer(as_answer({**case["input"], "signature": case["signature"]}), now=NOW)

    assert fields["tokenPayData"] == "{token=6235240000020757577&trId=62000000001&tokenLevel=80}"


@pytest.mark.parametrize("text", ["", "Invalid request.", "a=1&a=2", "=1", "a={b&c=1", "a b=1", "<html>=1", "&a=1"])
def test_an_answer_that_is_no_list_of_fields_is_none(text):
    with pytest.raises(ValueError, match=r"."):
        answer_fields(text)


@pytest.mark.parametrize(("text", "value"), [("a=1&&b=2", "1&"), ("a=1&b&b=2", "1&b"), ("a=1&b &b=2", "1&b ")])
def test_what_has_no_name_belongs_to_the_value_before_it(text, value):
    """G1."""
    assert answer_fields(text) == {"a": value, "b": "2"}


def test_brackets_nest_and_only_in_values():
    assert answer_fields("a={b=[&]{c}&d}&e=[1&{]&f=x}=") == {"a": "{b=[&]{c}&d}", "e": "[1&{]", "f": "x}="}


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"version": "5.0.0"}, "version"),
        ({"version": ""}, "version"),
        ({"signMethod": "11"}, "signMethod"),
        ({"signMethod": "12"}, "signMethod"),
        ({"signature": ""}, "missing"),
        ({"signPubKeyCert": ""}, "missing"),
        ({"signPubKeyCert": "-----BEGIN CERTIFICATE-----\r\nAAAA\r\n-----END CERTIFICATE-----"}, "cannot be read"),
        ({"txnAmt": "38001"}, "signature wrong"),
        ({"added": "1"}, "signature wrong"),
        ({"respMsg": ""}, "signature wrong"),
    ],
)
def test_the_first_check_that_fails_is_named(change, why):
    fields = {**JUDGED["notify_pay__up_prod"]["fields"], **change}

    with pytest.raises(ForgedCallback, match=why):
        READER.read_callback({}, urlencode(fields).encode(), now=NOW)


@pytest.mark.parametrize("spoil", [lambda s: s + "\n", lambda s: s.rstrip("="), lambda s: s[:40] + " " + s[40:]])
def test_a_signature_in_loose_base64_is_refused(spoil):
    fields = dict(JUDGED["notify_pay__up_prod"]["fields"])
    fields["signature"] = spoil(fields["signature"])

    with pytest.raises(ForgedCallback, match="signature wrong"):
        READER.read_callback({}, urlencode(fields).encode(), now=NOW)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda body: body + b"&txnAmt=38000",
        lambda body: body + b"&a[]=1&a[]=2",
        lambda body: body + b"&",
        lambda body: body + b"&x=%ff",
        lambda body: body + b"&x=%zz",
        lambda body: body + b"&x",
        lambda body: body + b" ",
        lambda body: body.replace(b"%2B", b"+"),
        lambda body: b"<xml/>",
        lambda body: b"{}",
        lambda body: b"",
        lambda body: body + b"&x=" + b"1" * 65536,
    ],
)
def test_a_notification_that_is_not_the_form_they_signed_is_refused(spoil):
    body = JUDGED["notify_pay__up_prod"]["form_body"].encode()

    with pytest.raises(ForgedCallback):
        READER.read_callback({}, spoil(body), now=NOW)


def test_a_merchants_genuine_certificate_signs_nothing_we_believe():
    merchants = cert("certs/merchant.cer").strip().replace("\r", "").replace("\n", "\r\n")

    with pytest.raises(Unproven, match="another company"):
        authority().verifier(merchants, now=NOW)


def test_a_middle_certificate_signs_no_message():
    with pytest.raises(Unproven):
        authority().verifier(cert("certs/mid256.cer").strip(), now=NOW)


def an_issued(*extensions):
    """A certificate with UnionPay's name and these extensions, and an authority of one that issued it."""
    key = rsa.generate_private_key(65537, 2048)
    above = x509.Name([x509.NameAttribute(NameOID.ORGANIZATION_NAME, "one")])
    named = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"041@1@{UNIONPAY}@1")])

    def issued(called, *more):
        made = x509.CertificateBuilder(above, called, key.public_key(), 7, NOW, NOW + timedelta(days=1))
        for extension in more:
            made = made.add_extension(extension, False)
        return made.sign(key, SHA256()).public_bytes(Encoding.PEM).decode()

    root = issued(above, x509.BasicConstraints(True, None))
    return Authority(root, root), issued(named, *extensions).strip().replace("\n", "\r\n")


def usage(*allowed):
    return x509.KeyUsage(*(place in allowed for place in range(9)))


@pytest.mark.parametrize("extensions", [(), (usage(0),), (usage(1, 2),), (x509.BasicConstraints(False, None),)])
def test_a_certificate_that_may_sign_is_believed(extensions):
    held, pem = an_issued(*extensions)

    assert held.verifier(pem, now=NOW)


@pytest.mark.parametrize("extensions", [(usage(2),), (usage(5, 6),), (x509.BasicConstraints(True, None), usage(0))])
def test_a_certificate_for_something_else_signs_no_message(extensions):
    held, pem = an_issued(*extensions)

    with pytest.raises(Unproven, match="not for signing"):
        held.verifier(pem, now=NOW)


def test_a_remembered_certificate_is_looked_at_again_when_its_time_is_over():
    held, pem = authority(), JUDGED["notify_pay__up_prod"]["fields"]["signPubKeyCert"]
    assert held.verifier(pem, now=NOW) is held.verifier(pem, now=NOW)

    with pytest.raises(Unproven, match="not valid now"):
        held.verifier(pem, now=datetime(2044, 1, 1, tzinfo=UTC))
    with pytest.raises(Unproven, match="not valid now"):
        held.verifier(pem, now=datetime(2014, 12, 31, tzinfo=UTC))


def test_another_chain_of_the_same_names_is_not_ours():
    rogue = authority(("rogueroot",), ("roguemid",))
    fields = {**SIGNED["notify_pay__up_rogue"]["input"], "signature": SIGNED["notify_pay__up_rogue"]["signature"]}
    body = urlencode(fields).encode()

    assert judge(UnionPayReader(OURS, rogue), {}, body, now=NOW).accepted
    assert "hang under" in judge(READER, {}, body, now=NOW).why


@pytest.mark.parametrize(
    ("roots", "middles"), [(("root1",), ("mid256",)), (("up_prod",), ("mid256",)), (("root256",), ("up_prod",))]
)
def test_certificates_that_do_not_hang_together_are_refused_at_once(roots, middles):
    with pytest.raises(BadKey, match="authority"):
        authority(roots, middles)


def test_the_alarm_knows_the_last_day_of_every_certificate_held():
    facts = authority().facts()

    assert len(facts) == 4
    assert all(fact.expires_at - NOW > timedelta(days=365) and fact.name for fact in facts)


def test_the_real_test_pairs_hang_together():
    assert {fact.expires_at.year for fact in real_authority().facts()} == {2031, 2032}


def test_a_certificate_that_does_not_fit_the_key_is_refused():
    with pytest.raises(BadKey, match="PEM"):
        MerchantKey.from_pem("no key", cert("certs/merchant.cer"))
    with pytest.raises(BadKey, match="pfx"):
        MerchantKey.from_pfx("AAAA", "123456")
