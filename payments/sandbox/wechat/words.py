"""What WeChat Pay's far side says about trades and refunds, and how it says no."""

from typing import Any

from payments.sandbox.shelf import Document
from payments.sandbox.trades import Why
from payments.sandbox.wechat.check import ApiError

_STATE_WORDS = {"NOTPAY": "订单未支付", "SUCCESS": "支付成功", "REFUND": "转入退款", "CLOSED": "订单已关闭"}
_REFUND_STATES = {"PROCESSING": "PROCESSING", "SUCCESS": "SUCCESS", "FAILED": "CLOSED", "ABNORMAL": "ABNORMAL"}
_REFUSALS = {
    Why.ABSENT: ApiError(404, "ORDER_NOT_EXIST", "订单不存在"),
    Why.PAID: ApiError(400, "ORDERPAID", "该订单已支付"),
    Why.CLOSED: ApiError(400, "ORDER_CLOSED", "该订单已关闭"),
    Why.EXPIRED: ApiError(400, "INVALID_REQUEST", "订单已过支付截止时间"),
    Why.DIFFERENT: ApiError(400, "INVALID_REQUEST", "201 商户订单号重复"),
    Why.UNPAID: ApiError(400, "INVALID_REQUEST", "订单未支付，不能退款"),
    Why.TOO_MUCH: ApiError(400, "INVALID_REQUEST", "申请退款金额大于订单剩余可退金额"),
    Why.TOO_MANY: ApiError(400, "INVALID_REQUEST", "订单退款次数超限"),
    Why.SHORT: ApiError(403, "NOT_ENOUGH", "基本账户余额不足，请充值后重新发起"),
}


def refused(why: Why) -> ApiError:
    """The same no in this far side's words."""
    said = _REFUSALS[why]
    return ApiError(said.status, said.code, said.message)


def trade_type(kind: str) -> str:
    """How a way to the payer is called in transactions and bills."""
    return "MWEB" if kind == "h5" else kind.upper()


def transaction_of(trade: Document) -> dict[str, Any]:
    """The transaction object of queries and callbacks; before payment only what is known then."""
    wanted = trade["content"]
    state = "REFUND" if trade["refunds"] else trade["state"]
    said = {
        "appid": wanted["appid"],
        "mchid": wanted["mchid"],
        "out_trade_no": trade["number"],
        "trade_state": state,
        "trade_state_desc": _STATE_WORDS[state],
    }
    if trade["state"] != "SUCCESS":
        return said
    amount = {"total": trade["amount"], "payer_total": trade["payer_amount"]}
    return said | {
        "transaction_id": trade["reference"],
        "trade_type": trade_type(wanted["kind"]),
        "bank_type": "OTHERS",
        "attach": wanted.get("attach", ""),
        "success_time": trade["success_time"],
        "payer": {"openid": trade["payer"]},
        "amount": amount | {"currency": "CNY", "payer_currency": "CNY"},
    }


def refund_of(trade: Document, refund: Document) -> dict[str, Any]:
    """The refund object of answers and queries."""
    said = {
        "refund_id": refund["reference"],
        "out_refund_no": refund["number"],
        "transaction_id": trade["reference"],
        "out_trade_no": trade["number"],
        "channel": "ORIGINAL",
        "user_received_account": "支付用户零钱",
        "create_time": refund["asked_at"],
        "status": _REFUND_STATES[refund["state"]],
        "funds_account": "UNSETTLED",
        "amount": _money(trade, refund)
        | {
            "from": [],
            "settlement_refund": refund["amount"],
            "settlement_total": trade["amount"],
            "discount_refund": 0,
            "currency": "CNY",
            "refund_fee": 0,
        },
        "promotion_detail": [],
    }
    return said | ({"success_time": refund["success_time"]} if refund["state"] == "SUCCESS" else {})


def refund_notice_of(trade: Document, refund: Document) -> dict[str, Any]:
    """What a refund's callback holds: other names than the refund object's, no appid and no currency."""
    said = {
        "mchid": trade["content"]["mchid"],
        "out_trade_no": trade["number"],
        "transaction_id": trade["reference"],
        "out_refund_no": refund["number"],
        "refund_id": refund["reference"],
        "refund_status": _REFUND_STATES[refund["state"]],
        "user_received_account": "支付用户零钱",
        "amount": _money(trade, refund),
    }
    return said | ({"success_time": refund["success_time"]} if refund["state"] == "SUCCESS" else {})


def _money(trade: Document, refund: Document) -> dict[str, int]:
    return {
        "total": trade["amount"],
        "refund": refund["amount"],
        "payer_total": trade["payer_amount"],
        "payer_refund": min(refund["amount"], trade["payer_amount"]),
    }
