"""Is this request well signed and well formed? As strict as the real far side, and as talkative about why not."""

import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from ipaddress import ip_address
from typing import Any

from cryptography.hazmat.primitives.asymmetric import rsa

from payments.sandbox.keys import SandboxKeys
from payments.sandbox.signing import is_signed

_SCHEME = "WECHATPAY2-SHA256-RSA2048"
_MEMBER = re.compile(r'(mchid|nonce_str|timestamp|serial_no|signature)="([^"]+)"')
_NUMBER = re.compile(r"[0-9A-Za-z_\-|*]{6,32}")
_REFUND_NUMBER = re.compile(r"[0-9A-Za-z_\-|*@]{1,64}")
_OPENID = re.compile(r"[0-9A-Za-z_\-]{1,128}")
_NOTIFY_URL = re.compile(r"(https://|http://(127\.0\.0\.1|localhost)(?=[:/]))[^?#\s]+")
_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[+-]\d\d:\d\d", re.ASCII)
_SCENES = frozenset({"iOS", "Android", "Wap"})
_TEXTS = {  # name → longest, needed
    "appid": (32, True),
    "mchid": (32, True),
    "description": (127, True),
    "out_trade_no": (32, True),
    "notify_url": (255, True),
    "time_expire": (64, False),
    "attach": (128, False),
    "goods_tag": (32, False),
}


@dataclass(eq=False)
class ApiError(Exception):
    """A refusal in the far side's words."""

    status: int
    code: str
    message: str
    detail: Any = None

    def document(self) -> dict[str, Any]:
        """The body of the answer."""
        said: dict[str, Any] = {"code": self.code, "message": self.message}
        return said if self.detail is None else {**said, "detail": self.detail}


@dataclass(frozen=True)
class Spoken:
    """A request as it came over the wire: the path with its query exactly as sent."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes


def check_signature(spoken: Spoken, keys: SandboxKeys, merchant_key: rsa.RSAPublicKey) -> None:
    """401 SIGN_ERROR unless the Authorization header proves the merchant; detail echoes the text we signed."""
    scheme, _, rest = spoken.headers.get("Authorization", "").partition(" ")
    found = [_MEMBER.fullmatch(part.strip()) for part in rest.split(",")]
    members = {match[1]: match[2] for match in found if match}
    if scheme != _SCHEME or len(members) != 5 or len(found) != 5:
        raise ApiError(401, "SIGN_ERROR", "Http头Authorization值格式错误，请参考《微信支付商户REST API签名规则》")
    stamp, nonce = members["timestamp"], members["nonce_str"]
    if not re.fullmatch(r"[0-9]{10}", stamp) or abs(time.time() - int(stamp)) > 300:
        raise ApiError(401, "SIGN_ERROR", "Http头Authorization中的timestamp与发起请求的时间不得超过5分钟")
    if members["mchid"] != keys.mchid:
        raise ApiError(401, "SIGN_ERROR", "商户号不存在", {"field": "mchid", "location": "authorization"})
    if members["serial_no"] != keys.merchant_serial:
        raise ApiError(401, "SIGN_ERROR", "商户证书序列号有误", {"field": "serial_no", "location": "authorization"})
    text = f"{spoken.method}\n{spoken.path}\n{stamp}\n{nonce}\n".encode() + spoken.body + b"\n"
    if not is_signed(merchant_key, text, members["signature"]):
        sign_information = {
            "method": spoken.method,
            "url": spoken.path,
            "truncated_sign_message": text[:256].decode("utf-8", "replace"),
            "sign_message_length": len(text),
        }
        detail = {
            "field": "signature",
            "issue": "sign not match",
            "location": "authorization",
            "sign_information": sign_information,
        }
        raise ApiError(401, "SIGN_ERROR", "签名错误，请检查后再试", detail)


def check_headers(spoken: Spoken, keys: SandboxKeys) -> None:
    """Accept, User-Agent, Content-Type and the key mode asked for."""
    accept = spoken.headers.get("Accept", "")
    if not any(kind in accept for kind in ("application/json", "*/*")):
        raise ApiError(406, "PARAM_ERROR", "Http头Accept必须包含application/json")
    if not spoken.headers.get("User-Agent", ""):
        raise ApiError(400, "PARAM_ERROR", "Http头缺少User-Agent")
    if spoken.body and not spoken.headers.get("Content-Type", "").startswith("application/json"):
        raise ApiError(415, "PARAM_ERROR", "Http头Content-Type必须为application/json")
    if spoken.headers.get("Wechatpay-Serial", keys.pub_key_id) not in (keys.pub_key_id, keys.certificate_serial):
        raise ApiError(400, "PARAM_ERROR", "Http头Wechatpay-Serial不正确")


def check_order(wanted: dict[str, Any], kind: str, keys: SandboxKeys) -> None:
    """Every member of an order: there, of its type, within its limits; 400 names the first that is not."""
    for name, (longest, needed) in _TEXTS.items():
        value = wanted.get(name)
        if value is None and not needed:
            continue
        if not _is_text(value, longest):
            raise _bad(f"/body/{name}", value)
    if wanted["mchid"] != keys.mchid:
        raise ApiError(400, "MCH_NOT_EXISTS", "商户号不存在")
    if wanted["appid"] not in (keys.appid, keys.account_appid):
        raise ApiError(400, "APPID_MCHID_NOT_MATCH", "appid和mch_id不匹配，请检查后再试")
    for name, pattern in (("out_trade_no", _NUMBER), ("notify_url", _NOTIFY_URL), ("time_expire", _MOMENT)):
        if name in wanted and not pattern.fullmatch(wanted[name]):
            raise _bad(f"/body/{name}", wanted[name])
    if "time_expire" in wanted:
        try:
            datetime.fromisoformat(wanted["time_expire"])
        except ValueError:
            raise _bad("/body/time_expire", wanted["time_expire"]) from None
    _check_money_and_payer(wanted, kind)


def check_refund(wanted: dict[str, Any]) -> None:
    """Every member of a refund; 400 names the first that is not there or beyond its limits."""
    named = [name for name in ("transaction_id", "out_trade_no") if name in wanted]
    if len(named) != 1:
        raise _bad("/body/transaction_id", None)
    for name, longest, needed in (
        (named[0], 32, True),
        ("out_refund_no", 64, True),
        ("reason", 80, False),
        ("notify_url", 256, False),
        ("funds_account", 32, False),
    ):
        value = wanted.get(name)
        if (value is None and needed) or (value is not None and not _is_text(value, longest)):
            raise _bad(f"/body/{name}", value)
    for name, pattern in (("out_refund_no", _REFUND_NUMBER), ("notify_url", _NOTIFY_URL)):
        if name in wanted and not pattern.fullmatch(wanted[name]):
            raise _bad(f"/body/{name}", wanted[name])
    if wanted.get("funds_account", "AVAILABLE") != "AVAILABLE":
        raise _bad("/body/funds_account", wanted["funds_account"])
    amount = wanted.get("amount")
    amount = amount if isinstance(amount, dict) else {}
    for name in ("refund", "total"):
        if type(amount.get(name)) is not int or amount[name] < 1:
            raise _bad(f"/body/amount/{name}", amount.get(name))
    if amount.get("currency") != "CNY":
        raise _bad("/body/amount/currency", amount.get("currency"))


def _is_text(value: object, longest: int) -> bool:
    return isinstance(value, str) and 0 < len(value) <= longest


def _check_money_and_payer(wanted: dict[str, Any], kind: str) -> None:
    amount = wanted.get("amount")
    if not isinstance(amount, dict) or type(amount.get("total")) is not int or amount["total"] < 1:
        raise _bad("/body/amount/total", amount)
    if amount.get("currency", "CNY") != "CNY":
        raise _bad("/body/amount/currency", amount["currency"])
    payer = wanted.get("payer")
    if kind == "jsapi":
        openid = payer.get("openid") if isinstance(payer, dict) else None
        if not isinstance(openid, str) or not _OPENID.fullmatch(openid):
            raise _bad("/body/payer/openid", payer)
    if kind == "h5":
        _check_scene(wanted.get("scene_info"))


def check_payer(wanted: dict[str, Any], whose: str | None) -> None:
    """500 OPENID_MISMATCH for an openid that was given out under another application than the order's."""
    if whose not in (None, wanted["appid"]):
        raise ApiError(500, "OPENID_MISMATCH", "openid和appid不匹配")


def _check_scene(scene: object) -> None:
    """H5 orders name the payer's address and the kind of page they come from."""
    if not isinstance(scene, dict):
        raise _bad("/body/scene_info", scene)
    try:
        ip_address(str(scene.get("payer_client_ip")))
    except ValueError:
        raise _bad("/body/scene_info/payer_client_ip", scene.get("payer_client_ip")) from None
    about = scene.get("h5_info")
    if not isinstance(about, dict) or about.get("type") not in _SCENES:
        raise _bad("/body/scene_info/h5_info/type", about)


def _bad(field: str, value: object) -> ApiError:
    detail = {"field": field, "value": value, "issue": "输入源不合规则", "location": "body"}
    return ApiError(400, "PARAM_ERROR", "参数错误", detail)
