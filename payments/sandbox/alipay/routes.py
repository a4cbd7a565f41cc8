"""Alipay's far side: gateway.do for every method, each request checked and each answer signed, and the bill's download.

Answers are JSON that calls itself HTML. What is wrong with app, key or common words comes unsigned.
"""

import time
from collections.abc import Callable, Mapping
from datetime import date, datetime, timedelta
from typing import Any

from flask import Response, redirect, request

from payments.sandbox.alipay import check, complaints
from payments.sandbox.alipay.answer import answered, page_of
from payments.sandbox.alipay.check import Asked, Denied
from payments.sandbox.alipay.side import CODE_URL, AlipaySide, bp, by_page, side
from payments.sandbox.alipay.statement import NAME, movements_on
from payments.sandbox.alipay.words import refund_of, refund_status_of, status_of, trade_of
from payments.sandbox.clock import BEIJING
from payments.sandbox.shelf import Document
from payments.sandbox.signing import random_digits, random_text
from payments.sandbox.statements import take_spoils
from payments.sandbox.trades import Refusal, Why
from payments.sandbox.world import World, world

__all__ = ["AlipaySide"]  # with its routes
Said = dict[str, Any]

_LINK_LIVES_S = 30
_READY_AT = timedelta(hours=9)  # on the day after
_FIRST_DAY = date(2016, 1, 1)
_ORDER_NO = {
    Why.PAID: ("ACQ.TRADE_HAS_SUCCESS", "交易已被支付"),
    Why.CLOSED: ("ACQ.TRADE_HAS_CLOSE", "交易已经关闭"),
    Why.EXPIRED: ("ACQ.TRADE_HAS_CLOSE", "交易已经关闭"),
    Why.DIFFERENT: ("ACQ.CONTEXT_INCONSISTENT", "交易信息被篡改"),
}
_REFUND_NO = {
    Why.DIFFERENT: ("ACQ.DISCORDANT_REPEAT_REQUEST", "请求信息不一致"),
    Why.TOO_MUCH: ("ACQ.REFUND_AMT_NOT_EQUAL_TOTAL", "退款金额超限"),
    Why.TOO_MANY: ("ACQ.REASON_TRADE_REFUND_FEE_ERR", "退款次数超限"),
    Why.SHORT: ("ACQ.SELLER_BALANCE_NOT_ENOUGH", "卖家余额不足"),
    Why.UNPAID: ("ACQ.TRADE_STATUS_ERROR", "交易状态不合法"),
}


@bp.post("/gateway.do")
def gateway() -> Response:
    """Every method; alipay.trade.wap.pay comes from the payer's browser and is answered with a page."""
    return answered(ACTS)


@bp.get("/downloadBillFile.resource")
def download() -> Response:
    """The zip behind an address that lives 30 seconds; afterwards a page that says so."""
    here = world()
    link = here.shelf.get("alipay_bill", request.args.get("fileId", ""))
    if link is None or time.time() - link["made_at"] > _LINK_LIVES_S:
        return page_of("下载链接已失效", 200)
    spoils = take_spoils(here.faults, NAME)
    if here.faults.take("statement_hash", "", on="statement", gateway=NAME):
        spoils += ("statement_hash",)
    whole = side(here).spoilt_statement(date.fromisoformat(link["day"]), spoils)
    return Response(whole, content_type="application/octet-stream")


def _create(here: World, asked: Asked) -> Said:
    trade = _placed(here, asked)
    token = side(here).fresh_token(trade)
    return {"out_trade_no": trade["number"], "qr_code": CODE_URL + token}


def _open_page(here: World, asked: Asked) -> Response:
    """The order is taken, and the browser goes on to the phone page."""
    token = side(here).fresh_token(_placed(here, asked))
    return redirect(f"/phone?code={token}", 303)  # type: ignore[return-value]


def _placed(here: World, asked: Asked) -> Document:
    try:
        trade = side(here).place(asked)
    except Refusal as refusal:
        raise Denied(*_ORDER_NO[refusal.why]) from refusal
    except ValueError:
        raise Denied("ACQ.INVALID_PARAMETER", "参数无效：time_expire") from None
    if here.faults.take("callback_early", trade["number"], gateway=NAME):
        here.notifier.tell_now(side(here).pay(trade, ""))
    return trade


def _query(here: World, asked: Asked) -> Said:
    trade = _trade(here, asked)
    if other := here.faults.take("other_trade", trade["number"], gateway=NAME):
        trade = here.trades.find(NAME, other["instead"])
    return trade_of(trade, side(here).trade_no(trade["number"]) or "", _status(here, trade))


def _close(here: World, asked: Asked) -> Said:
    """A trade nobody has seen does not exist and cannot be closed; its code can still be scanned."""
    number = asked.text("out_trade_no") or side(here).number_of(asked.text("trade_no"))
    unseen = here.trades.payable(NAME, number) if side(here).trade_no(number) is None else None
    if unseen is not None and here.faults.take("close_paid", number, gateway=NAME):
        here.notifier.tell(side(here).pay(unseen, ""))
    trade = _trade(here, asked)
    if _status(here, trade) != "WAIT_BUYER_PAY":
        raise Denied("ACQ.REASON_TRADE_STATUS_INVALID", "交易状态不合法")
    try:
        closed = here.close(NAME, trade["number"])
    except Refusal:
        raise Denied("ACQ.REASON_TRADE_STATUS_INVALID", "交易状态不合法") from None
    if by_page(trade):
        here.notifier.tell(closed | {"event_id": f"EV-{random_digits(30)}"})
    return {"out_trade_no": trade["number"], "trade_no": side(here).trade_no(trade["number"])}


def _refund(here: World, asked: Asked) -> Said:
    """The money moves at once, or by a fault not at all: then the answer is the same, but for fund_change."""
    trade, amount = _trade(here, asked), check.fen_of(asked.text("refund_amount"))
    number = asked.text("out_request_no") or trade["number"]
    if amount < 1 or (amount < trade["amount"] and not asked.text("out_request_no")):
        raise Denied("ACQ.INVALID_PARAMETER", "参数无效")
    if not any(one["number"] == number for one in trade["refunds"]):
        status = _status(here, trade)
        if status == "TRADE_FINISHED":
            raise Denied("ACQ.TRADE_HAS_FINISHED", "交易已经完结")
        if status != "TRADE_SUCCESS":
            raise Denied("ACQ.TRADE_STATUS_ERROR", "交易状态不合法")
    try:
        reference = f"{trade['number']}/{number}"  # Alipay gives refunds no number of its own
        here.trades.refund(trade, number, amount=amount, content={"amount": amount}, reference=reference)
    except Refusal as refusal:
        raise Denied(*_REFUND_NO[refusal.why]) from refusal
    here.trades.retry_refund(NAME, trade["number"], number)
    settled = here.trades.settle_refund(NAME, trade["number"], number)
    moved = settled is not None and settled[1]["state"] == "SUCCESS"
    if settled is not None and moved:
        here.notifier.tell(*settled)
    trade, refund = here.trades.find_refund(NAME, number, of=trade["number"])
    return refund_of(trade, refund, moved=moved)


def _query_refund(here: World, asked: Asked) -> Said:
    trade = _trade(here, asked)
    try:
        return refund_status_of(*here.trades.find_refund(NAME, asked.text("out_request_no"), of=trade["number"]))
    except Refusal:
        return {}


def _bill(here: World, asked: Asked) -> Said:
    """Where the day's zip is, for 30 seconds."""
    try:
        day = date.fromisoformat(asked.text("bill_date"))
    except ValueError:
        day = date.min
    ready = datetime(day.year, day.month, day.day, tzinfo=BEIJING) + timedelta(days=1) + _READY_AT
    late = here.faults.take("statement_not_ready", "", on="statement", gateway=NAME)
    if late and "code" in late:
        raise Denied(f"isp.{late['code']}", "账单不存在")
    if asked.text("bill_type") != "trade" or day < _FIRST_DAY or ready > here.clock.now() or late:
        raise Denied("isv.INVAILID_ARGUMENTS", "入参不合法")
    if not any(movements_on(here.trades, day)):
        raise Denied("NO_BILL_DATA", "无账单数据")
    token, ended = random_text(24), here.faults.take("statement_expired", "", on="statement", gateway=NAME)
    made_at = time.time() - (_LINK_LIVES_S + 1 if ended else 0)
    here.shelf.put("alipay_bill", token, {"day": day.isoformat(), "made_at": made_at})
    return {"bill_download_url": f"http://{request.host}/downloadBillFile.resource?bizType=trade&fileId={token}"}


def _trade(here: World, asked: Asked) -> Document:
    """The trade that is asked about; trade_no wins. Denied while no phone has seen it."""
    number = side(here).number_of(asked.text("trade_no")) if asked.text("trade_no") else asked.text("out_trade_no")
    if side(here).trade_no(number) is None:
        raise Denied("ACQ.TRADE_NOT_EXIST", "交易不存在")
    return here.trades.find(NAME, number)


def _status(here: World, trade: Document) -> str:
    return status_of(trade, here.clock.now(), over=here.trades.is_over(trade))


ACTS: Mapping[str, tuple[str, Callable[[World, Asked], Said | Response]]] = {  # method → what faults call it, act
    check.PRECREATE: ("create", _create),
    check.WAP_PAY: ("create", _open_page),
    check.QUERY: ("query", _query),
    check.CLOSE: ("close", _close),
    check.REFUND: ("refund", _refund),
    check.REFUND_QUERY: ("refund_query", _query_refund),
    check.BILL: ("statement", _bill),
    **complaints.ACTS,
}
