"""The payer's phone: a page that shows what a code asks for and pays it, and the same as JSON for tests and demos."""

from typing import Any

from flask import Blueprint, render_template, request

from payments.sandbox.shelf import Document
from payments.sandbox.wechat_check import ApiError
from payments.sandbox.wechat_trades import Declined
from payments.sandbox.world import world

bp = Blueprint("phone", __name__)
_MERCHANT = "峄城区居民两险缴费（沙箱）"
Page = str | tuple[str, int]


@bp.get("/phone")
def look() -> Page:
    """Paste a code_url or prepay_id, or open one with ?code=…"""
    code = request.args.get("code", "").strip()
    if not code:
        return render_template("phone.html", title="付款")
    try:
        trade = _behind(code)
    except Declined as refusal:
        return render_template("phone.html", title="不能付款", problem=refusal.message), 404
    if trade["state"] != "NOTPAY":
        words = "这一笔已经付过了" if trade["state"] == "SUCCESS" else "这一笔已经关闭"
        return render_template("phone.html", title="不能付款", problem=words)
    return render_template("phone.html", title="确认付款", code=code, **_shown(trade))


@bp.post("/phone")
def decide() -> Page:
    """确认支付 or 取消."""
    code = request.form.get("code", "")
    if request.form.get("decision") != "pay":
        return render_template("phone.html", title="已取消", problem="没有付款。需要时可以重新打开付款码。")
    try:
        trade = _pay(code, request.form.get("openid", ""))
    except Declined as refusal:
        return render_template("phone.html", title="不能付款", problem=refusal.message), 409
    return render_template("phone.html", title="支付成功", paid=True, **_shown(trade))


@bp.post("/phone/pay")
def pay() -> dict[str, Any] | tuple[dict[str, Any], int]:
    """{code_url or prepay_id, openid?} → the paid trade; 409 with code and message when the phone says no."""
    asked = request.get_json(silent=True)
    asked = asked if isinstance(asked, dict) else {}
    try:
        trade = _pay(str(asked.get("code_url") or asked.get("prepay_id") or ""), str(asked.get("openid") or ""))
    except Declined as refusal:
        return {"code": refusal.code, "message": refusal.message}, 409
    return trade_line(trade)


def trade_line(trade: Document) -> dict[str, Any]:
    """One line of the far side's list of paid trades; amounts in fen, the moment in RFC 3339."""
    return {
        "gateway": "wechat",
        "number": trade["number"],
        "transaction_id": trade["transaction_id"],
        "amount": trade["amount"],
        "payer_amount": trade["payer_amount"],
        "success_time": trade["success_time"],
        "openid": trade["payer"],
    }


def _pay(code: str, openid: str) -> Document:
    here = world()
    trade = here.trades.pay(_behind(code)["number"], openid)
    here.notifier.tell(trade)
    return trade


def _behind(code: str) -> Document:
    try:
        return world().trades.behind(code)
    except ApiError as error:
        raise Declined(error.code, error.message) from error


def _shown(trade: Document) -> dict[str, str]:
    fen = trade["payer_amount"]
    return {
        "merchant": _MERCHANT,
        "description": trade["wanted"]["description"],
        "yuan": f"{fen // 100}.{fen % 100:02d}",
    }
