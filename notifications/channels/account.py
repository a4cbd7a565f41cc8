"""The official account's side of WeChat, by wechatpy: whose phone a page inside WeChat is on, asked without a word.

As with the mini-program wechatpy is held back: it always has a time-out, follows no redirect, can be pointed at another
address, and its exceptions, which hold the request and with it secrets, never leave this file.
Manual: 微信公众平台, 网页授权 (scope snsapi_base; state [0-9A-Za-z], 128 at most; a code once and for five minutes).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import requests
from wechatpy.exceptions import WeChatOAuthException
from wechatpy.oauth import WeChatOAuth

from core.errors import BadInput
from notifications.channels import ChannelSilent
from notifications.channels.wechat import OURS, SPENT, TIME_OUT_S


class BadUserCode(BadInput):
    """WeChat does not take the code a page came back with: used, too old, or not its own."""

    text = "微信没有认出您，没有扣钱。请返回再点一次，或者换一种付款方式。"


class UserSilent(ChannelSilent):
    """WeChat could not say whose phone it is."""

    text = "微信暂时没有回答，没有扣钱。请过一会儿再点，或者换一种付款方式。"


class _OAuth(WeChatOAuth):
    def _request(self, method: str, url_or_endpoint: str, **named: Any) -> Any:
        return super()._request(method, url_or_endpoint, timeout=TIME_OUT_S, allow_redirects=False, **named)


@dataclass(frozen=True, repr=False)
class OfficialAccount:
    """One official account. `base_url` and `open_url`, where its API and its pages are, without a trailing slash."""

    appid: str
    secret: str
    base_url: str
    open_url: str
    alert: Callable[..., None] = field(default=lambda *_a, **_k: None)

    def page(self, back: str, state: str) -> str:
        """Where the browser is sent to; it comes to `back` with a code and this state."""
        return str(self._oauth(back, state).authorize_url)

    def openid(self, code: str) -> str:
        """A code → the openid under this account. BadUserCode if the code is at fault, else UserSilent."""
        try:
            told = self._oauth("", "").fetch_access_token(code)
        except WeChatOAuthException as refused:
            if refused.errcode in SPENT:
                raise BadUserCode(str(refused.errcode)) from None
            if refused.errcode in OURS:
                self.alert("wechat_refuses_us", code=refused.errcode)
            raise UserSilent(str(refused.errcode)) from None
        except (requests.RequestException, KeyError, TypeError, ValueError) as silent:
            raise UserSilent(type(silent).__name__) from None
        openid = told.get("openid") if isinstance(told, Mapping) else None
        if not isinstance(openid, str) or not openid:
            raise UserSilent("an answer nobody understands")
        return openid

    def _oauth(self, back: str, state: str) -> WeChatOAuth:
        """One for each use: it keeps what it was told."""
        made = _OAuth(self.appid, self.secret, back, state=state)
        made.API_BASE_URL, made.OAUTH_BASE_URL = f"{self.base_url}/", f"{self.open_url}/connect/"
        return made
