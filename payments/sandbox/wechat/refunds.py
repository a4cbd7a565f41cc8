"""WeChat Pay's far side: refunds, taken at once and settled later, and what became of them."""

from datetime import datetime, timedelta
from typing import Any

from flask import Response

from payments.sandbox.shelf import Document
from payments.sandbox.signing import random_digits
from payments.sandbox.trades import Refusal, Why
from payments.sandbox.wechat.answer import answer, read, texts_wanted
from payments.sandbox.wechat.check import ApiError, Spoken, check_refund
from payments.sandbox.wechat.side import NAME, bp
from payments.sandbox.wechat.words import refund_of
from payments.sandbox.world import World, world

_PATH = "/v3/refund/domestic/refunds"
_WITHIN = timedelta(days=365)
_MOST = 50
_TAKES_S = 60  # from accepted to settled, times the notifier's factor


@bp.post(_PATH)
def refund() -> Response:
    """A refund, or the same again: accepted is not yet refunded."""

    def act(here: World, spoken: Spoken) -> dict[str, Any]:
        wanted = read(spoken)
        check_refund(wanted)
        trade = _paid_trade(here, wanted)
        with here.trades.lock:
            _not_of_another(here, trade, wanted["out_refund_no"])
            trade, taken = _taken(here, trade, wanted)
        here.notifier.settle_refund(trade, taken, after_s=_TAKES_S)
        return refund_of(trade, taken)

    return answer("refund", _whose(), act)


@bp.get(f"{_PATH}/<number>")
def query_refund(number: str) -> Response:
    """One refund by the merchant's number."""

    def act(here: World, spoken: Spoken) -> dict[str, Any]:
        other = here.faults.take("other_trade", number, gateway=NAME)
        try:
            return refund_of(*here.trades.find_refund(NAME, other["instead"] if other else number))
        except Refusal as refusal:
            raise ApiError(404, "RESOURCE_NOT_EXISTS", "退款单不存在") from refusal

    return answer("refund_query", (number, *_payment_of(number)), act)


def _paid_trade(here: World, wanted: dict[str, Any]) -> Document:
    try:
        if "transaction_id" in wanted:
            trade = here.trades.find_reference(NAME, wanted["transaction_id"])
        else:
            trade = here.trades.find(NAME, wanted["out_trade_no"])
    except Refusal as refusal:
        raise ApiError(404, "RESOURCE_NOT_EXISTS", "订单号不存在") from refusal
    if wanted["amount"]["total"] != trade["amount"]:
        raise ApiError(400, "INVALID_REQUEST", "订单金额或退款金额与之前请求不一致，请核实后再试")
    if trade["state"] == "SUCCESS" and here.clock.now() - datetime.fromisoformat(trade["success_time"]) > _WITHIN:
        raise ApiError(400, "INVALID_REQUEST", "订单已超过可退款的最大期限")
    return trade


def _not_of_another(here: World, trade: Document, number: str) -> None:
    """A merchant's refund number is one over all its trades."""
    try:
        before, _ = here.trades.find_refund(NAME, number)
    except Refusal:
        return
    if before["number"] != trade["number"]:
        raise ApiError(400, "INVALID_REQUEST", "商户退款单号重复")


def _taken(here: World, trade: Document, wanted: dict[str, Any]) -> tuple[Document, Document]:
    try:
        return here.trades.refund(
            trade,
            wanted["out_refund_no"],
            amount=wanted["amount"]["refund"],
            content=wanted,
            reference=f"50300{random_digits(6)}{here.clock.now():%Y%m%d}{random_digits(10)}",
            most=_MOST,
            notify_url=wanted.get("notify_url"),
        )
    except Refusal as refusal:
        if refusal.why is Why.DIFFERENT:
            raise ApiError(400, "INVALID_REQUEST", "商户退款单号重复，与之前请求不一致") from refusal
        raise


def _whose() -> tuple[str, ...]:
    """The numbers a fault of this request may name: the refund's, and its payment's."""
    found = texts_wanted("out_refund_no", "out_trade_no")
    for transaction_id in texts_wanted("transaction_id"):
        try:
            found += (world().trades.find_reference(NAME, transaction_id)["number"],)
        except Refusal:
            continue
    return found


def _payment_of(number: str) -> tuple[str, ...]:
    try:
        return (world().trades.find_refund(NAME, number)[0]["number"],)
    except Refusal:
        return ()
