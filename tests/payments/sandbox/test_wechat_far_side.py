"""The far side is as strict as the real one: what it refuses, how it repeats itself, what it remembers."""

import base64
import json
from datetime import timedelta
from itertools import count

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from core.clock import beijing, utc_now
from payments.sandbox.keys import make_keys
from payments.sandbox.wechat.routes import WeChatSide
from tests.builders import an_order
from tests.outside import NOBODY, outside
from tests.payments.sandbox.signed import ask

NATIVE = "/v3/pay/transactions/native"
JSAPI = "/v3/pay/transactions/jsapi"
numbers = (f"S{n:015d}" for n in count(1))


def wanted(sandbox, **changed):
    return {
        "appid": sandbox.keys.appid,
        "mchid": sandbox.keys.mchid,
        "description": "居民养老 2022 年度",
        "out_trade_no": next(numbers),
        "time_expire": beijing(utc_now() + timedelta(minutes=15)).isoformat(timespec="seconds"),
        "notify_url": NOBODY,
        "amount": {"total": 30000, "currency": "CNY"},
        **changed,
    }


def test_a_well_signed_order_is_taken_and_the_answer_is_signed_in_the_mode_asked_for(sandbox):
    status, said, headers = ask(sandbox, "POST", NATIVE, wanted(sandbox))
    _, _, older = ask(sandbox, "POST", NATIVE, wanted(sandbox), drop=("Wechatpay-Serial",))

    assert status == 200 and said["code_url"].startswith("weixin://")
    assert headers["wechatpay-serial"] == sandbox.keys.pub_key_id
    assert older["wechatpay-serial"] == sandbox.keys.certificate_serial


@pytest.mark.parametrize(
    "spoiled",
    [
        {"auth": {"mchid": "1900000000"}},
        {"auth": {"serial_no": "0" * 40}},
        {"auth": {"timestamp": "1600000000"}},
        {"auth": {"timestamp": "now"}},
        {"auth": {"signature": "bm90aGluZw=="}},
        {"signed_path": "/v3/pay/transactions/jsapi"},
        {"signed_body": b""},
        {"drop": ("Authorization",)},
        {"Authorization": "Bearer x"},
    ],
    ids=str,
)
def test_whoever_does_not_prove_to_be_the_merchant_is_refused(sandbox, spoiled):
    status, said, _ = ask(sandbox, "POST", NATIVE, wanted(sandbox), **spoiled)

    assert (status, said["code"]) == (401, "SIGN_ERROR")


def test_a_serial_without_its_leading_zero_is_refused(sandbox):
    assert sandbox.keys.merchant_serial.startswith("0")

    auth = {"serial_no": sandbox.keys.merchant_serial.lstrip("0")}

    assert ask(sandbox, "POST", NATIVE, wanted(sandbox), auth=auth)[0] == 401


def test_a_sign_error_shows_the_text_that_was_expected(sandbox):
    _, said, _ = ask(sandbox, "GET", "/v3/certificates?a=1", signed_path="/v3/certificates")

    assert said["detail"]["sign_information"]["url"] == "/v3/certificates?a=1"


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Accept": "text/html"}, 406),
        ({"Content_Type": "text/plain"}, 415),
        ({"Wechatpay_Serial": "PUB_KEY_ID_0"}, 400),
    ],
)
def test_a_request_with_odd_headers_is_refused(sandbox, headers, status):
    assert ask(sandbox, "POST", NATIVE, wanted(sandbox), **headers)[0] == status


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"description": "长" * 128}, "PARAM_ERROR"),
        ({"description": None}, "PARAM_ERROR"),
        ({"out_trade_no": "short"}, "PARAM_ERROR"),
        ({"out_trade_no": "has space 1"}, "PARAM_ERROR"),
        ({"time_expire": "2021-11-05 08:00:00"}, "PARAM_ERROR"),
        ({"time_expire": "2021-13-05T08:00:00+08:00"}, "PARAM_ERROR"),
        ({"notify_url": "https://pay.invalid/x?y=1"}, "PARAM_ERROR"),
        ({"notify_url": "http://pay.invalid/x"}, "PARAM_ERROR"),
        ({"amount": {"total": 0}}, "PARAM_ERROR"),
        ({"amount": {"total": True}}, "PARAM_ERROR"),
        ({"amount": {"total": 300.0}}, "PARAM_ERROR"),
        ({"amount": {"total": 1, "currency": "USD"}}, "PARAM_ERROR"),
        ({"appid": "wx0000000000000000"}, "APPID_MCHID_NOT_MATCH"),
        ({"mchid": "1900000000"}, "MCH_NOT_EXISTS"),
    ],
    ids=str,
)
def test_an_order_beyond_its_limits_is_refused(sandbox, changed, code):
    status, said, _ = ask(sandbox, "POST", NATIVE, wanted(sandbox, **changed))

    assert (status, said["code"]) == (400, code)


def test_an_order_in_the_mini_program_needs_its_payer(sandbox):
    assert ask(sandbox, "POST", JSAPI, wanted(sandbox))[1]["code"] == "PARAM_ERROR"
    status, said, _ = ask(sandbox, "POST", JSAPI, wanted(sandbox, payer={"openid": "o" + "A" * 27}))

    assert status == 200
    other = sandbox.raw_post("/phone/pay", {"prepay_id": said["prepay_id"], "openid": "o" + "B" * 27})
    assert (other.status, json.loads(other.body)["code"]) == (409, "OPENID_MISMATCH")


def test_a_repeated_order_with_another_last_moment_is_another_order(sandbox):
    first = wanted(sandbox)
    ask(sandbox, "POST", NATIVE, first)

    later = first | {"time_expire": beijing(utc_now() + timedelta(minutes=20)).isoformat(timespec="seconds")}
    status, said, _ = ask(sandbox, "POST", NATIVE, later)

    assert (status, said["code"], said["message"][:3]) == (400, "INVALID_REQUEST", "201")


def test_a_last_moment_in_the_past_leaves_one_minute(sandbox):
    past = beijing(utc_now() - timedelta(days=1)).isoformat(timespec="seconds")

    code = ask(sandbox, "POST", NATIVE, wanted(sandbox, time_expire=past))[1]["code_url"]

    assert "确认支付" in sandbox.phone(code)
    sandbox.post("/clock", {"offset_seconds": 61})
    assert json.loads(sandbox.pay(code).body)["code"] == "ORDER_EXPIRED"


def test_a_code_lives_two_hours_and_a_fresh_one_is_asked_for(sandbox):
    late = wanted(sandbox, time_expire=beijing(utc_now() + timedelta(days=1)).isoformat(timespec="seconds"))
    code = ask(sandbox, "POST", NATIVE, late)[1]["code_url"]

    sandbox.post("/clock", {"offset_seconds": 7300})
    fresh = ask(sandbox, "POST", NATIVE, late)[1]["code_url"]

    assert json.loads(sandbox.pay(code).body)["code"] == "CODE_EXPIRED"
    assert sandbox.pay(fresh).status == 200


def test_a_trade_is_found_by_the_far_sides_number_too(sandbox):
    order = wanted(sandbox)
    sandbox.pay(ask(sandbox, "POST", NATIVE, order)[1]["code_url"])
    [trade] = sandbox.paid(order["out_trade_no"])

    path = f"/v3/pay/transactions/id/{trade['reference']}?mchid={sandbox.keys.mchid}"

    assert ask(sandbox, "GET", path)[1]["out_trade_no"] == order["out_trade_no"]
    assert ask(sandbox, "GET", path.replace(sandbox.keys.mchid, "1"))[0] == 400


def test_the_older_certificate_opens_with_the_resource_key(sandbox):
    _, said, _ = ask(sandbox, "GET", "/v3/certificates")

    [entry] = said["data"]
    sealed = entry["encrypt_certificate"]
    cipher = AESGCM(sandbox.keys.api_v3_key.encode())
    clear = cipher.decrypt(sealed["nonce"].encode(), base64.b64decode(sealed["ciphertext"]), b"certificate")
    assert clear.decode() == sandbox.keys.certificate
    assert entry["serial_no"] == sandbox.keys.certificate_serial


def test_the_phone_shows_what_is_asked_and_pays_it_in_chinese(sandbox):
    code = ask(sandbox, "POST", NATIVE, wanted(sandbox))[1]["code_url"]

    page = sandbox.phone(code)
    confirm = sandbox.door.send(
        "POST",
        f"{sandbox.url}/phone",
        headers={"Content-Type": "application/x-www-form-urlencoded"},
        body=f"code={code.replace('?', '%3F').replace('=', '%3D')}&decision=pay".encode(),
    )

    assert all(words in page for words in ("两险缴费（沙盒）", "居民养老 2022 年度", "300.00 元", "确认支付", "取消"))
    assert "支付成功" in confirm.body.decode()
    assert "已经付过了" in sandbox.phone(code)
    assert "没有找到" in sandbox.phone("weixin://wxpay/bizpayurl?pr=nothing")


def test_many_copies_of_a_callback_may_come_at_once(sandbox, merchant):
    order = wanted(sandbox, notify_url=merchant.url)
    sandbox.fault("callback_duplicate", order["out_trade_no"], times=6)

    sandbox.pay(ask(sandbox, "POST", NATIVE, order)[1]["code_url"])

    ids = {json.loads(body)["id"] for _, body in merchant.wait(6)}
    assert len(ids) == 1


def test_a_lost_callback_comes_with_the_next_retry(sandbox, merchant):
    order = wanted(sandbox, notify_url=merchant.url)
    sandbox.fault("callback_drop", order["out_trade_no"], count=2)

    sandbox.pay(ask(sandbox, "POST", NATIVE, order)[1]["code_url"])

    merchant.wait(1)
    assert sandbox.callback_statuses(order["out_trade_no"], 3) == [0, 0, 204]


def test_callbacks_are_repeated_at_the_documented_times_for_a_day():
    assert len(WeChatSide.retry_after_s) == 15
    assert sum(WeChatSide.retry_after_s) == 24 * 3600 + 4 * 60


def test_a_fault_nobody_knows_is_refused(sandbox):
    assert sandbox.raw_post("/faults", {"kind": "earthquake"}).status == 400


def test_the_outside_world_remembers_over_a_restart_and_tells_what_was_not_heard(tmp_path, merchant):
    with outside(tmp_path) as before:
        wechat = before.wechat(merchant.url)
        before.fault("callback_drop")
        before.post("/settings", {"notify_factor": 1000})
        code = wechat.start(an_order("R000000000000001", amount=100)).code_url
        before.pay(code)
        keys = before.keys

    with outside(tmp_path) as after:
        merchant.wait(1)
        assert [trade["number"] for trade in after.get("/trades")["trades"]] == ["R000000000000001"]
        assert after.keys == keys


def test_keys_are_made_once_and_are_their_owners_alone(tmp_path):
    first = make_keys(tmp_path / "keys")

    again = make_keys(tmp_path / "keys")

    assert first == again
    assert {file.stat().st_mode & 0o777 for file in (tmp_path / "keys").iterdir()} == {0o600}
    assert first.merchant_key not in repr(first)
