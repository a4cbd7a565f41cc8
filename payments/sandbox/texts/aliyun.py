"""Alibaba Cloud's side of text messages: RPC style, ACS3-HMAC-SHA256 checked from the raw request.

By help.aliyun.com 2593177 (signature), 419273 (SendSms), 419277 (QuerySendDetails), 419289 (QuerySmsTemplate), 101346
(errors). The codes of the gateway in front (signature, time, nonce, key) are those its SDK's documents show."""

import hashlib
import hmac
import json
import re
import time
import uuid
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from urllib.parse import parse_qsl, quote

from flask import Request

from payments.sandbox.shelf import Document
from payments.sandbox.texts.post import KEY_ID, PHONE, SIGN, Taken, is_told, sent_to, take, template, wrong_value
from payments.sandbox.world import World

NAME = "aliyun"
FRESH_S = 15 * 60
BEIJING = timezone(timedelta(hours=8))
_HEADER = re.compile(r"ACS3-HMAC-SHA256 Credential=([^,]+),SignedHeaders=([^,]+),Signature=([0-9a-f]{64})")
_MUST = {"host", "x-acs-action", "x-acs-content-sha256", "x-acs-date", "x-acs-signature-nonce", "x-acs-version"}


class Said(Exception):
    """An answer that is a no: HTTP status, code."""

    def __init__(self, code: str, status: int = 200) -> None:
        super().__init__(code)
        self.code, self.status = code, status


def answer(here: World, heard: Request) -> tuple[int, dict[str, Any], str]:
    """Status, words, and the phone it is about."""
    phone = ""
    try:
        _check(here, heard)
        asked = dict(parse_qsl(heard.query_string.decode("ascii"), keep_blank_values=True))
        asked |= dict(parse_qsl(heard.get_data().decode("utf-8")))
        phone = asked.get("PhoneNumbers") or asked.get("PhoneNumber") or ""
        if fault := here.faults.take("error", phone, on="sms", gateway=NAME):
            raise Said(fault.get("code", "isp.SYSTEM_ERROR"), fault.get("status", 200))
        act = _ACTS.get(heard.headers.get("x-acs-action", ""))
        if act is None or heard.headers.get("x-acs-version") != "2017-05-25":
            raise Said("InvalidAction.NotFound", 404)
        return 200, {"Code": "OK", "Message": "OK", "RequestId": _id()} | act(here, asked), phone
    except Said as no:
        return no.status, {"Code": no.code, "Message": no.code, "RequestId": _id()}, phone


def signature(method: str, path: str, query: str, headers: Mapping[str, str], names: str, *, key: str) -> str:
    """As the far side works it out, from what came over the wire."""
    pairs = sorted((quote(k, safe="-_.~"), quote(v, safe="-_.~")) for k, v in parse_qsl(query, keep_blank_values=True))
    chosen = "".join(f"{name}:{headers[name].strip()}\n" for name in names.split(";"))
    parts = (method, path, "&".join("=".join(pair) for pair in pairs), chosen, names, headers["x-acs-content-sha256"])
    text = "ACS3-HMAC-SHA256\n" + hashlib.sha256("\n".join(parts).encode()).hexdigest()
    return hmac.new(key.encode(), text.encode(), hashlib.sha256).hexdigest()


def _check(here: World, heard: Request) -> None:
    headers = {name.lower(): value for name, value in heard.headers.items()}
    stated = _HEADER.fullmatch(headers.get("authorization", ""))
    if stated is None:
        raise Said("MissingSecurityToken" if "authorization" not in headers else "IncompleteSignature", 400)
    key_id, names, signed = stated.groups()
    if key_id != KEY_ID:
        raise Said("InvalidAccessKeyId.NotFound", 404)
    own = {name for name in headers if name.startswith("x-acs-")} | _MUST
    if own - set(names.split(";")) or own - set(headers):
        raise Said("SignatureDoesNotMatch", 400)
    right = hashlib.sha256(heard.get_data()).hexdigest() == headers["x-acs-content-sha256"] and hmac.compare_digest(
        signature(heard.method, heard.path, heard.query_string.decode("ascii"), headers, names, key=here.keys.sms_key),
        signed,
    )
    if not right:
        raise Said("SignatureDoesNotMatch", 400)
    _check_fresh(here, headers)


def _check_fresh(here: World, headers: Mapping[str, str]) -> None:
    try:
        at = datetime.strptime(headers["x-acs-date"], "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC).timestamp()
    except ValueError:
        raise Said("InvalidTimeStamp.Format", 400) from None
    if abs(time.time() - at) > FRESH_S:
        raise Said("InvalidTimeStamp.Expired", 400)
    nonce = headers["x-acs-signature-nonce"]
    with here.shelf.lock:
        if here.shelf.get("acs_nonce", nonce):
            raise Said("SignatureNonceUsed", 400)
        here.shelf.put("acs_nonce", nonce, {"at": at})


def _send(here: World, asked: Mapping[str, str]) -> dict[str, Any]:
    if not PHONE.fullmatch(asked.get("PhoneNumbers", "")):
        raise Said("isv.MOBILE_NUMBER_ILLEGAL")
    if asked.get("SignName") != SIGN:
        raise Said("isv.SMS_SIGNATURE_ILLEGAL")
    chosen = template(here, NAME, asked.get("TemplateCode", ""))
    if chosen is None:
        raise Said("isv.SMS_TEMPLATE_ILLEGAL")
    values = _values(asked.get("TemplateParam", "{}"))
    if set(values) < set(chosen["places"]):
        raise Said("isv.TEMPLATE_MISSING_PARAMETERS")
    for name in chosen["places"]:
        if wrong := wrong_value(chosen, values[name]):
            raise Said("isv.PARAM_NOT_SUPPORT_URL" if wrong == "link" else "isv.PARAM_LENGTH_LIMIT")
    taken = Taken(NAME, asked["PhoneNumbers"], chosen, values, asked.get("OutId", ""))
    return {"BizId": take(here, taken)["id"]}


def _values(text: str) -> dict[str, str]:
    try:
        values = json.loads(text)
    except ValueError:
        raise Said("isv.INVALID_JSON_PARAM") from None
    if not isinstance(values, dict) or not all(isinstance(value, str) for value in values.values()):
        raise Said("isv.INVALID_JSON_PARAM")
    return values


def _details(here: World, asked: Mapping[str, str]) -> dict[str, Any]:
    needed = ("PhoneNumber", "SendDate", "PageSize", "CurrentPage")
    if not all(asked.get(name) for name in needed) or not 1 <= int(asked["PageSize"]) <= 50:
        raise Said("isv.INVALID_PARAMETERS")
    found = [
        each
        for each in sent_to(here, NAME, asked["PhoneNumber"])
        if datetime.fromtimestamp(each["sent_at"], BEIJING).strftime("%Y%m%d") == asked["SendDate"]
        and asked.get("BizId") in (None, each["id"])
    ]
    first = (int(asked["CurrentPage"]) - 1) * int(asked["PageSize"])
    shown = [_detail(each) for each in found[::-1][first : first + int(asked["PageSize"])]]
    return {"TotalCount": len(found), "SmsSendDetailDTOs": {"SmsSendDetailDTO": shown}}


def _detail(message: Document) -> dict[str, Any]:
    told = is_told(message)
    line = {
        "PhoneNum": message["to"],
        "Content": message["text"],
        "OutId": message["key"],
        "TemplateCode": message["template_id"],
        "SendDate": _moment(message["sent_at"]),
        "SendStatus": 1 if not told else 3 if message["state"] == "delivered" else 2,
    }
    why = "DELIVERED" if message["state"] == "delivered" else message["why"]
    return line | ({"ReceiveDate": _moment(message["sent_at"] + 3), "ErrCode": why} if told else {})


def push(message: Document) -> dict[str, Any]:
    """One line of the receipts it pushes (help.aliyun.com 101867); nobody signs them."""
    good = message["state"] == "delivered"
    return {
        "phone_number": message["to"],
        "send_time": _moment(message["sent_at"]),
        "report_time": _moment(message["sent_at"] + 3),
        "success": good,
        "err_code": "DELIVERED" if good else message["why"],
        "err_msg": "用户接收成功" if good else "用户接收失败",
        "sms_size": "1",
        "biz_id": message["id"],
        "out_id": message["key"],
    }


def _template(here: World, asked: Mapping[str, str]) -> dict[str, Any]:
    chosen = template(here, NAME, asked.get("TemplateCode", ""))
    if chosen is None:
        raise Said("isv.SMS_TEMPLATE_ILLEGAL")
    kind = 0 if chosen["code"] else 1
    return {
        "TemplateCode": chosen["id"],
        "TemplateContent": chosen["content"],
        "TemplateStatus": 1,
        "TemplateType": kind,
    }


def _moment(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, BEIJING).strftime("%Y-%m-%d %H:%M:%S")


def _id() -> str:
    return str(uuid.uuid4()).upper()


_ACTS: Mapping[str, Callable[[World, Mapping[str, str]], dict[str, Any]]] = {
    "SendSms": _send,
    "QuerySendDetails": _details,
    "QuerySmsTemplate": _template,
}
