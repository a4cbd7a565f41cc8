"""WeChat Pay's far side: /v3 orders, queries, closing and certificates, each request checked and each answer signed."""

from datetime import datetime, timedelta
from typing import Any

from flask import Response

from payments.sandbox.shelf import Document
from payments.sandbox.signing import seal_resource
from payments.sandbox.trades import Refusal, Why
from payments.sandbox.wechat import bill, complaints, h5, refunds
from payments.sandbox.wechat.answer import answer, asked_by_merchant, read, texts_wanted
from payments.sandbox.wechat.check import ApiError, Spoken, check_order, check_payer
from payments.sandbox.wechat.h5 import page_of
from payments.sandbox.wechat.side import CODE_URL, NAME, WeChatSide, bp, side
from payments.sandbox.wechat.words import transaction_of
from payments.sandbox.world import World

__all__ = ["WeChatSide", "bill", "complaints", "h5", "refunds"]  # all its routes, added to its blueprint
_BY_NUMBER = "/v3/pay/transactions/out-trade-no/<number>"


@bp.post("/v3/pay/transactions/<any(jsapi, native, h5):kind>")
def create(kind: str) -> Response:
    """A new order, or the same again."""

    def act(here: World, spoken: Spoken) -> dict[str, Any]:
        wanted = read(spoken)
        check_order(wanted, kind, here.keys)
        if kind == "jsapi":
            whose = here.shelf.get("openid", wanted["payer"]["openid"])
            check_payer(wanted, whose["appid"] if whose else None)
        trade = _placed(here, kind, wanted)
        token = side(here).fresh_token(trade)
        if here.faults.take("callback_early", trade["number"], gateway=NAME):
            here.notifier.tell_now(side(here).pay(trade, ""))
        if kind == "h5":
            astray = here.faults.take("page_astray", trade["number"], gateway=NAME)
            return {"h5_url": page_of(token, "https://pay.example.org" if astray else "")}
        return {"prepay_id": token} if kind == "jsapi" else {"code_url": CODE_URL + token}

    return answer("create", texts_wanted("out_trade_no"), act)


@bp.get(_BY_NUMBER)
def query(number: str) -> Response:
    """One order by the merchant's number."""

    def act(here: World, spoken: Spoken) -> dict[str, Any]:
        other = here.faults.take("other_trade", number, gateway=NAME)
        return transaction_of(asked_by_merchant(here).trades.find(NAME, other["instead"] if other else number))

    return answer("query", (number,), act)


@bp.get("/v3/pay/transactions/id/<transaction_id>")
def query_transaction(transaction_id: str) -> Response:
    """One paid trade by the far side's number."""
    return answer(
        "query",
        ("",),
        lambda here, spoken: transaction_of(asked_by_merchant(here).trades.find_reference(NAME, transaction_id)),
    )


@bp.post(f"{_BY_NUMBER}/close")
def close(number: str) -> Response:
    """No payment possible from now on."""

    def act(here: World, spoken: Spoken) -> None:
        if read(spoken).get("mchid") != here.keys.mchid:
            raise ApiError(400, "MCH_NOT_EXISTS", "商户号不存在")
        here.close(NAME, number)

    return answer("close", (number,), act)


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

    return answer("certificates", ("",), act)


def _placed(here: World, kind: str, wanted: dict[str, Any]) -> Document:
    """The order on the list; under one number only one kind and one content."""
    now = here.clock.now()
    expires_at = now + timedelta(days=7)
    if "time_expire" in wanted:
        asked = datetime.fromisoformat(wanted["time_expire"])
        expires_at = min(max(asked, now + timedelta(minutes=1)), now + timedelta(days=90))
    try:
        return here.trades.place(
            NAME,
            wanted["out_trade_no"],
            amount=wanted["amount"]["total"],
            content=wanted | {"kind": kind},
            expires_at=expires_at,
            description=wanted["description"],
            openid=wanted["payer"]["openid"] if kind == "jsapi" else "",
        )
    except Refusal as refusal:
        if refusal.why is Why.DIFFERENT and refusal.before and refusal.before["content"]["kind"] != kind:
            raise ApiError(403, "OUT_TRADE_NO_USED", "商户订单号重复") from refusal
        raise
