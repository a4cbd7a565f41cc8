"""The official account's far side: silent authorisation of a page inside WeChat, and who a code stands for.

Manual: 微信公众平台, 网页授权. The registered domain is whoever asks from this machine.
"""

import re
import time
from typing import Any
from urllib.parse import urlencode, urlsplit

from flask import Blueprint, Response, make_response, redirect, render_template, request

from payments.sandbox.miniprogram import openid_under
from payments.sandbox.signing import random_digits, random_text
from payments.sandbox.world import World, world

bp = Blueprint("account", __name__)

_CODE_LIVES_S = 300
_ASKED = re.compile(  # looked at as one text: another order of the fields is refused
    r"appid=(wx\w{16})&redirect_uri=([^&]+)&response_type=code&scope=snsapi_(?:base|userinfo)(?:&state=([0-9A-Za-z]{1,128}))?"
)


@bp.get("/connect/oauth2/authorize")
def authorize() -> Response:
    """On to the page that asks, with a code; only in WeChat, and only to a registered page."""
    here, asked = world(), _ASKED.fullmatch(request.query_string.decode())
    if "MicroMessenger" not in request.user_agent.string:
        return _page("请在微信客户端打开链接")
    if asked is None or asked[1] != here.keys.account_appid:
        return _page("该链接无法访问")
    back, state = request.args["redirect_uri"], request.args.get("state", "")
    if urlsplit(back).hostname not in ("127.0.0.1", "localhost") or urlsplit(back).fragment:
        return _page("redirect_uri 参数错误")
    joined = "&" if urlsplit(back).query else "?"
    return make_response(redirect(f"{back}{joined}{urlencode({'code': _code(here, '1'), 'state': state})}", 302))


@bp.post("/phone/account-code")
def account_code() -> dict[str, Any]:
    """The code such a page would be given: {"phone": any name} → {"code"}; the same phone is always the same openid."""
    return {"code": _code(world(), str((request.get_json(silent=True) or {}).get("phone", "1")))}


@bp.get("/sns/oauth2/access_token")
def access_token() -> dict[str, Any]:
    """A code, once and within five minutes, becomes the person's openid under this account."""
    here, asked = world(), request.args
    if silent := here.faults.take("silent", "", on="oauth"):
        time.sleep(silent.get("seconds", 12))
    if here.faults.take("error", "", on="oauth"):
        return _no(-1, "system error")
    if asked.get("appid") != here.keys.account_appid:
        return _no(40013, "invalid appid")
    if asked.get("secret") != here.keys.account_secret:
        return _no(40125, "invalid appsecret")
    with here.shelf.lock:
        code = here.shelf.get("account_code", asked.get("code", ""))
        if code is None or time.time() - code["made_at"] > _CODE_LIVES_S or asked.get("grant_type") is None:
            return _no(40029, "invalid code")
        if code["used"]:
            return _no(40163, "code been used")
        here.shelf.put("account_code", asked["code"], {**code, "used": True})
    other = here.faults.take("other_openid", "", on="oauth")
    openid = openid_under(here, here.keys.appid if other else here.keys.account_appid, code["phone"])
    tokens = {"access_token": random_text(90), "expires_in": 7200, "refresh_token": random_text(90)}
    return tokens | {"openid": openid, "scope": "snsapi_base"}


def _code(here: World, phone: str) -> str:
    code = f"0{random_text(31)}"
    here.shelf.put("account_code", code, {"phone": phone, "made_at": time.time(), "used": False})
    return code


def _page(words: str) -> Response:
    return make_response(render_template("phone.html", title="微信", problem=words), 200)


def _no(code: int, words: str) -> dict[str, Any]:
    return {"errcode": code, "errmsg": f"{words} rid: {random_digits(8)}"}
