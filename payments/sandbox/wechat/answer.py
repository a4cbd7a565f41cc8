"""How WeChat Pay's far side answers a request: checked first, signed last, and spoilt on the way when asked to."""

import json
import time
from collections.abc import Callable
from typing import Any

from flask import Response, request

from payments.sandbox.signing import random_text
from payments.sandbox.trades import Declined, Refusal
from payments.sandbox.wechat.check import ApiError, Spoken, check_headers, check_signature
from payments.sandbox.wechat.side import NAME, dumped, side
from payments.sandbox.wechat.words import refused
from payments.sandbox.world import World, world

Act = Callable[[World, Spoken], dict[str, Any] | None]


def answer(on: str, whose: tuple[str, ...], act: Act, *, spoken: Spoken | None = None) -> Response:
    """Check the request, act, sign what is said; faults waiting for one of these numbers spoil it on the way."""
    here, spoken = world(), spoken or heard()
    if delay := here.faults.take("delay", *whose, on=on, gateway=NAME):
        time.sleep(delay["seconds"])
    try:
        check_caller(here, spoken)
        if error := here.faults.take("error", *whose, on=on, gateway=NAME):
            raise ApiError(error.get("status", 500), error.get("code", "SYSTEM_ERROR"), "系统异常，请稍后重试")
        said = act(here, spoken)
    except ApiError as refusal:
        return signed(here, spoken, refusal.status, dumped(refusal.document()))
    except Refusal as refusal:
        said_no = refused(refusal.why)
        return signed(here, spoken, said_no.status, dumped(said_no.document()))
    except Declined as refusal:
        return signed(here, spoken, 400, dumped({"code": refusal.code, "message": refusal.message}))
    whole = signed(here, spoken, 204 if said is None else 200, b"" if said is None else dumped(said))
    return _spoiled(here, on, whose, whole)


def heard() -> Spoken:
    """The request as it came over the wire."""
    path = request.environ.get("RAW_URI") or request.environ["REQUEST_URI"]
    return Spoken(request.method, path, request.headers, request.get_data())


def check_caller(here: World, spoken: Spoken) -> None:
    """ApiError unless it is the merchant, with the headers it should have."""
    keys = side(here).keys
    check_signature(spoken, keys, side(here).voice.merchant_key)
    check_headers(spoken, keys)


def signed(here: World, spoken: Spoken, status: int, body: bytes) -> Response:
    """An answer, signed in the key mode that was asked for."""
    by_public_key = spoken.headers.get("Wechatpay-Serial") == side(here).keys.pub_key_id
    said = Response(body, status, content_type="application/json; charset=utf-8")
    for name, value in side(here).voice.signed(body, by_public_key=by_public_key).items():
        said.headers[name] = value
    said.headers["Request-ID"] = random_text(32).upper()
    return said


def asked_by_merchant(here: World) -> World:
    """The same world, if the query names the merchant."""
    if request.args.get("mchid") != side(here).keys.mchid:
        raise ApiError(400, "PARAM_ERROR", "参数错误", {"field": "mchid", "location": "query"})
    return here


def read(spoken: Spoken) -> dict[str, Any]:
    """The body as an object."""
    try:
        wanted = json.loads(spoken.body)
    except ValueError:
        wanted = None
    if not isinstance(wanted, dict):
        raise ApiError(400, "PARAM_ERROR", "请求体不是JSON")
    return wanted


def texts_wanted(*names: str) -> tuple[str, ...]:
    """What the body says under these names, for choosing a fault before anything is checked; only texts."""
    wanted = request.get_json(silent=True)
    found = [wanted.get(name) for name in names] if isinstance(wanted, dict) else []
    return tuple(value for value in found if isinstance(value, str)) or ("",)


def _spoiled(here: World, on: str, whose: tuple[str, ...], whole: Response) -> Response:
    def waits(kind: str) -> dict[str, Any] | None:
        return here.faults.take(kind, *whose, on=on, gateway=NAME)

    if silent := waits("silent"):
        time.sleep(silent.get("seconds", 12))
    if waits("html"):
        return Response("<html><body>502 Bad Gateway</body></html>", 200, content_type="text/html")
    if waits("unsigned"):
        for name in [name for name, _ in whole.headers if name.startswith("Wechatpay-")]:
            del whole.headers[name]
    if waits("truncated"):
        whole.set_data(whole.get_data()[: len(whole.get_data()) // 2])
    if waits("answer_wrong_signature"):
        by_public_key = whole.headers.get("Wechatpay-Serial") == side(here).keys.pub_key_id
        other = side(here).voice.signed(b"else", by_public_key=by_public_key)
        whole.headers["Wechatpay-Signature"] = other["Wechatpay-Signature"]
    if waits("answer_signtest"):
        probe = "WECHATPAY/SIGNTEST/"
        whole.headers["Wechatpay-Signature"] = probe + whole.headers["Wechatpay-Signature"][len(probe) :]
    return whole
