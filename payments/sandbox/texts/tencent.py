"""Tencent Cloud's side of text messages: API 3.0, TC3-HMAC-SHA256 checked from the raw request.

By cloud.tencent.com 362/4208 (signature), 382/55981 (SendSms), 382/40518 (receipts by phone), 382/59177 and 382/52075
(errors). SessionContext comes back with a receipt unless a control switches it off, as most accounts have it."""

import hashlib
import hmac
import re
import time
import uuid
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from flask import Request

from payments.sandbox.shelf import Document
from payments.sandbox.texts.post import (
    APP_ID,
    KEY_ID,
    PHONE,
    SIGN,
    Taken,
    is_told,
    sent_to,
    take,
    template,
    wrong_value,
)
from payments.sandbox.world import World

NAME = "tencent"
FRESH_S = 300
_HEADER = re.compile(
    r"TC3-HMAC-SHA256 Credential=([^/]+)/(\d{4}-\d\d-\d\d)/(\w+)/tc3_request, SignedHeaders=([a-z0-9;-]+),"
    r" Signature=([0-9a-f]{64})"
)
_VALUE = {
    "length": "InvalidParameterValue.TemplateParameterLengthLimit",
    "link": "InvalidParameterValue.ProhibitedUseUrlInTemplateParameter",
    "digits": "InvalidParameterValue.TemplateParameterFormatError",
}


class Said(Exception):
    """An answer that is an error: its code."""


def answer(here: World, heard: Request) -> tuple[int, dict[str, Any], str]:
    """Status, words, and the phone it is about."""
    phone, code = "", ""
    try:
        _check(here, heard)
        asked = heard.get_json(silent=True)
        if not isinstance(asked, dict):
            raise Said("InvalidParameter")
        phone = str((asked.get("PhoneNumberSet") or [asked.get("PhoneNumber", "")])[0]).removeprefix("+86")
        if fault := here.faults.take("error", phone, on="sms", gateway=NAME):
            raise Said(fault.get("code", "InternalError.OtherError"))
        act = _ACTS.get(heard.headers.get("X-TC-Action", ""))
        if act is None:
            raise Said("InvalidAction")
        if heard.headers.get("X-TC-Version") != "2021-01-11" or not heard.headers.get("X-TC-Region"):
            raise Said("NoSuchVersion" if heard.headers.get("X-TC-Region") else "MissingParameter")
        return 200, {"Response": act(here, asked) | {"RequestId": str(uuid.uuid4())}}, phone
    except Said as no:
        code = str(no)
    return 200, {"Response": {"Error": {"Code": code, "Message": code}, "RequestId": str(uuid.uuid4())}}, phone


def signature(heard: Mapping[str, str], names: str, body: bytes, *, date: str, service: str, key: str) -> str:
    """As the far side works it out: POST / with these headers, by lower-case name."""
    chosen = "".join(f"{name}:{heard[name].strip().lower()}\n" for name in names.split(";"))
    whole = f"POST\n/\n\n{chosen}\n{names}\n{hashlib.sha256(body).hexdigest()}"
    scope = f"{date}/{service}/tc3_request"
    text = f"TC3-HMAC-SHA256\n{heard['x-tc-timestamp']}\n{scope}\n{hashlib.sha256(whole.encode()).hexdigest()}"
    made = f"TC3{key}".encode()
    for step in (date, service, "tc3_request"):
        made = hmac.new(made, step.encode(), hashlib.sha256).digest()
    return hmac.new(made, text.encode(), hashlib.sha256).hexdigest()


def _check(here: World, heard: Request) -> None:
    headers = {name.lower(): value for name, value in heard.headers.items()}
    stated = _HEADER.fullmatch(headers.get("authorization", ""))
    if stated is None or not headers.get("x-tc-timestamp", "").isdigit():
        raise Said("AuthFailure.InvalidAuthorization")
    key_id, date, service, names, signed = stated.groups()
    if key_id != KEY_ID:
        raise Said("AuthFailure.SecretIdNotFound")
    at = int(headers["x-tc-timestamp"])
    if abs(time.time() - at) > FRESH_S:
        raise Said("AuthFailure.SignatureExpire")
    if datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d") != date or service != "sms":
        raise Said("AuthFailure.SignatureFailure")
    if not {"content-type", "host"} <= set(names.split(";")) <= set(headers):
        raise Said("AuthFailure.SignatureFailure")
    right = signature(headers, names, heard.get_data(), date=date, service=service, key=here.keys.sms_key)
    if not hmac.compare_digest(right, signed):
        raise Said("AuthFailure.SignatureFailure")


def _send(here: World, asked: Mapping[str, Any]) -> dict[str, Any]:
    phones = asked.get("PhoneNumberSet")
    if not isinstance(phones, list) or not phones:
        raise Said("MissingParameter.EmptyPhoneNumberSet")
    if asked.get("SmsSdkAppId") != APP_ID:
        raise Said("UnauthorizedOperation.SmsSdkAppIdVerifyFail")
    return {"SendStatusSet": [_one(here, asked, str(phone)) for phone in phones]}


def _one(here: World, asked: Mapping[str, Any], phone: str) -> dict[str, Any]:
    number, chosen = phone.removeprefix("+86"), template(here, NAME, str(asked.get("TemplateId")))
    values = asked.get("TemplateParamSet") or []
    status = {"SerialNo": "", "PhoneNumber": phone, "Fee": 0, "SessionContext": asked.get("SessionContext", "")}
    if code := _refused(number, asked, chosen, values):
        return status | {"Code": code, "Message": code, "IsoCode": "CN"}
    assert chosen is not None
    named = dict(zip(chosen["places"], values, strict=True))
    message = take(here, Taken(NAME, number, chosen, named, str(asked.get("SessionContext", ""))))
    good = {"SerialNo": message["id"], "Fee": 1, "Code": "Ok", "Message": "send success", "IsoCode": "CN"}
    return status | good


def _refused(number: str, asked: Mapping[str, Any], chosen: Document | None, values: list[Any]) -> str:
    if not PHONE.fullmatch(number):
        return "InvalidParameterValue.IncorrectPhoneNumber"
    if asked.get("SignName") != SIGN:
        return "FailedOperation.SignatureIncorrectOrUnapproved"
    if chosen is None:
        return "FailedOperation.TemplateUnapprovedOrNotExist"
    if len(values) != len(chosen["places"]) or not all(isinstance(value, str) for value in values):
        return "FailedOperation.TemplateParamSetNotMatchApprovedTemplate"
    wrong = next((wrong for value in values if (wrong := wrong_value(chosen, value))), "")
    return _VALUE.get(wrong, "")


def _receipts(here: World, asked: Mapping[str, Any]) -> dict[str, Any]:
    if asked.get("SmsSdkAppId") != APP_ID or not 1 <= int(asked.get("Limit", 0)) <= 100:
        raise Said("InvalidParameter")
    number = str(asked.get("PhoneNumber", "")).removeprefix("+86")
    span = (int(asked["BeginTime"]), int(asked["EndTime"]) + 1)
    found = [each for each in sent_to(here, NAME, number) if is_told(each) and span[0] <= each["sent_at"] <= span[1]]
    carries = here.shelf.get("text_setting", "session_context") is None
    return {"PullSmsSendStatusSet": [_receipt(each, carries) for each in found[int(asked.get("Offset", 0)) :][:100]]}


def _receipt(message: Document, carries: bool) -> dict[str, Any]:
    good = message["state"] == "delivered"
    return {
        "UserReceiveTime": message["sent_at"] + 3,
        "CountryCode": "86",
        "SubscriberNumber": message["to"],
        "PhoneNumber": f"+86{message['to']}",
        "SerialNo": message["id"],
        "ReportStatus": "SUCCESS" if good else "FAIL",
        "Description": "DELIVRD" if good else message["why"],
        "SessionContext": message["key"] if carries else "",
    }


def push(message: Document) -> dict[str, Any]:
    """One line of the receipts it pushes (cloud.tencent.com 382/43547); nobody signs them."""
    good = message["state"] == "delivered"
    return {
        "user_receive_time": datetime.fromtimestamp(message["sent_at"] + 3, UTC).strftime("%Y-%m-%d %H:%M:%S"),
        "nationcode": "86",
        "mobile": message["to"],
        "report_status": "SUCCESS" if good else "FAIL",
        "errmsg": "DELIVRD" if good else message["why"],
        "description": "用户短信送达成功" if good else "用户短信接收失败",
        "sid": message["id"],
    }


def _templates(here: World, asked: Mapping[str, Any]) -> dict[str, Any]:
    found = [template(here, NAME, str(number)) for number in asked.get("TemplateIdSet") or []]
    return {
        "DescribeTemplateStatusSet": [
            {
                "TemplateId": int(each["id"]),
                "International": 0,
                "StatusCode": 0,
                "ReviewReply": "",
                "TemplateName": each["id"],
                "CreateTime": 1617379200,
                "TemplateContent": each["content"],
            }
            for each in found
            if each
        ]
    }


_ACTS: Mapping[str, Callable[[World, Mapping[str, Any]], dict[str, Any]]] = {
    "SendSms": _send,
    "PullSmsSendStatusByPhoneNumber": _receipts,
    "DescribeSmsTemplateList": _templates,
}
