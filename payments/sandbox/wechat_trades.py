"""The far side's own orders and paid trades: what can be paid, by whom, until when, and what was."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from payments.sandbox.clock import SandboxClock
from payments.sandbox.faults import Faults
from payments.sandbox.shelf import Document, Shelf
from payments.sandbox.signing import random_digits, random_text
from payments.sandbox.wechat_check import ApiError

CODE_URL = "weixin://wxpay/bizpayurl?pr="
_TOKEN_LIVES = timedelta(hours=2)
_STATE_WORDS = {"NOTPAY": "订单未支付", "SUCCESS": "支付成功", "CLOSED": "订单已关闭"}


@dataclass(eq=False)
class Declined(Exception):
    """The payer's phone says no."""

    code: str
    message: str


class Trades:
    """One merchant's orders. Every change holds the shelf's lock, so of two payers one succeeds."""

    def __init__(self, shelf: Shelf, clock: SandboxClock, faults: Faults) -> None:
        self._shelf, self._clock, self._faults = shelf, clock, faults

    def place(self, kind: str, wanted: dict[str, Any]) -> str:
        """A fresh token (the code_url's or the prepay_id) for a new order or one repeated word for word; ApiError."""
        number = wanted["out_trade_no"]
        now = self._clock.now()
        with self._shelf.lock:
            trade = self._shelf.get("trade", number)
            if trade is None:
                trade = self._new(kind, wanted, now)
                self._shelf.put("trade", number, trade)
            else:
                _same_and_open(trade, kind, wanted, now)
            token = f"wx{now:%d%H%M%S}{random_text(22)}" if kind == "jsapi" else random_text(9)
            self._shelf.put("token", token, {"number": number, "issued_at": now.isoformat()})
        return token

    def find(self, number: str) -> Document:
        """404 ORDER_NOT_EXIST."""
        trade = self._shelf.get("trade", number)
        if trade is None:
            raise ApiError(404, "ORDER_NOT_EXIST", "订单不存在")
        return trade

    def find_transaction(self, transaction_id: str) -> Document:
        """By the far side's own number; 404 ORDER_NOT_EXIST."""
        pointer = self._shelf.get("transaction", transaction_id)
        return self.find(pointer["number"] if pointer else "")

    def close(self, number: str) -> None:
        """Nobody can pay it from now on; ApiError when it is paid, closed or absent."""
        with self._shelf.lock:
            trade = self.find(number)
            if trade["state"] == "SUCCESS":
                raise ApiError(400, "ORDERPAID", "该订单已支付")
            if trade["state"] == "CLOSED":
                raise ApiError(400, "ORDER_CLOSED", "该订单已关闭")
            self._shelf.put("trade", number, {**trade, "state": "CLOSED"})

    def behind(self, token: str) -> Document:
        """The order a phone finds behind a code_url or a prepay_id; Declined."""
        pointer = self._shelf.get("token", token.removeprefix(CODE_URL))
        if pointer is None:
            raise Declined("NOT_FOUND", "没有找到这个付款码")
        if self._clock.now() - datetime.fromisoformat(pointer["issued_at"]) > _TOKEN_LIVES:
            raise Declined("CODE_EXPIRED", "付款码已过期，请重新获取")
        return self.find(pointer["number"])

    def pay(self, number: str, openid: str = "") -> Document:
        """The payer confirms; returns the paid trade. Declined when it is paid, closed, expired or another's."""
        now = self._clock.now()
        with self._shelf.lock:
            trade = self.find(number)
            payer = openid or trade["openid"] or f"o{'S' * 27}"
            if trade["state"] == "SUCCESS":
                raise Declined("ORDERPAID", "该订单已支付")
            late = trade["state"] == "CLOSED" and self._faults.take("late_success", number)
            if trade["state"] == "CLOSED" and not late:
                raise Declined("ORDER_CLOSED", "该订单已关闭")
            if now > datetime.fromisoformat(trade["expires_at"]) and not late:
                raise Declined("ORDER_EXPIRED", "该订单已过期")
            if trade["openid"] and payer != trade["openid"]:
                raise Declined("OPENID_MISMATCH", "请用下单的微信付款")
            trade |= self._money(trade)
            trade |= {
                "state": "SUCCESS",
                "payer": payer,
                "success_time": now.isoformat(),
                "transaction_id": f"42000{random_digits(5)}{now:%Y%m%d}{random_digits(10)}",
                "event_id": f"EV-{random_digits(30)}",
                "acknowledged": False,
            }
            self._shelf.put("transaction", trade["transaction_id"], {"number": number})
            self._shelf.put("trade", number, trade)
        return trade

    def acknowledge(self, number: str) -> None:
        """The merchant answered a callback with success: it is not sent again after a restart."""
        with self._shelf.lock:
            self._shelf.put("trade", number, {**self.find(number), "acknowledged": True})

    def paid(self) -> list[Document]:
        """The far side's list of paid trades, in the order they were created."""
        return [trade for trade in self._shelf.all("trade") if trade["state"] == "SUCCESS"]

    def _new(self, kind: str, wanted: dict[str, Any], now: datetime) -> Document:
        expires_at = now + timedelta(days=7)
        if "time_expire" in wanted:
            asked = datetime.fromisoformat(wanted["time_expire"])
            expires_at = min(max(asked, now + timedelta(minutes=1)), now + timedelta(days=90))
        return {
            "number": wanted["out_trade_no"],
            "kind": kind,
            "wanted": wanted,
            "state": "NOTPAY",
            "amount": wanted["amount"]["total"],
            "payer_amount": wanted["amount"]["total"],
            "openid": wanted["payer"]["openid"] if kind == "jsapi" else "",
            "expires_at": expires_at.isoformat(),
        }

    def _money(self, trade: Document) -> dict[str, int]:
        other = self._faults.take("other_amount", trade["number"])
        coupon = self._faults.take("coupon", trade["number"])
        total = other.get("total", trade["amount"] + 1) if other else trade["amount"]
        return {"amount": total, "payer_amount": trade["amount"] - (coupon.get("off", 1) if coupon else 0)}


def transaction_of(trade: Document) -> dict[str, Any]:
    """The transaction object of queries and callbacks; before payment only what is known then."""
    wanted = trade["wanted"]
    said = {
        "appid": wanted["appid"],
        "mchid": wanted["mchid"],
        "out_trade_no": trade["number"],
        "trade_state": trade["state"],
        "trade_state_desc": _STATE_WORDS[trade["state"]],
    }
    if trade["state"] != "SUCCESS":
        return said
    amount = {"total": trade["amount"], "payer_total": trade["payer_amount"]}
    return said | {
        "transaction_id": trade["transaction_id"],
        "trade_type": trade["kind"].upper(),
        "bank_type": "OTHERS",
        "attach": wanted.get("attach", ""),
        "success_time": trade["success_time"],
        "payer": {"openid": trade["payer"]},
        "amount": amount | {"currency": "CNY", "payer_currency": "CNY"},
    }


def _same_and_open(trade: Document, kind: str, wanted: dict[str, Any], now: datetime) -> None:
    if trade["state"] == "SUCCESS":
        raise ApiError(400, "ORDERPAID", "该订单已支付")
    if trade["state"] == "CLOSED":
        raise ApiError(400, "ORDER_CLOSED", "该订单已关闭")
    if trade["kind"] != kind:
        raise ApiError(403, "OUT_TRADE_NO_USED", "商户订单号重复")
    if trade["wanted"] != wanted:
        raise ApiError(400, "INVALID_REQUEST", "201 商户订单号重复")
    if now > datetime.fromisoformat(trade["expires_at"]):
        raise ApiError(400, "INVALID_REQUEST", "订单已过支付截止时间")
