"""The mini-program's server side and the text-message provider of the sandbox."""

from itertools import count

import pytest

from payments.sandbox.miniprogram import VALUES

names = (f"phone-{n}" for n in count(1))
TEMPLATE = "T" * 43


@pytest.fixture
def token(sandbox):
    return stable_token(sandbox)["access_token"]


def stable_token(sandbox, **changed):
    asked = {"grant_type": "client_credential", "appid": sandbox.keys.appid, "secret": sandbox.keys.app_secret}
    return sandbox.post("/cgi-bin/stable_token", asked | changed)


def session(sandbox, code, **changed):
    asked = {"appid": sandbox.keys.appid, "secret": sandbox.keys.app_secret, "js_code": code} | changed
    query = "&".join(f"{name}={value}" for name, value in asked.items())
    return sandbox.get(f"/sns/jscode2session?{query}&grant_type=authorization_code")


def send(sandbox, token, openid, **values):
    data = {name: {"value": value} for name, value in values.items()}
    wanted = {"touser": openid, "template_id": TEMPLATE, "data": data}
    return sandbox.post(f"/cgi-bin/message/subscribe/send?access_token={token}", wanted)["errcode"]


def test_a_login_code_becomes_an_openid_once(sandbox):
    made = sandbox.post("/phone/login-code", {"phone": "village"})

    assert session(sandbox, made["code"])["openid"] == made["openid"]
    assert session(sandbox, made["code"])["errcode"] == 40163
    assert session(sandbox, "invented")["errcode"] == 40029
    assert session(sandbox, made["code"], secret="guess")["errcode"] == 40125
    assert sandbox.post("/phone/login-code", {"phone": "village"})["openid"] == made["openid"]


def test_the_stable_token_stays_the_same_until_it_is_forced(sandbox, token):
    assert stable_token(sandbox)["access_token"] == token
    fresh = stable_token(sandbox, force_refresh=True)["access_token"]

    assert fresh != token
    assert send(sandbox, token, "o" * 28, thing1="x") == 40001
    assert stable_token(sandbox, secret="guess")["errcode"] == 40125


def test_one_consent_carries_one_message(sandbox, token):
    openid = sandbox.post("/phone/login-code", {"phone": next(names)})["openid"]

    assert send(sandbox, token, openid, thing1="缴费成功") == 43101
    sandbox.post("/phone/consent", {"openid": openid, "template_id": TEMPLATE})
    assert send(sandbox, token, openid, thing1="缴费成功", amount2="320.00元") == 0
    assert send(sandbox, token, openid, thing1="缴费成功") == 43101
    [message] = [one for one in sandbox.get("/messages?channel=wechat")["messages"] if one["to"] == openid]
    assert message["values"] == {"thing1": "缴费成功", "amount2": "320.00元"}


def test_a_value_beyond_its_type_uses_up_no_consent(sandbox, token):
    openid = sandbox.post("/phone/login-code", {"phone": next(names)})["openid"]
    sandbox.post("/phone/consent", {"openid": openid, "template_id": TEMPLATE})

    assert send(sandbox, token, openid, thing1="长" * 21) == 47003
    assert send(sandbox, token, openid) == 47003
    assert send(sandbox, token, openid, thing1="长" * 20) == 0


@pytest.mark.parametrize(
    ("kind", "good", "bad"),
    [
        ("thing", "峄城区居民医保", "两\n行"),
        ("number", "12.50", "12,5"),
        ("letter", "ABC", "AB1"),
        ("symbol", "++", "a"),
        ("character_string", "YB-2022_01", "编号"),
        ("time", "2021年11月5日 08:00", "2021-11-05 08:00"),
        ("time", "08:00", "8点"),
        ("date", "2021年12月20日", "12/20"),
        ("amount", "¥320.00", "320.00000000"),
        ("amount", "320元", "三百元"),
        ("phone_number", "0632-1234567", "电话"),
        ("car_number", "鲁D12345", "d-12345678"),
        ("name", "张*三", "一二三四五六七八九十一"),
        ("name", "Zhang San", "Zhang San Zhang San Zh"),
        ("phrase", "已缴费", "已经缴费了吗"),
    ],
)
def test_each_type_of_value_keeps_its_documented_limits(kind, good, bad):
    assert VALUES[kind].fullmatch(good)
    assert not VALUES[kind].fullmatch(bad)


def test_a_text_message_is_sent_once_per_key(sandbox):
    wanted = {"to": "13800000000", "text": "【两险通】已缴费，校验码 1234", "key": next(names)}
    key = {"X_Api_Key": sandbox.keys.sms_key}

    first = sandbox.post("/sms/send", wanted, **key)

    assert sandbox.post("/sms/send", wanted, **key) == first
    assert sandbox.raw_post("/sms/send", wanted | {"text": "别的"}, **key).status == 409
    assert sandbox.raw_post("/sms/send", wanted, X_Api_Key="guess").status == 401
    assert sandbox.raw_post("/sms/send", wanted | {"to": "12345", "key": "k"}, **key).status == 422
    kept = [one for one in sandbox.get("/messages?channel=sms")["messages"] if one["key"] == wanted["key"]]
    assert [one["id"] for one in kept] == [first["id"]]
