"""WeChat Pay's far side: /v3 orders, queries, closing and certificates, each request checked and each answer signed."""

import json
import time
from collections.abc import Callable
from typing import Any

from flask import Blueprint, Response, request

from payments.sandbox.signing import random_text, seal_resource
from payments.sandbox.wechat_check import ApiError, Spoken, check_headers, check_order, check_signature
from payments.sandbox.wechat_trades import CODE_URL, Declined, transaction_of
from payments.sandbox.world import World, world

bp = Blueprint("wechat", __name__)
_BY_NUMBER = "/v3/pay/transactions/out-trade-no/<number>"


@bp.post("/v3/pay/transactions/<any(jsapi, native):kind>")
def create(kind: str) -> Response:
    """A new order, or the same again."""

    def act(here: World, spoken: Spoken) -> dict[str, Any]:
        wanted = _read(spoken)
        check_order(wanted, kind, here.keys)
        token = here.trades.place(kind, wanted)
        if here.faults.take("callback_early", wanted["out_trade_no"]):
            here.notifier.tell_now(here.trades.pay(wanted["out_trade_no"]))
        return {"prepay_id": token} if kind == "jsapi" else {"code_url": CODE_URL + token}

    return _answer("create", _number_wanted(), act)


@bp.get(_BY_NUMBER)
def query(number: str) -> Response:
    """One order by the merchant's number."""

    def act(here: World, spoken: Spoken) -> dict[str, Any]:
        other = here.faults.take("other_trade", number)
        return transaction_of(_asked_by_merchant(here).trades.find(other["instead"] if other else number))

    return _answer("query", number, act)


@bp.get("/v3/pay/transactions/id/<transaction_id>")
def query_transaction(transaction_id: str) -> Response:
    """One paid trade by the far side's number."""
    return _answer(
        "query",
        "",
        lambda here, spoken: transaction_of(_asked_by_merchant(here).trades.find_transaction(transaction_id)),
    )


@bp.post(f"{_BY_NUMBER}/close")
def close(number: str) -> Response:
    """No payment possible from now on."""

    def act(here: World, spoken: Spoken) -> None:
        if _read(spoken).get("mchid") != here.keys.mchid:
            raise ApiError(400, "MCH_NOT_EXISTS", "商户号不存在")
        here.trades.close(number)

    return _answer("close", number, act)


@bp.get("/v3/certificates")
def certificates() -> Response:
    """The older platform certificate, sealed with the APIv3 key."""

    def act(here: World, spoken: Spoken) -> dict[str, Any]:
        sealed = seal_resource(here.keys.api_v3_key, here.keys.certificate.encode(), "certificate")
        entry = {
            "serial_no": here.keys.certificate_serial,
            "effective_time": "2021-01-01T00:00:00+08:00",
            "expire_time": "2040-12-27T00:00:00+08:00",
            "encrypt_certificate": sealed,
        }
        return {"data": [entry]}

    return _answer("certificates", "", act)


def _answer(on: str, number: str, act: Callable[[World, Spoken], dict[str, Any] | None]) -> Response:
    """Check the request, act, sign what is said; faults waiting for this number spoil it on the way."""
    here = world()
    path = request.environ.get("RAW_URI") or request.environ["REQUEST_URI"]
    spoken = Spoken(request.method, path, request.headers, request.get_data())
    if delay := here.faults.take("delay", number, on):
        time.sleep(delay["seconds"])
    try:
        check_signature(spoken, here.keys, here.voice.merchant_key)
        check_headers(spoken, here.keys)
        if error := here.faults.take("error", number, on):
            raise ApiError(error.get("status", 500), error.get("code", "SYSTEM_ERROR"), "系统异常，请稍后重试")
        said = act(here, spoken)
    except ApiError as refusal:
        return _signed(here, spoken, refusal.status, _dumped(refusal.document()))
    except Declined as refusal:
        return _signed(here, spoken, 400, _dumped({"code": refusal.code, "message": refusal.message}))
    whole = _signed(here, spoken, 204 if said is None else 200, b"" if said is None else _dumped(said))
    return _spoiled(here, on, number, whole)


def _spoiled(here: World, on: str, number: str, answer: Response) -> Response:
    if silent := here.faults.take("silent", number, on):
        time.sleep(silent.get("seconds", 12))
    if here.faults.take("html", number, on):
        return Response("<html><body>502 Bad Gateway</body></html>", 200, content_type="text/html")
    if here.faults.take("unsigned", number, on):
        for name in [name for name, _ in answer.headers if name.startswith("Wechatpay-")]:
            del answer.headers[name]
    if here.faults.take("truncated", number, on):
        answer.set_data(answer.get_data()[: len(answer.get_data()) // 2])
    if here.faults.take("answer_signtest", number, on):
        probe = "WECHATPAY/SIGNTEST/"
        answer.headers["Wechatpay-Signature"] = probe + answer.headers["Wechatpay-Signature"][len(probe) :]
    return answer


def _signed(here: World, spoken: Spoken, status: int, body: bytes) -> Response:
    by_public_key = spoken.headers.get("Wechatpay-Serial") == here.keys.pub_key_id
    answer = Response(body, status, content_type="application/json; charset=utf-8")
    for name, value in here.voice.signed(body, by_public_key=by_public_key).items():
        answer.headers[name] = value
    answer.headers["Request-ID"] = random_text(32).upper()
    return answer


def _asked_by_merchant(here: World) -> World:
    if request.args.get("mchid") != here.keys.mchid:
        raise ApiError(400, "PARAM_ERROR", "参数错误", {"field": "mchid", "location": "query"})
    return here


def _read(spoken: Spoken) -> dict[str, Any]:
    try:
        wanted = json.loads(spoken.body)
    except ValueError:
        wanted = None
    if not isinstance(wanted, dict):
        raise ApiError(400, "PARAM_ERROR", "请求体不是JSON")
    return wanted


def _number_wanted() -> str:
    wanted = request.get_json(silent=True)
    number = wanted.get("out_trade_no") if isinstance(wanted, dict) else None
    return number if isinstance(number, str) else ""


def _dumped(said: dict[str, Any]) -> bytes:
    return json.dumps(said, ensure_ascii=False, separators=(",", ":")).encode()
