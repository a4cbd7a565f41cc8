"""The mini-program's side of WeChat, by wechatpy: login codes and subscribe messages. Read when somebody first
speaks to WeChat: few processes do, and the library is a large one.

wechatpy is held back where it was found wanting: it never refreshes by itself (it would recurse), always has a
time-out, takes the stable token (which many processes may ask for without ending each other's), and can be pointed
at another address. Its exceptions hold the request, and with it secrets: they never leave this file.
"""

import time
from collections.abc import Callable, Mapping

import requests
from wechatpy import WeChatClient
from wechatpy.client.api import WeChatWxa
from wechatpy.exceptions import WeChatClientException

from core.errors import BadInput
from notifications.channels import ChannelSilent, NotReachable

TIME_OUT_S = (3, 8)
FIRST_PAGE = "pages/due/due"
_TOKEN_ENDED = frozenset({40001, 40014, 42001})
SPENT = frozenset({40029, 40163})  # a code: not one of theirs or too old, used before
# Ours to put right, and every call ends so until then: app, secret, address not allowed, permission, quota of a day.
OURS = frozenset({40013, 40125, 40164, 40166, 41002, 41004, 45009, 48001, 50002, 61024})
_NEVER = frozenset({43101, 40003, 40037, 41030, 47003})  # no consent left, or a message that can never go out


class BadLoginCode(BadInput):
    """WeChat does not take this login code: used, too old, or not its own."""

    status = 401
    text = "微信登录失效了，请退出小程序再进来。"


class LoginSilent(ChannelSilent):
    """WeChat could not say who somebody is; his code may be good."""

    text = "微信暂时没有回答，请过一会儿再进来。"


class ProgramSilent(ChannelSilent):
    """WeChat gave no link into the mini-program."""

    text = "现在打不开微信小程序，没有扣钱。请换一种付款方式。"


class _Wxa(WeChatWxa):
    API_BASE_URL = ""  # the client's own, below


class MiniProgram(WeChatClient):
    """The calls of one mini-program. `base_url` without a trailing slash."""

    wxa = _Wxa()

    def __init__(
        self, appid: str, secret: str, base_url: str, *, alert: Callable[..., None] = lambda *_a, **_k: None
    ) -> None:
        self.API_BASE_URL = f"{base_url}/"
        self._alert = alert
        super().__init__(appid, secret, timeout=TIME_OUT_S, auto_retry=False)

    def fetch_access_token(self) -> Mapping[str, object]:
        """The stable token: the same for everybody until its last five minutes."""
        answer = self._http.post(
            f"{self.API_BASE_URL}cgi-bin/stable_token",
            json={"grant_type": "client_credential", "appid": self.appid, "secret": self.secret},
            timeout=TIME_OUT_S,
        )
        answer.raise_for_status()
        token = answer.json()
        if not isinstance(token, dict) or "access_token" not in token:
            code = token.get("errcode") if isinstance(token, dict) else None
            raise WeChatClientException(code, "no token", client=self)
        self.session.set(self.access_token_key, token["access_token"], token["expires_in"])
        self.expires_at = int(time.time()) + int(token["expires_in"])
        return token

    def login(self, code: str) -> str:
        """A login code → openid; no token needed. BadLoginCode if the code is at fault, else LoginSilent."""
        words = {"appid": self.appid, "secret": self.secret, "js_code": code, "grant_type": "authorization_code"}
        try:
            # access_token is named so that wechatpy does not fetch one for a call that needs none
            session = self.get("sns/jscode2session", params=words | {"access_token": ""})
        except WeChatClientException as refused:
            if refused.errcode in SPENT:
                raise BadLoginCode(str(refused.errcode)) from None
            self._look(refused)
            raise LoginSilent(str(refused.errcode)) from None
        except requests.RequestException as silent:
            raise LoginSilent(type(silent).__name__) from None
        return _said(session, "openid")

    def subscribe(self, openid: str, template: str, values: Mapping[str, str]) -> None:
        """One subscribe message. ChannelSilent, NotReachable."""
        data = {name: {"value": value} for name, value in values.items()}
        try:
            self._asked(lambda: self.wxa.send_subscribe_message(openid, template, data), "errcode")
        except WeChatClientException as refused:
            if refused.errcode in _NEVER:
                raise NotReachable(str(refused.errcode)) from None
            self._look(refused)
            raise ChannelSilent(str(refused.errcode)) from None
        except requests.RequestException as silent:
            raise ChannelSilent(type(silent).__name__) from None

    def link(self) -> str:
        """An address that opens the mini-program at its first page, from a page in WeChat too; it lives a day, and
        nothing of anybody is in it. ProgramSilent. Manual: generateUrlLink."""
        wanted = {"path": FIRST_PAGE, "expire_type": 1, "expire_interval": 1}
        try:
            return self._asked(lambda: self.post("wxa/generate_urllink", data=wanted), "url_link")
        except WeChatClientException as refused:
            self._look(refused)
            raise ProgramSilent(str(refused.errcode)) from None
        except (requests.RequestException, ChannelSilent) as silent:
            raise ProgramSilent(type(silent).__name__) from None

    def _asked(self, ask: Callable[[], object], name: str) -> str:
        """What the answer says under a name; a token that ended is fetched once, and the call repeated once."""
        try:
            return _said(ask(), name)
        except WeChatClientException as refused:
            if refused.errcode not in _TOKEN_ENDED:
                raise
        self.session.delete(self.access_token_key)
        return _said(ask(), name)

    def _look(self, refused: WeChatClientException) -> None:
        """What only we can put right wakes somebody: it would stop everybody."""
        if refused.errcode in OURS:
            self._alert("wechat_refuses_us", code=refused.errcode)


def _said(answer: object, name: str) -> str:
    """A value that every good answer holds; wechatpy hands on whatever came, a page of HTML too."""
    if not isinstance(answer, dict) or name not in answer:
        raise ChannelSilent("an answer nobody understands")
    return str(answer[name])
