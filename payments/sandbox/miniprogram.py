"""The mini-program's far side: login codes, the stable token, subscribe messages. Errors come with HTTP 200."""

import hashlib
import re
import time
from base64 import urlsafe_b64encode
from typing import Any

from flask import Blueprint, render_template, request

from payments.sandbox.signing import random_digits, random_text
from payments.sandbox.world import World, world

bp = Blueprint("miniprogram", __name__)

_CODE_LIVES_S = 300
_TOKEN_LIVES_S = 7200
_KEY = re.compile(r"([a-z_]+?)([0-9]{1,3})")
_CHINESE = "\u4e00-\u9fff"
_DAY = "[0-9]{4}年[0-9]{1,2}月[0-9]{1,2}日"
_TIME = "[0-9]{1,2}:[0-9]{2}(:[0-9]{2})?"
VALUES = {  # what each type of a subscribe message's value may hold
    "thing": re.compile(r"[^\n\r]{1,20}"),
    "number": re.compile(r"[0-9]{1,32}|(?=.{1,32}$)[0-9]+\.[0-9]+"),
    "letter": re.compile(r"[A-Za-z]{1,32}"),
    "symbol": re.compile(r"[^\w\s]{1,5}"),
    "character_string": re.compile(r"[!-~ ]{1,32}"),
    "time": re.compile(rf"({_DAY} )?{_TIME}(~({_DAY} )?{_TIME})?"),
    "date": re.compile(rf"{_DAY}( {_TIME})?(~{_DAY}( {_TIME})?)?"),
    "amount": re.compile(r"[¥￥$]?(?=[0-9.]{1,10}元?$)[0-9]+(\.[0-9]+)?元?"),
    "phone_number": re.compile(r"[0-9+\-]{1,17}"),
    "car_number": re.compile(rf"[0-9A-Z{_CHINESE}]{{1,8}}"),
    "name": re.compile(rf"[{_CHINESE}·*]{{1,10}}|[A-Za-z .*]{{1,20}}"),
    "phrase": re.compile(rf"[{_CHINESE}]{{1,5}}"),
    "enum": re.compile(r".{1,20}"),
}


@bp.get("/sns/jscode2session")
def code_to_session() -> dict[str, Any]:
    """A login code, once and within five minutes, becomes the person's openid under this app."""
    here = world()
    asked = request.args
    if asked.get("appid") != here.keys.appid:
        return _no(40013, "invalid appid")
    if asked.get("secret") != here.keys.app_secret:
        return _no(40125, "invalid appsecret")
    with here.shelf.lock:
        code = here.shelf.get("login", asked.get("js_code", ""))
        if code is None or time.time() - code["made_at"] > _CODE_LIVES_S or asked.get("grant_type") is None:
            return _no(40029, "invalid code")
        if code["used"]:
            return _no(40163, "code been used")
        here.shelf.put("login", code["code"], {**code, "used": True})
    return {"openid": code["openid"], "session_key": random_text(24)}


@bp.post("/phone/login-code")
def login_code() -> dict[str, Any]:
    """What wx.login gives a phone: {"phone": any name} → {"code"}; the same phone is always the same openid."""
    here = world()
    openid = openid_under(here, here.keys.appid, str((request.get_json(silent=True) or {}).get("phone", "1")))
    code = f"0{random_text(31)}"
    here.shelf.put("login", code, {"code": code, "openid": openid, "made_at": time.time(), "used": False})
    return {"code": code, "openid": openid}


def openid_under(here: World, appid: str, name: str) -> str:
    """Whoever has the phone of that name, as one application knows him: another openid under each."""
    digest = hashlib.sha256(f"{appid}/{name}".encode()).digest()
    openid = "o" + urlsafe_b64encode(digest).decode()[:27]
    here.shelf.put("openid", openid, {"appid": appid})
    return openid


@bp.post("/wxa/generate_urllink")
def url_link() -> dict[str, Any]:
    """An address that opens the mini-program, for a day at least and thirty at most."""
    here = world()
    token = here.shelf.get("token_of_app", "current")
    if token is None or token["ends_at"] < time.time() or request.args.get("access_token") != token["token"]:
        return _no(40001, "invalid credential, access_token is invalid or not latest")
    if here.faults.take("error", "", on="urllink"):
        return _no(-1, "system error")
    asked = request.get_json(force=True, silent=True)
    if not isinstance(asked, dict) or asked.get("expire_type") != 1 or asked.get("expire_interval") not in range(1, 31):
        return _no(85401, "time limit between 1min and 1year")
    if not re.fullmatch(r"(pages(/\w+)+)?", str(asked.get("path", ""))) or len(str(asked.get("query", ""))) > 1024:
        return _no(40165, "invalid weapp pagepath")
    link = random_text(12)
    here.shelf.put("url_link", link, {"path": asked.get("path", ""), "query": asked.get("query", "")})
    return {"errcode": 0, "errmsg": "ok", "url_link": f"{request.host_url}urllink/{link}"}


@bp.get("/urllink/<link>")
def open_link(link: str) -> tuple[str, int]:
    """What a phone shows: the mini-program at its page."""
    found = world().shelf.get("url_link", link)
    if found is None:
        return render_template("phone.html", title="链接已失效", problem="这个链接打不开小程序了"), 404
    return render_template("phone.html", title="小程序已打开", problem=f"小程序的页面：{found['path'] or '首页'}"), 200


@bp.post("/cgi-bin/stable_token")
def stable_token() -> dict[str, Any]:
    """The same token until its last five minutes."""
    here = world()
    asked = request.get_json(silent=True) or {}
    if asked.get("appid") != here.keys.appid:
        return _no(40013, "invalid appid")
    if asked.get("secret") != here.keys.app_secret:
        return _no(40125, "invalid appsecret")
    if asked.get("grant_type") != "client_credential":
        return _no(40002, "invalid grant_type")
    with here.shelf.lock:
        token = here.shelf.get("token_of_app", "current")
        now = time.time()
        if asked.get("force_refresh") or token is None or token["ends_at"] - now < _CODE_LIVES_S:
            token = {"token": f"{random_digits(2)}_{random_text(120)}", "ends_at": now + _TOKEN_LIVES_S}
            here.shelf.put("token_of_app", "current", token)
    return {"access_token": token["token"], "expires_in": int(token["ends_at"] - now)}


@bp.post("/phone/consent")
def consent() -> dict[str, Any]:
    """A tap on 允许: {"openid", "template_id", "count": 1}; one consent carries one message."""
    here = world()
    asked = request.get_json(silent=True) or {}
    key = f"{asked.get('openid')}/{asked.get('template_id')}"
    with here.shelf.lock:
        left = (here.shelf.get("consent", key) or {"left": 0})["left"] + int(asked.get("count", 1))
        here.shelf.put("consent", key, {"left": left})
    return {"left": left}


@bp.post("/cgi-bin/message/subscribe/send")
def send() -> dict[str, Any]:
    """One subscribe message, if the token is right, the values keep their limits and a consent is left."""
    here = world()
    token = here.shelf.get("token_of_app", "current")
    if token is None or token["ends_at"] < time.time() or request.args.get("access_token") != token["token"]:
        return _no(40001, "invalid credential, access_token is invalid or not latest")
    if here.faults.take("error", "", on="message"):
        return _no(-1, "system error")
    asked = request.get_json(force=True, silent=True)  # WeChat reads the body as JSON whatever it is called
    return _wrong_with(asked) or _deliver(here, asked)


def _wrong_with(asked: object) -> dict[str, Any] | None:
    if not isinstance(asked, dict):
        return _no(47001, "data format error")
    if not re.fullmatch(r"[0-9A-Za-z_\-]{28}", str(asked.get("touser", ""))):
        return _no(40003, "invalid openid")
    if not re.fullmatch(r"[0-9A-Za-z_\-]{1,64}", str(asked.get("template_id", ""))):
        return _no(40037, "invalid template_id")
    if (wrong := _value_beyond_limits(asked.get("data"))) is not None:
        return _no(47003, f"argument invalid! data.{wrong}.value invalid")
    return None


def _deliver(here: World, asked: dict[str, Any]) -> dict[str, Any]:
    key = f"{asked['touser']}/{asked['template_id']}"
    with here.shelf.lock:
        left = (here.shelf.get("consent", key) or {"left": 0})["left"]
        if left < 1:
            return _no(43101, "user refuse to accept the msg")
        here.shelf.put("consent", key, {"left": left - 1})
        message = {
            "channel": "wechat",
            "id": f"W{random_digits(18)}",
            "to": asked["touser"],
            "template_id": asked["template_id"],
            "page": asked.get("page", ""),
            "values": {name: value["value"] for name, value in asked["data"].items()},
            "delivered_at": here.clock.now().isoformat(),
        }
        here.shelf.put("message", message["id"], message)
    return {"errcode": 0, "errmsg": "ok", "msgid": int(message["id"][1:])}


def _value_beyond_limits(values: object) -> str | None:
    """The name of the first value that breaks the limits of its type."""
    if not isinstance(values, dict) or not values:
        return "?"
    for name, stated in values.items():
        kind = _KEY.fullmatch(name)
        value = stated.get("value") if isinstance(stated, dict) else None
        if kind is None or kind[1] not in VALUES or not isinstance(value, str):
            return name
        if not VALUES[kind[1]].fullmatch(value):
            return name
    return None


def _no(code: int, words: str) -> dict[str, Any]:
    return {"errcode": code, "errmsg": f"{words} rid: {random_text(8).lower()}-{random_text(8).lower()}"}
