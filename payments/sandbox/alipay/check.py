"""Is a request to gateway.do well signed and well formed? As strict as the real far side about what we send."""

import json
import re
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from ipaddress import ip_address
from typing import Any

from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509 import load_pem_x509_certificates

from payments.sandbox.alipay.keys import AlipayKeys, first_of, sn_of
from payments.sandbox.clock import BEIJING
from payments.sandbox.signing import is_signed

PRECREATE, WAP_PAY = "alipay.trade.precreate", "alipay.trade.wap.pay"
QUERY, CLOSE = "alipay.trade.query", "alipay.trade.close"
REFUND, REFUND_QUERY = "alipay.trade.refund", "alipay.trade.fastpay.refund.query"
COMPLAINTS, COMPLAINT = "alipay.merchant.tradecomplain.batchquery", "alipay.merchant.tradecomplain.query"
REPLY, FEEDBACK = "alipay.merchant.tradecomplain.reply.submit", "alipay.merchant.tradecomplain.feedback.submit"
IMAGE = "alipay.merchant.image.upload"
BILL = "alipay.data.dataservice.bill.downloadurl.query"

_SKEW_S = 600
_RSA_SIGNED = "1.2.840.113549.1.1."
_COMMON = frozenset(
    {"app_id", "method", "format", "charset", "sign_type", "sign", "timestamp", "version", "biz_content"}
    | {"app_cert_sn", "alipay_root_cert_sn"}
)
OWN = {  # methods whose words stand beside the common ones, in no biz_content
    FEEDBACK: frozenset({"complain_event_id", "feedback_code", "feedback_content", "feedback_images", "operator"}),
    IMAGE: frozenset({"image_type"}),
}
_ADDRESS = re.compile(r"https?://[!-~]{1,248}")
_STAMP = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", re.ASCII)
_NUMBER = re.compile(r"[A-Za-z0-9_]{1,64}")
_TRADE_NO = re.compile(r"[0-9]{16,64}")
_PRICE = re.compile(r"(0|[1-9][0-9]*)(?:\.([0-9]{1,2}))?")
_EXPRESS = re.compile(r"(?:[1-9][0-9]{0,3}[mhd]|1c)")


@dataclass(eq=False)
class Complaint(Exception):
    """Said before any routing and unsigned: something is wrong with app, key or common words."""

    code: str
    sub_code: str
    sub_msg: str


@dataclass(eq=False)
class Denied(Exception):
    """A business no, in the method's own node and signed."""

    sub_code: str
    sub_msg: str
    code: str = "40004"


@dataclass(frozen=True)
class Asked:
    """A request that proved itself."""

    method: str
    content: dict[str, Any]
    common: Mapping[str, str]
    certified: bool  # asked in certificate mode: answered and notified so

    def text(self, name: str) -> str:
        """A text of the content; empty if it is not there."""
        value = self.content.get(name, "")
        return value if isinstance(value, str) else ""


def check(pairs: Iterable[tuple[str, str]], keys: AlipayKeys, app_key: rsa.RSAPublicKey) -> Asked:
    """The request, believed; Complaint for the common words, Denied for the content."""
    common = _each_once(pairs)
    method = common.get("method", "")
    _check_common(common, method, keys)
    signed = "&".join(f"{name}={value}" for name, value in sorted(common.items()) if name != "sign" and value)
    if not is_signed(app_key, signed.encode(), common["sign"]):
        raise Complaint("40002", "isv.invalid-signature", "验签出错，请检查待签名字符串和密钥")
    own = {name: common[name] for name in OWN.get(method, ()) if name in common}
    return Asked(
        method,
        _content(json.dumps(own) if own else common.get("biz_content", ""), method, keys),
        common,
        "app_cert_sn" in common,
    )


def fen_of(price: str) -> int:
    """'320.50' → 32050; the text has been checked."""
    found = _PRICE.fullmatch(price)
    assert found
    return int(found[1]) * 100 + int((found[2] or "").ljust(2, "0"))


def _each_once(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    found: dict[str, str] = {}
    for name, value in pairs:
        if name in found or "\ufffd" in value:
            raise Complaint("40002", "isv.invalid-parameter", f"{name} 重复或编码错误")
        found[name] = value
    return found


def _check_common(common: Mapping[str, str], method: str, keys: AlipayKeys) -> None:
    for name, words in (("app_id", "app-id"), ("method", "method"), ("sign_type", "signature-type")):
        if not common.get(name):
            raise Complaint("40001", f"isv.missing-{words}", f"缺少{name}参数")
    for name, words in (("sign", "signature"), ("timestamp", "timestamp"), ("version", "version")):
        if not common.get(name):
            raise Complaint("40001", f"isv.missing-{words}", f"缺少{name}参数")
    for name, right, words in (
        ("app_id", {keys.app_id}, "app-id"),
        ("method", set(FIELDS), "method"),
        ("sign_type", {"RSA2"}, "signature-type"),
        ("format", {"JSON"}, "format"),
        ("charset", {"utf-8"}, "charset"),
        ("version", {"1.0"}, "version"),
    ):
        if common.get(name, "") not in right:
            raise Complaint("40002", f"isv.invalid-{words}", f"无效的{name}参数")
    _check_names(common, method)
    _check_stamp(common["timestamp"])
    _check_certificates(common, keys)


def _check_names(common: Mapping[str, str], method: str) -> None:
    addresses = {PRECREATE: {"notify_url"}, WAP_PAY: {"notify_url", "return_url"}, CLOSE: {"notify_url"}}
    for name in common.keys() - _COMMON - OWN.get(method, frozenset()):
        if name not in addresses.get(method, ()) or not _ADDRESS.fullmatch(common[name]):
            raise Complaint("40002", "isv.invalid-parameter", f"无效的{name}参数")


def _check_stamp(stamp: str) -> None:
    """In Beijing time by the system clock, whichever business day the sandbox plays."""
    try:
        spoken = datetime.fromisoformat(stamp).replace(tzinfo=BEIJING) if _STAMP.fullmatch(stamp) else None
    except ValueError:
        spoken = None
    if spoken is None or abs(spoken.timestamp() - time.time()) > _SKEW_S:
        raise Complaint("40002", "isv.invalid-timestamp", "非法的时间戳参数")


def _check_certificates(common: Mapping[str, str], keys: AlipayKeys) -> None:
    names = ("app_cert_sn", "alipay_root_cert_sn")
    if not any(name in common for name in names):
        return
    roots = load_pem_x509_certificates(keys.root_certificates.encode())
    root_sn = "_".join(sn_of(one) for one in roots if one.signature_algorithm_oid.dotted_string.startswith(_RSA_SIGNED))
    for name, right in zip(names, (sn_of(first_of(keys.app_certificate)), root_sn), strict=True):
        if common.get(name) != right:
            raise Complaint("40002", f"isv.invalid-{name.replace('_', '-')}", f"无效的{name}参数")


def _content(text: str, method: str, keys: AlipayKeys) -> dict[str, Any]:
    try:
        content = json.loads(text)
    except ValueError:
        content = None
    if not isinstance(content, dict):
        raise Denied("isv.invalid-parameter", "biz_content不是JSON", "40002")
    needed, allowed = FIELDS[method]
    for name, value in content.items():
        if name not in allowed or not _fits(name, value):
            raise Denied("ACQ.INVALID_PARAMETER", f"参数无效：{name}")
    for names in needed:
        if not any(name in content for name in names.split("|")):
            raise Denied("ACQ.INVALID_PARAMETER", f"参数无效：缺少{names}")
    if content.get("seller_id", keys.seller_id) != keys.seller_id:
        raise Denied("ACQ.PARTNER_ERROR", "APP_ID填写错误")
    if "total_amount" in content and not 1 <= fen_of(content["total_amount"]) <= 100_000_000_00:
        raise Denied("ACQ.TOTAL_FEE_EXCEED", "订单总金额不在允许范围内")
    return content


def _fits(name: str, value: object) -> bool:
    if name == "query_options":
        return isinstance(value, list) and all(isinstance(one, str) and len(one) <= 1024 for one in value)
    if name == "business_params":
        return isinstance(value, dict) and all(_address(one) for one in value.values()) and set(value) <= _BUSINESS
    pattern, longest = VALUES[name]
    return isinstance(value, str) and len(value) <= longest and bool(pattern.fullmatch(value))


def _address(value: object) -> bool:
    try:
        ip_address(str(value))
    except ValueError:
        return False
    return True


_BUSINESS = {"mc_create_trade_ip"}
_ANY = re.compile(r"[^\x00-\x1f]+")
VALUES: dict[str, tuple[re.Pattern[str], int]] = {
    "out_trade_no": (_NUMBER, 64),
    "trade_no": (_TRADE_NO, 64),
    "out_request_no": (_NUMBER, 64),
    "total_amount": (_PRICE, 11),
    "refund_amount": (_PRICE, 9),
    "subject": (re.compile(r"[^\x00-\x1f/=&]+"), 256),
    "body": (_ANY, 128),
    "product_code": (re.compile(r"FACE_TO_FACE_PAYMENT|QR_CODE_OFFLINE|QUICK_WAP_WAY"), 64),
    "seller_id": (re.compile(r"2088[0-9]{12}"), 28),
    "time_expire": (_STAMP, 32),
    "timeout_express": (_EXPRESS, 6),
    "qr_code_timeout_express": (_EXPRESS, 6),
    "quit_url": (_ADDRESS, 400),
    "passback_params": (_ANY, 512),
    "operator_id": (_ANY, 28),
    "refund_reason": (_ANY, 256),
    "bill_type": (re.compile(r"trade|signcustomer"), 20),
    "secure": (re.compile("true|false"), 5),
    "bill_date": (re.compile(r"\d{4}-\d\d-\d\d|\d{4}-\d\d", re.ASCII), 15),
}
VALUES |= {
    "complain_event_id": (re.compile("[0-9]{10,64}"), 64),
    **dict.fromkeys(("begin_time", "end_time"), (_STAMP, 32)),
    **dict.fromkeys(("page_num", "page_size"), (re.compile("[1-9][0-9]?"), 2)),
    **dict.fromkeys(("reply_content", "feedback_content"), (_ANY, 200)),
    **dict.fromkeys(("reply_images", "feedback_images"), (re.compile("[!-~]+"), 1024)),
    "feedback_code": (re.compile("0[02-6]"), 2),
    "operator": (_ANY, 6),
    "image_type": (re.compile("png|jpg"), 4),
}
_ORDER = frozenset({"out_trade_no", "total_amount", "subject", "body", "product_code", "seller_id", "time_expire"})
_ORDER |= {"timeout_express", "passback_params", "operator_id", "business_params"}
_EITHER = "out_trade_no|trade_no"
FIELDS: Mapping[str, tuple[tuple[str, ...], frozenset[str]]] = {  # needed, allowed
    PRECREATE: (("out_trade_no", "total_amount", "subject"), _ORDER | {"qr_code_timeout_express"}),
    WAP_PAY: (("out_trade_no", "total_amount", "subject", "product_code"), _ORDER | {"quit_url"}),
    QUERY: ((_EITHER,), frozenset({"out_trade_no", "trade_no", "query_options"})),
    CLOSE: ((_EITHER,), frozenset({"out_trade_no", "trade_no", "operator_id"})),
    REFUND: (
        (_EITHER, "refund_amount"),
        frozenset({"out_trade_no", "trade_no", "refund_amount", "out_request_no", "refund_reason", "query_options"}),
    ),
    REFUND_QUERY: (
        (_EITHER, "out_request_no"),
        frozenset({"out_trade_no", "trade_no", "out_request_no", "query_options"}),
    ),
    COMPLAINTS: ((), frozenset({"begin_time", "end_time", "page_num", "page_size", "status"})),
    COMPLAINT: (("complain_event_id",), frozenset({"complain_event_id"})),
    REPLY: (("complain_event_id", "reply_content"), frozenset({"complain_event_id", "reply_content", "reply_images"})),
    FEEDBACK: (("complain_event_id", "feedback_code", "feedback_content"), OWN[FEEDBACK]),
    IMAGE: (("image_type",), OWN[IMAGE]),
    BILL: (("bill_type", "bill_date"), frozenset({"bill_type", "bill_date", "secure"})),
}
