"""What the real gateways have published: certificates, a notification and a bill, read as ours are."""

import io
import json
import re
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509

from payments.errors import ForgedCallback
from payments.gateways.alipay.keys import UNVOUCHED, certificate_sn, platform_keys, root_sn
from payments.gateways.alipay.reading import AlipayReader
from payments.gateways.alipay.statement import read_bill
from payments.gateways.base import Movement, Word
from payments.gateways.signing import BadKey, certificates
from tests.payments.gateways.test_alipay_statement import zipped

VECTORS = Path(__file__).parents[2] / "vectors"
ALIPAY = VECTORS / "alipay" / "real"
ROOTS, LEAF, APP, SANDBOX = (
    (ALIPAY / name).read_text()
    for name in (
        "alipayRootCert.crt",
        "alipayCertPublicKey_RSA2.crt",
        "appCertPublicKey_2021001161683774.crt",
        "sandbox_alipayPublicCert.crt",
    )
)
NOTIFICATION = json.loads((ALIPAY / "notification.json").read_text())


def first_of(pems):
    return re.search(r"-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----", pems, re.DOTALL)[0]


def told(keys, *, body=NOTIFICATION["body"], now=NOTIFICATION["now"]):
    reader = AlipayReader(NOTIFICATION["app_id"], NOTIFICATION["seller_id"], keys)
    return reader.read_callback({}, body.encode(), now=datetime.fromisoformat(now))


def test_alipays_own_root_file_is_named_as_its_sdks_name_it():
    """A1: its third certificate no strict library reads; it is passed over, as they do."""
    assert root_sn(ROOTS) == "687b59193f3f462dd5336e5abf83c5d8_02941eef3187dddf3d3b83462e1dfcf6"


@pytest.mark.parametrize(
    ("pem", "sn"), [(APP, "866efef280dec9137a87d047ac446315"), (LEAF, "7513daaaa48aa3ba2e4018d84402479c")]
)
def test_certificates_are_named_as_the_sdks_name_them(pem, sn):
    assert certificate_sn(x509.load_pem_x509_certificate(first_of(pem).encode())) == sn


def test_a_file_with_nothing_but_the_leaf_is_the_operators_word_and_said_to_be():
    """A4: the official fixture holds no authority between."""
    keys = platform_keys("", LEAF, ROOTS)

    assert list(keys.certificates) == ["7513daaaa48aa3ba2e4018d84402479c"]
    assert [fact.doubt for fact in keys.facts] == [UNVOUCHED]


def test_an_authority_of_another_world_is_no_way_to_the_root():
    with pytest.raises(BadKey, match="does not lead to a root"):
        platform_keys("", SANDBOX, ROOTS)


def test_a_real_notification_in_certificate_mode_names_no_certificate_and_is_believed():
    """A2: every certificate held is tried; the signature decides."""
    keys = platform_keys("", LEAF + first_of(SANDBOX), ROOTS)

    outcome = told(keys).outcome

    assert (outcome.word, outcome.number, outcome.amount) == (Word.PAID, "1703147160", 1)
    assert outcome.reference == "2023122122001499160501589436"


def test_its_certificate_must_be_held_and_must_not_have_ended():
    for keys, now in (
        (platform_keys("", LEAF, ROOTS), NOTIFICATION["now"]),
        (platform_keys("", first_of(SANDBOX), ROOTS), "2024-06-07T00:00:00+08:00"),
    ):
        with pytest.raises(ForgedCallback, match="signature wrong"):
            told(keys, now=now)
    with pytest.raises(ForgedCallback, match="signature wrong"):
        told(platform_keys("", first_of(SANDBOX), ROOTS), body=NOTIFICATION["body"].replace("0.01", "0.02"))


def test_a_real_day_is_read_to_the_fen():
    detail, stem = (ALIPAY / "detail_20190916.csv").read_bytes(), "20880211096256330156_20190916_业务明细"
    file = zipped([(f"{stem}.csv", detail), (f"{stem}(汇总).csv", b"")])

    lines = list(read_bill(io.BytesIO(file.getvalue()), date(2019, 9, 16), seller_id="2088021109625633"))

    assert [line.movement for line in lines].count(Movement.PAYMENT) == 6
    assert (lines[1].movement, lines[1].refund_number) == (Movement.REFUND, "re_test_1568602607356")
    assert {line.amount for line in lines} == {1} and {line.fee for line in lines} == {0}


def test_a_real_platform_certificate_is_held_by_its_serial():
    held = certificates((VECTORS / "wechat" / "real" / "platform_45F59D4D.crt").read_text())

    assert list(held) == ["45F59D4DABF31918AFCEC556D5D2C6E376675D57"]
    assert held.popitem()[1].expires_at - datetime(2026, 7, 15, tzinfo=UTC) < timedelta(days=1)
