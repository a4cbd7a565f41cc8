"""What Alipay says of a trade, in answers and in notifications; amounts in yuan, moments in Beijing time."""

from datetime import datetime, timedelta
from typing import Any

from payments.sandbox.far import Event
from payments.sandbox.shelf import Document
from payments.sandbox.trades import refunded

REFUND_PERIOD = timedelta(days=365)
_NOTHING = "0.00"


def status_of(trade: Document, now: datetime, *, over: bool = False) -> str:
    """trade_status: closed means its time, a close, or given back in full; finished means the refund period is over."""
    if trade["state"] != "SUCCESS":
        return "TRADE_CLOSED" if over or trade["state"] == "CLOSED" else "WAIT_BUYER_PAY"
    if refunded(trade) == trade["amount"]:
        return "TRADE_CLOSED"
    late = now - datetime.fromisoformat(trade["success_time"]) > REFUND_PERIOD
    return "TRADE_FINISHED" if late else "TRADE_SUCCESS"


def trade_of(trade: Document, trade_no: str, status: str) -> dict[str, Any]:
    """The answer to a query, without code and msg."""
    paid = trade["state"] == "SUCCESS"
    said: dict[str, Any] = {
        "buyer_logon_id": "159****5620",
        "buyer_pay_amount": yuan(trade["payer_amount"]) if paid else _NOTHING,
        "buyer_user_id": "2088102116773037",
        "buyer_user_type": "PRIVATE",
        "invoice_amount": yuan(trade["payer_amount"]) if paid else _NOTHING,
        "out_trade_no": trade["number"],
        "point_amount": _NOTHING,
        "receipt_amount": yuan(trade["amount"]) if paid else _NOTHING,
        "total_amount": yuan(trade["amount"]),
        "trade_no": trade_no,
        "trade_status": status,
    }
    if paid:
        said["send_pay_date"] = stamp(trade["success_time"])
        said["fund_bill_list"] = [{"amount": yuan(trade["payer_amount"]), "fund_channel": "ALIPAYACCOUNT"}]
    return said


def refund_of(trade: Document, refund: Document, *, moved: bool) -> dict[str, Any]:
    """The answer to a refund; refund_fee is what went back of the trade in all."""
    said = {
        "buyer_logon_id": "159****5620",
        "buyer_user_id": "2088102116773037",
        "fund_change": "Y" if moved else "N",
        "out_trade_no": trade["number"],
        "refund_fee": yuan(refunded(trade)),
        "send_back_fee": yuan(refund["amount"]) if moved else _NOTHING,
        "trade_no": trade["reference"],
    }
    if refund["state"] == "SUCCESS":
        said["gmt_refund_pay"] = stamp(refund["success_time"])
    return said


def refund_status_of(trade: Document, refund: Document) -> dict[str, Any]:
    """The answer to a refund query; of a refund that failed, nothing is said at all."""
    if refund["state"] != "SUCCESS":
        return {}
    return {
        "gmt_refund_pay": stamp(refund["success_time"]),
        "out_request_no": refund["number"],
        "out_trade_no": trade["number"],
        "refund_amount": yuan(refund["amount"]),
        "refund_status": "REFUND_SUCCESS",
        "total_amount": yuan(trade["amount"]),
        "trade_no": trade["reference"],
    }


def notice_of(event: Event, *, app_id: str, seller_id: str, trade_no: str, now: datetime) -> dict[str, str]:
    """A notification's fields, without sign: as things stood when it happened, whenever it is told."""
    trade, refund = event.trade, event.refund
    before = _until(trade, refund)
    status = status_of(before, now) if refund or trade["state"] != "SUCCESS" else "TRADE_SUCCESS"
    said = {
        "notify_time": stamp(now.isoformat()),
        "notify_type": "trade_status_sync",
        "notify_id": event.id.removeprefix("EV-"),
        "app_id": app_id,
        "auth_app_id": app_id,
        "charset": "utf-8",
        "version": "1.0",
        "sign_type": "RSA2",
        "trade_no": trade_no,
        "out_trade_no": trade["number"],
        "buyer_id": "2088102116773037",
        "buyer_logon_id": "159****5620",
        "seller_id": seller_id,
        "seller_email": "sandbox@example.invalid",
        "trade_status": status,
        "subject": trade["description"],
        "total_amount": yuan(trade["amount"]),
        "gmt_create": stamp(trade["placed_at"]),
    }
    if trade["state"] == "SUCCESS":
        said |= _paid(trade)
    if refund:
        said |= {"refund_fee": yuan(refunded(before)), "gmt_refund": f"{stamp(refund['success_time'])}.123"}
        said |= {"out_biz_no": refund["number"], "send_back_fee": yuan(refund["amount"])}
    if status == "TRADE_CLOSED":
        said["gmt_close"] = stamp(refund["success_time"] if refund else now.isoformat())
    return said


def yuan(fen: int) -> str:
    """Fen as Alipay writes them."""
    return f"{'-' if fen < 0 else ''}{abs(fen) // 100}.{abs(fen) % 100:02d}"


def stamp(moment: str) -> str:
    """'2021-11-05 09:00:00' of an RFC 3339 moment in Beijing time."""
    return f"{datetime.fromisoformat(moment):%Y-%m-%d %H:%M:%S}"


def _paid(trade: Document) -> dict[str, str]:
    payer = yuan(trade["payer_amount"])
    return {
        "gmt_payment": stamp(trade["success_time"]),
        "receipt_amount": yuan(trade["amount"]),
        "invoice_amount": payer,
        "buyer_pay_amount": payer,
        "point_amount": _NOTHING,
        "fund_bill_list": f'[{{"amount":"{payer}","fundChannel":"ALIPAYACCOUNT"}}]',
    }


def _until(trade: Document, refund: Document | None) -> Document:
    """The trade with no later refund than this one."""
    if refund is None:
        return trade
    told = [one for one in trade["refunds"] if one.get("settled_at", "") <= refund["settled_at"]]
    return trade | {"refunds": told}
