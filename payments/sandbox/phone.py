"""The payer's phone: a page that shows what a code asks for and pays it, and the same as JSON for tests and demos."""

from typing import Any

from flask import Blueprint, render_template, request

from payments.sandbox.shelf import Document
from payments.sandbox.trades import Declined, refunded
from payments.sandbox.world import world

bp = Blueprint("phone", __name__)
_MERCHANT = "居民两险缴费（沙盒）"
Page = str | tuple[str, int]


@bp.get("/phone")
def look() -> Page:
    """Paste a code of any gateway, or open one with ?code=…"""
    code = request.args.get("code", "").strip()
    if not code:
        return render_template("phone.html", title="付款")
    try:
        trade = world().behind(code)
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
        trade = world().pay(code, request.form.get("openid", ""))
    except Declined as refusal:
        return render_template("phone.html", title="不能付款", problem=refusal.message), 409
    back = world().far[trade["gateway"]].returns(trade)
    return render_template("phone.html", title="支付成功", paid=True, back=back, **_shown(trade))


@bp.get("/phone/texts")
def texts() -> Page:
    """The text messages that came lately, the newest first."""
    found = [message for message in world().shelf.all("message") if message["channel"] == "sms"]
    found.sort(key=lambda message: message["delivered_at"], reverse=True)
    return render_template("texts.html", messages=found[:20])


@bp.post("/phone/pay")
def pay() -> dict[str, Any] | tuple[dict[str, Any], int]:
    """{code_url or prepay_id, openid?} → the paid trade; 409 with code and message when the phone says no.

    code_url may be of any gateway: the text of a code, or the code of the phone page's address. Where the payer's
    browser would go back to the merchant, `return` says how: {url, fields}; fields null for a link."""
    asked = request.get_json(silent=True)
    asked = asked if isinstance(asked, dict) else {}
    code = str(asked.get("code_url") or asked.get("prepay_id") or "")
    try:
        trade = world().pay(code, str(asked.get("openid") or ""))
    except Declined as refusal:
        return {"code": refusal.code, "message": refusal.message}, 409
    back = world().far[trade["gateway"]].returns(trade)
    return trade_line(trade) | ({"return": {"url": back.url, "fields": back.fields}} if back else {})


def trade_line(trade: Document) -> dict[str, Any]:
    """One line of the outside's list of paid trades; amounts in fen, the moment in RFC 3339."""
    names = ("gateway", "number", "reference", "amount", "payer_amount", "success_time", "payer")
    return {name: trade[name] for name in names} | {"refunded": refunded(trade)}


def _shown(trade: Document) -> dict[str, str]:
    fen = trade["payer_amount"]
    return {
        "merchant": _MERCHANT,
        "description": trade["description"],
        "yuan": f"{fen // 100}.{fen % 100:02d}",
    }
