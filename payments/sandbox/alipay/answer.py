"""How Alipay's far side answers: checked first, signed last, and spoilt on the way when asked to."""

import time
from collections.abc import Callable, Mapping
from typing import Any

from flask import Response, request

from payments.sandbox.alipay.check import FIELDS, WAP_PAY, Asked, Complaint, Denied, check
from payments.sandbox.alipay.side import side
from payments.sandbox.alipay.statement import NAME
from payments.sandbox.alipay.voice import dumped, node_name
from payments.sandbox.faults import Fault
from payments.sandbox.world import World, world

Act = Callable[[World, Asked], dict[str, Any] | Response]
_MESSAGES = {"40004": "Business Failed", "40001": "Missing Required Arguments", "40002": "Invalid Arguments"}
_MESSAGES |= {"20000": "Service Currently Unavailable", "40006": "Insufficient Permissions"}
_HTML = "text/html;charset=utf-8"


def answered(acts: Mapping[str, tuple[str, Act]]) -> Response:
    """The answer to the request at hand; faults waiting for one of its numbers spoil it."""
    here, method, certified = world(), request.values.get("method", ""), "app_cert_sn" in request.values
    pairs = [*request.args.items(multi=True), *request.form.items(multi=True)]
    try:
        asked = check(pairs, side(here).keys, side(here).voice.app_key)
        payment = asked.text("out_trade_no") or side(here).number_of(asked.text("trade_no"))
        named = (asked.text("out_request_no"), asked.text("complain_event_id"), payment)
        whose = tuple(filter(None, named)) or ("",)
        on, act = acts[method]
        if delay := here.faults.take("delay", *whose, on=on, gateway=NAME):
            time.sleep(delay["seconds"])
        if error := here.faults.take("error", *whose, on=on, gateway=NAME):
            return _failed(error, method, certified)
        said = act(here, asked)
    except Complaint as complaint:
        return _complained(complaint, method)
    except Denied as no:
        return _denied(no, method, certified)
    if isinstance(said, Response):
        return said
    return _spoiled(here, on, whose, asked, {"code": "10000", "msg": "Success", **said})


def page_of(words: str, status: int) -> Response:
    """What a browser shows."""
    return Response(f"<!doctype html><html lang='zh-CN'><body><p>{words}</p></body></html>", status, content_type=_HTML)


def _spoiled(here: World, on: str, whose: tuple[str, ...], asked: Asked, said: dict[str, Any]) -> Response:
    def waits(*kinds: str) -> Fault | None:
        found = (here.faults.take(kind, *whose, on=on, gateway=NAME) for kind in kinds)
        return next((fault for fault in found if fault), None)

    if silent := waits("silent"):
        time.sleep(silent.get("seconds", 12))
    if waits("html"):
        return page_of("502 Bad Gateway", 200)
    spoil = ""
    if waits("unsigned"):
        spoil = "unsigned"
    elif waits("answer_wrong_signature", "answer_signtest"):
        spoil = "wrong_signature"
    elif waits("duplicate_node"):
        spoil = "duplicate_node"
    body = side(here).voice.answer(asked.method, said, certified=asked.certified, spoil=spoil)
    if waits("truncated"):
        body = body[: len(body) // 2]
    return Response(body, content_type=_HTML)


def _denied(no: Denied, method: str, certified: bool) -> Response:
    if method == WAP_PAY:
        return page_of(f"{no.sub_code} {no.sub_msg}", 400)
    said = {"code": no.code, "msg": _MESSAGES[no.code], "sub_code": no.sub_code, "sub_msg": no.sub_msg}
    return Response(side().voice.answer(method, said, certified=certified), content_type=_HTML)


def _failed(error: Fault, method: str, certified: bool) -> Response:
    """A fault's error: `status` as HTTP; or `code` as a sub_code, in the form in which such a one comes."""
    if error.get("status", 200) != 200:
        return page_of("Bad Gateway", error["status"])
    sub_code = str(error.get("code", "ACQ.SYSTEM_ERROR"))
    if sub_code.startswith("isv."):
        return _complained(Complaint("40002", sub_code, "配置错误"), method)
    if sub_code.startswith(("isp.", "aop.")):
        return _denied(Denied(sub_code, "系统繁忙", "20000"), method, certified)
    return _denied(Denied(sub_code if "." in sub_code else f"ACQ.{sub_code}", "系统错误"), method, certified)


def _complained(no: Complaint, method: str) -> Response:
    """Unsigned: in the node of the method that was asked for, as production says it, where that is known."""
    said = {"code": no.code, "msg": _MESSAGES[no.code], "sub_code": no.sub_code, "sub_msg": no.sub_msg}
    node = node_name(method) if method in FIELDS else "error_response"
    return Response(f'{{"{node}":{dumped(said)}}}', content_type=_HTML)
