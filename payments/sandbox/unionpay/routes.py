"""UnionPay's far side: QR codes, its own page, queries, refunds and files; each request checked, each answer signed."""

import time
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from flask import Response, redirect, render_template

from payments.sandbox.clock import BEIJING
from payments.sandbox.shelf import Document
from payments.sandbox.statements import spoilt, take_spoils
from payments.sandbox.trades import Refusal, Trades, day_limits
from payments.sandbox.unionpay.answer import answer, check_caller, heard_form, invalid
from payments.sandbox.unionpay.check import MESSAGES, No, check_form, check_times, moment_of
from payments.sandbox.unionpay.side import NAME, UnionPaySide, bp, side
from payments.sandbox.unionpay.statement import DAY_BEGINS, content_of, with_other_total, zip_of
from payments.sandbox.unionpay.voice import Fields
from payments.sandbox.unionpay.words import echo, refund_state_of, state_of, verdict
from payments.sandbox.world import World, world

__all__ = ["UnionPaySide"]  # with its routes, which this module adds to its blueprint
_QR, _PAGE = frozenset({("01", "07", "000000")}), frozenset({("01", "01", "000201")})
_QUERY, _REFUND = frozenset({("00", "00", "000000")}), frozenset({("04", "00", "000000")})
_FILE = frozenset({("76", "01", "000000")})
_REFUND_TAKES_S = 60  # from accepted to settled, times the notifier's factor
_REFUND_WITHIN = timedelta(days=30)
_FILE_AFTER = timedelta(hours=10)  # the file of a day that ended at 23:00 is there the next morning at nine
_UNTIMED = timedelta(hours=2)


@bp.post("/gateway/api/backTransReq.do")
def back() -> Response:
    """申请消费二维码 or 退货."""
    heard = heard_form()
    if heard is None:
        return invalid()
    if heard.get("txnType") == "04":
        return answer("refund", heard, _REFUND, _give_back)
    return answer("create", heard, _QR, _make_code)


@bp.post("/gateway/api/queryTrans.do")
def query() -> Response:
    """What became of a payment or of a refund, by its number and its txnTime."""
    heard = heard_form()
    if heard is None:
        return invalid()
    try:
        world().trades.find_refund(NAME, heard.get("orderId", ""))
    except Refusal:
        return answer("query", heard, _QUERY, partial(_tell, on="query"))
    return answer("refund_query", heard, _QUERY, partial(_tell, on="refund_query"))


@bp.post("/gateway/api/frontTransReq.do")
def front() -> Any:
    """The payer's browser brings an order: on to the page where it is paid, or a page that says why not."""
    here, heard = world(), heard_form() or {}
    try:
        check_caller(here, heard)
        check_form(heard, _PAGE)
        check_times(heard, here.clock.now())
        trade = _placed(here, heard)
    except No as no:
        problem = MESSAGES.get(no.code, "Invalid request.")
        return render_template("phone.html", title="不能付款", problem=problem), 400
    except Refusal:
        return render_template("phone.html", title="不能付款", problem=MESSAGES["12"]), 409
    return redirect(f"/phone?code={side(here).fresh_page(trade)}", 303)


@bp.post("/file")
def file() -> Response:
    """对账文件下载."""
    heard = heard_form()
    return invalid() if heard is None else answer("statement", heard, _FILE, _hand_out)


def _make_code(here: World, heard: Fields) -> Fields:
    check_times(heard, here.clock.now())
    with here.trades.lock:
        _new_number(here.trades, heard["orderId"])
        trade = _placed(here, heard)
    code = side(here).fresh_code(trade)
    if here.faults.take("callback_early", trade["number"], gateway=NAME):
        here.notifier.tell_now(side(here).pay(trade, ""))
    return echo(heard) | {"qrCode": code} | verdict("00")


def _placed(here: World, heard: Fields) -> Document:
    content = {name: value for name, value in heard.items() if name not in ("signature", "certId")}
    timeout = heard.get("payTimeout")
    return here.trades.place(
        NAME,
        heard["orderId"],
        amount=int(heard["txnAmt"]),
        content=content,
        expires_at=moment_of(timeout) if timeout else here.clock.now() + _UNTIMED,
        description=heard.get("orderDesc", "云闪付付款"),
    )


def _new_number(trades: Trades, number: str) -> None:
    """No("12") for a number that lives already, as an order or as a refund."""
    for find in (trades.find, trades.find_refund):
        try:
            find(NAME, number)
        except Refusal:
            continue
        raise No("12")


def _give_back(here: World, heard: Fields) -> Fields:
    check_times(heard, here.clock.now())
    with here.trades.lock:
        _new_number(here.trades, heard["orderId"])
        trade = here.trades.find_reference(NAME, heard["origQryId"])
        if here.clock.now() - datetime.fromisoformat(trade["success_time"]) > _REFUND_WITHIN:
            raise No("35")
        trade, taken = here.trades.refund(
            trade,
            heard["orderId"],
            amount=int(heard["txnAmt"]),
            content={name: value for name, value in heard.items() if name not in ("signature", "certId")},
            reference=side(here).query_id(),
        )
    here.notifier.settle_refund(trade, taken, after_s=_REFUND_TAKES_S)
    said = {"origQryId": heard["origQryId"], "queryId": taken["reference"], "txnAmt": heard["txnAmt"]}
    return echo(heard) | said | verdict("00")


def _tell(here: World, heard: Fields, *, on: str) -> Fields:
    number, other = heard["orderId"], here.faults.take("other_trade", heard["orderId"], on=on, gateway=NAME)
    told = here.faults.take("trade_code", number, on=on, gateway=NAME)
    try:
        if on == "refund_query":
            trade, refund = here.trades.find_refund(NAME, other["instead"] if other else number)
            asked, said = refund["content"], refund_state_of(trade, refund)
        else:
            trade = here.trades.find(NAME, other["instead"] if other else number)
            asked, said = trade["content"], state_of(trade)
    except Refusal:
        raise No("34") from None
    if not other and asked["txnTime"] != heard["txnTime"]:
        raise No("34")
    if told:
        return echo(asked) | {"txnAmt": asked["txnAmt"]} | verdict("00") | verdict(told["code"], "origResp")
    if said is None:
        raise No("34")
    return said


def _hand_out(here: World, heard: Fields) -> Fields:
    if abs(time.time() - moment_of(heard["txnTime"]).timestamp()) > 600:  # no trade's moment, but the request's own
        raise No("10")
    day = side(here).settlement_day(heard["settleDate"])
    if day is None or here.faults.take("statement_not_ready", "", on="statement", gateway=NAME):
        raise No("98")
    paid = here.trades.paid_on(NAME, day, day_begins=DAY_BEGINS)
    moved = paid or here.trades.refunds_on(NAME, day, day_begins=DAY_BEGINS)
    if not moved or here.clock.now() < day_limits(day, DAY_BEGINS)[1].astimezone(BEIJING) + _FILE_AFTER:
        raise No("98")
    adjusted = paid[0] if paid and here.faults.take("statement_adjustment", "", gateway=NAME) else None
    spoil = partial(spoilt, spoils=take_spoils(here.faults, NAME), with_other_total=with_other_total)
    packed = zip_of(here.trades, NAME, day, mer_id=side(here).keys.mer_id, adjusted=adjusted, spoil=spoil)
    name = f"{heard['merId']}_{day:%Y%m%d}.zip"
    about = {"settleDate": heard["settleDate"], "fileType": "00", "fileName": name, "fileContent": content_of(packed)}
    return echo(heard) | about | verdict("00")
