"""The official account's side of WeChat: whose phone a page is on, and a silent or odd far side."""

import json
import traceback
from urllib.parse import parse_qs, urlsplit

import pytest

from notifications.channels import account as module
from notifications.channels.account import BadUserCode, OfficialAccount, UserSilent
from tests.notifications.test_wechat import odd_side
from tests.outside import Outside

SECRET = "s3cr3t-of-the-official-account-0"
ANDROID = "Mozilla/5.0 (Linux; Android 12) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/99 Mobile Safari/537.36"
WECHAT = f"{ANDROID} MicroMessenger/8.0.40"
BACK = "http://127.0.0.1:9/wechat/back"


@pytest.fixture
def ours(far: Outside) -> OfficialAccount:
    return OfficialAccount(far.keys.account_appid, far.keys.account_secret, far.url, far.url)


def sent(far: Outside, page: str, agent: str = WECHAT):
    return far.door.send("GET", page.partition("#")[0], headers={"User-Agent": agent})


def test_a_page_inside_wechat_comes_back_with_a_code_that_stands_for_somebody(far, ours):
    went = sent(far, ours.page(BACK, "5ad0")).headers["location"]
    brought = parse_qs(urlsplit(went).query)

    assert went.startswith(f"{BACK}?") and brought["state"] == ["5ad0"]
    known = ours.openid(brought["code"][0])
    assert known == ours.openid(far.post("/phone/account-code", {"phone": "1"})["code"])
    assert known != far.post("/phone/login-code", {"phone": "1"})["openid"], "another one under another app"


def test_their_page_opens_in_wechat_alone_and_leads_to_registered_pages_alone(far, ours):
    page = ours.page(BACK, "5ad0")
    astray = ours.page("https://elsewhere.example.org/", "5ad0")
    mixed = page.replace("response_type=code&scope=snsapi_base", "scope=snsapi_base&response_type=code")

    said = [sent(far, page, ANDROID), sent(far, astray), sent(far, mixed)]

    assert [answer.status for answer in said] == [200] * 3
    words = ("请在微信客户端打开链接", "redirect_uri 参数错误", "该链接无法访问")
    assert [told in answer.body.decode() for told, answer in zip(words, said, strict=True)] == [True] * 3


def test_a_code_counts_once(far, ours):
    code = far.post("/phone/account-code", {})["code"]
    ours.openid(code)

    for spent in (code, "0" * 32):
        with pytest.raises(BadUserCode):
            ours.openid(spent)


@pytest.mark.parametrize("spoilt", [{"appid": "wx0000000000000000"}, {"secret": "0" * 32}])
def test_what_only_we_can_put_right_wakes_somebody(far, ours, spoilt):
    heard = []
    words = vars(ours) | {"alert": lambda what, **named: heard.append((what, named["code"]))} | spoilt
    code = far.post("/phone/account-code", {})["code"]

    with pytest.raises(UserSilent):
        OfficialAccount(**words).openid(code)

    assert [what for what, _ in heard] == ["wechat_refuses_us"]


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (200, b"<html>busy</html>"),
        (200, b"[]"),
        (200, b'{"access_token":"a"}'),
        (200, json.dumps(dict.fromkeys(("access_token", "openid", "refresh_token", "expires_in"), "")).encode()),
        (502, b""),
        (302, b""),
    ],
)
def test_an_odd_answer_is_silence_and_tells_no_secret(status, body):
    with odd_side(lambda _path: (status, body)) as (url, asked), pytest.raises(UserSilent) as silent:
        OfficialAccount("wx0000000000000002", SECRET, url, url).openid("code")

    assert len(asked) == 1 and SECRET in asked[0]
    told = "".join(traceback.format_exception(silent.value))
    assert SECRET not in told and SECRET not in repr(OfficialAccount("wx", SECRET, "", ""))


def test_nobody_waits_for_whoever_says_nothing(far, ours, monkeypatch):
    monkeypatch.setattr(module, "TIME_OUT_S", (1, 0.2))
    far.post("/faults", {"kind": "silent", "on": "oauth", "seconds": 0.6})

    with pytest.raises(UserSilent):
        ours.openid(far.post("/phone/account-code", {})["code"])
