"""Signatures three ways: the vendors' printed examples, their SDKs, and the far sides' own reading of the manuals."""

import json
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from types import SimpleNamespace
from urllib.parse import urlsplit

import pytest
from alibabacloud_dysmsapi20170525.client import Client as OfficialAliyun
from alibabacloud_dysmsapi20170525.models import SendSmsRequest
from alibabacloud_tea_openapi.utils import Utils
from alibabacloud_tea_openapi.utils_models import Config
from tencentcloud.common.credential import Credential
from tencentcloud.common.profile.client_profile import ClientProfile
from tencentcloud.common.profile.http_profile import HttpProfile
from tencentcloud.common.sign import Sign
from tencentcloud.sms.v20210111 import models as tencent_models
from tencentcloud.sms.v20210111.sms_client import SmsClient

from core.clock import utc_now
from core.http import Answer
from notifications.channels.aliyun import canonical, signed
from payments.sandbox.texts import aliyun as far_aliyun
from payments.sandbox.texts import tencent as far_tencent
from tests.notifications.texts import an_account, approve, connected, on_phone
from tests.outside import Outside

VECTORS = json.loads((Path(__file__).parents[1] / "vectors" / "texts" / "signatures.json").read_text(encoding="utf-8"))
PHONE = "13800002222"


def test_alibabas_printed_example_is_signed_alike_by_us_the_sdk_and_the_far_side() -> None:
    told = VECTORS["aliyun"]
    query = canonical(told["query"])

    ours = signed(
        told["action"],
        query,
        told["host"],
        key_id=told["key_id"],
        key=told["key"],
        version=told["version"],
        date=told["date"],
        nonce=told["nonce"],
    )

    headers = {name: value for name, value in ours.items() if name != "Authorization"}
    names = ";".join(sorted(headers))
    whole = f"ACS3-HMAC-SHA256 Credential={told['key_id']},SignedHeaders={names},Signature={told['signature']}"
    asked = SimpleNamespace(method="POST", pathname="/", query=told["query"], headers=headers)
    empty = sha256(b"").hexdigest()
    assert ours["Authorization"] == whole
    assert Utils.get_authorization(asked, "ACS3-HMAC-SHA256", empty, told["key_id"], told["key"]) == whole
    assert far_aliyun.signature("POST", "/", query, headers, names, key=told["key"]) == told["signature"]


def test_tencents_printed_example_is_signed_alike_by_the_sdk_and_the_far_side() -> None:
    told = VECTORS["tencent"]
    headers = {"content-type": told["content_type"], "host": told["host"], "x-tc-timestamp": str(told["timestamp"])}
    body = told["body"].encode()
    request = (
        f"POST\n/\n\ncontent-type:{told['content_type']}\nhost:{told['host']}\n\n{told['signed_headers']}\n"
        f"{sha256(body).hexdigest()}"
    )
    text = (
        f"TC3-HMAC-SHA256\n{told['timestamp']}\n{told['date']}/{told['service']}/tc3_request\n"
        f"{sha256(request.encode()).hexdigest()}"
    )

    far = far_tencent.signature(
        headers, told["signed_headers"], body, date=told["date"], service=told["service"], key=told["key"]
    )

    assert Sign.sign_tc3(told["key"], told["date"], told["service"], text) == far == told["signature"]


def test_the_official_clients_as_they_come_are_understood_by_the_far_sides(far: Outside) -> None:
    for provider in ("aliyun", "tencent"):
        approve(far, provider)
    here = urlsplit(far.url).netloc
    ali = OfficialAliyun(
        Config(access_key_id="sandbox-key-id", access_key_secret=far.keys.sms_key, endpoint=here, protocol="http")
    )
    template = an_account(far, "aliyun").templates["login_code"]

    said = ali.send_sms(
        SendSmsRequest(
            phone_numbers=PHONE, sign_name="示例税务", template_code=template, template_param='{"code":"246810"}'
        )
    )
    profile = ClientProfile(httpProfile=HttpProfile(protocol="http", endpoint=here))
    client = SmsClient(Credential("sandbox-key-id", far.keys.sms_key), "ap-guangzhou", profile)
    asked = tencent_models.SendSmsRequest()
    asked.PhoneNumberSet, asked.SmsSdkAppId, asked.SignName = [f"+86{PHONE}"], "1400000000", "示例税务"
    asked.TemplateId, asked.TemplateParamSet = an_account(far, "tencent").templates["login_code"], ["135790"]
    heard = client.SendSms(asked)

    assert said.body.code == "OK" and heard.SendStatusSet[0].Code == "Ok"
    assert ["246810" in one["text"] for one in on_phone(far, PHONE)] == [True, False]


def asked_of_aliyun(far: Outside, *, query: str, headers: dict[str, str]) -> Answer:
    return far.door.send("POST", f"{far.url}/?{query}", headers=headers, body=b"")


def a_question(far: Outside, **changed: str) -> tuple[str, dict[str, str]]:
    query = canonical({"PhoneNumber": PHONE, "SendDate": "20211105", "PageSize": "10", "CurrentPage": "1"})
    host = far.url.removeprefix("http://")
    named = {"key_id": "sandbox-key-id", "key": far.keys.sms_key} | changed
    return query, signed("QuerySendDetails", query, host, **named)


def code_of(answer: Answer) -> str:
    said = json.loads(answer.body)
    return said["Code"] if "Code" in said else said["Response"].get("Error", {}).get("Code", "")


def test_alibabas_far_side_believes_nobody_else(far: Outside) -> None:
    query, good = a_question(far)
    old = f"{utc_now() - timedelta(minutes=16):%Y-%m-%dT%H:%M:%SZ}"
    stale, foreign, wrong = (a_question(far, **c)[1] for c in ({"date": old}, {"key_id": "x"}, {"key": "x" * 32}))
    loose = good | {"x-acs-extra": "1"}
    nobody = {name: value for name, value in a_question(far)[1].items() if name != "Authorization"}

    assert code_of(asked_of_aliyun(far, query=query, headers=good)) == "OK"
    assert code_of(asked_of_aliyun(far, query=query, headers=good)) == "SignatureNonceUsed"
    fresh = a_question(far)[1]
    assert code_of(asked_of_aliyun(far, query=query.replace("20211105", "20211106"), headers=fresh)) == (
        "SignatureDoesNotMatch"
    )
    for headers, code in (
        (stale, "InvalidTimeStamp.Expired"),
        (foreign, "InvalidAccessKeyId.NotFound"),
        (wrong, "SignatureDoesNotMatch"),
        (loose, "SignatureDoesNotMatch"),
        (nobody, "MissingSecurityToken"),
    ):
        assert code_of(asked_of_aliyun(far, query=query, headers=headers)) == code


@pytest.mark.parametrize(
    ("spoil", "code"),
    [
        ("", ""),
        ("body", "AuthFailure.SignatureFailure"),
        ("signature", "AuthFailure.SignatureFailure"),
        ("names", "AuthFailure.SignatureFailure"),
        ("key_id", "AuthFailure.SecretIdNotFound"),
        ("time", "AuthFailure.SignatureExpire"),
        ("day", "AuthFailure.SignatureFailure"),
        ("nothing", "AuthFailure.InvalidAuthorization"),
    ],
)
def test_tencents_far_side_believes_nobody_else(far: Outside, spoil: str, code: str) -> None:
    at = int(utc_now().timestamp()) - (400 if spoil == "time" else 0)
    day = "2019-02-25" if spoil == "day" else f"{datetime.fromtimestamp(at, UTC):%Y-%m-%d}"
    body = json.dumps({"TemplateIdSet": [], "International": 0}).encode()
    names = "host" if spoil == "names" else "content-type;host"
    headers = {"content-type": "application/json", "host": far.url.removeprefix("http://"), "x-tc-timestamp": str(at)}
    made = far_tencent.signature(headers, names, body, date=day, service="sms", key=far.keys.sms_key)
    made = made[::-1] if spoil == "signature" else made
    who = "x" if spoil == "key_id" else "sandbox-key-id"
    proof = f"TC3-HMAC-SHA256 Credential={who}/{day}/sms/tc3_request, SignedHeaders={names}, Signature={made}"
    action = {"X-TC-Action": "DescribeSmsTemplateList", "X-TC-Version": "2021-01-11", "X-TC-Region": "ap-guangzhou"}
    sent = headers | action | ({} if spoil == "nothing" else {"Authorization": proof})

    said = far.door.send("POST", f"{far.url}/", headers=sent, body=body + (b" " if spoil == "body" else b""))

    assert code_of(said) == code


def test_each_question_of_ours_has_a_nonce_of_its_own(far: Outside) -> None:
    approve(far, "aliyun")
    channel = connected(far, "aliyun")

    for _ in range(3):
        assert channel.receipts(PHONE, since=utc_now()) is not None
