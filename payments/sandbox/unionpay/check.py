"""Is this request well formed? As strict as the real far side; its words for no are two-character codes."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import parse_qsl

from payments.sandbox.clock import BEIJING

_FRESH = timedelta(minutes=10)
_STAMP = r"20[0-9]{12}"
_URL = r"https?://[!-~]{1,248}"
_FIELDS = {  # name → form
    "version": r"5\.1\.0",
    "encoding": r"(?i:UTF-8)",
    "signMethod": "01",
    "certId": "[0-9]{1,128}",
    "signature": "[0-9A-Za-z+/=]{1,1024}",
    "txnType": "[0-9]{2}",
    "txnSubType": "[0-9]{2}",
    "bizType": "[0-9]{6}",
    "channelType": "0[78]",
    "accessType": "0",
    "merId": "[0-9A-Za-z]{15}",
    "orderId": "[0-9A-Za-z]{8,40}",
    "txnTime": _STAMP,
    "txnAmt": "[1-9][0-9]{0,11}",
    "currencyCode": "156",
    "backUrl": _URL,
    "frontUrl": _URL,
    "payTimeout": _STAMP,
    "reqReserved": r"[^&={}\[\]\"']{1,1024}",
    "orderDesc": ".{1,32}",
    "termId": "[0-9A-Za-z]{8}",
    "origQryId": "[0-9A-Za-z]{20,21}",
    "settleDate": "[0-9]{4}",
    "fileType": "00",
}
_ALWAYS = frozenset({"version", "encoding", "signMethod", "certId", "signature", "accessType", "merId"}) | {
    *("txnType", "txnSubType", "bizType", "txnTime"),
}
_MONEY = frozenset({"channelType", "orderId", "txnAmt", "currencyCode", "backUrl"})
NEEDED: Mapping[tuple[str, str, str], frozenset[str]] = {  # by txnType, txnSubType, bizType
    ("01", "07", "000000"): _ALWAYS | _MONEY,
    ("01", "01", "000201"): _ALWAYS | _MONEY | {"frontUrl"},
    ("00", "00", "000000"): _ALWAYS | {"orderId"},
    ("04", "00", "000000"): _ALWAYS | _MONEY | {"origQryId"},
    ("76", "01", "000000"): _ALWAYS | {"settleDate", "fileType"},
}
_ALLOWED_TOO = {"01": {"payTimeout", "reqReserved", "orderDesc", "termId"}, "04": {"reqReserved", "termId"}}

MESSAGES = {
    "00": "成功[0000000]",
    "03": "交易通讯超时，请发起查询交易[6100003]",
    "04": "交易状态未明，请查询对账结果[6100004]",
    "05": "交易已受理，请稍后查询交易结果[6154037]",
    "06": "系统繁忙，请稍后再试[6100006]",
    "10": "报文格式错误[6100030]",
    "11": "验签失败[9100004]",
    "12": "重复交易[2600012]",
    "34": "查无此交易[2600000]",
    "35": "原交易不存在或状态不正确[2011000]",
    "36": "与原交易信息不符[2060036]",
    "39": "交易不在受理时间范围内[6130039]",
    "61": "输入的卡号无效[1000014]",
    "90": "账户余额不足[1000051]",
    "98": "文件不存在[9800000]",
}


@dataclass(eq=False)
class No(Exception):
    """A refusal in the far side's words; no code: the plain text that stands for everything unreadable."""

    code: str = ""


def fields_of(body: bytes) -> dict[str, str]:
    """The fields of a form; No without a code if it is none."""
    try:
        pairs = parse_qsl(body.decode("ascii"), keep_blank_values=True, strict_parsing=True, errors="strict")
    except ValueError:
        raise No from None
    if len(dict(pairs)) < len(pairs):
        raise No
    return dict(pairs)


def check_form(heard: Mapping[str, str], kinds: frozenset[tuple[str, str, str]]) -> None:
    """No("10") unless it is one of these kinds of request, whole, each field in its form, with no field unheard of."""
    kind = (heard.get("txnType", ""), heard.get("txnSubType", ""), heard.get("bizType", ""))
    needed = NEEDED.get(kind) if kind in kinds else None
    if needed is None or not needed <= heard.keys() <= needed | _ALLOWED_TOO.get(kind[0], set()):
        raise No("10")
    if not all(
        re.fullmatch(_FIELDS[name], value, re.ASCII if name != "orderDesc" else 0) for name, value in heard.items()
    ):
        raise No("10")


def check_times(heard: Mapping[str, str], now: datetime) -> None:
    """No("10") unless txnTime is now, within ten minutes, and payTimeout lies ahead."""
    ordered_at = moment_of(heard["txnTime"])
    if abs(now - ordered_at) > _FRESH:
        raise No("10")
    if "payTimeout" in heard and moment_of(heard["payTimeout"]) <= max(now, ordered_at):
        raise No("10")


def moment_of(stamp: str) -> datetime:
    """YYYYMMDDhhmmss, Beijing; No("10")."""
    try:
        return datetime.strptime(stamp, "%Y%m%d%H%M%S").replace(tzinfo=BEIJING)
    except ValueError:
        raise No("10") from None
