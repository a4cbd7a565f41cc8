"""The outside's own list: orders, paid trades and refunds of every gateway, in one shape. Knows no protocol.

A trade: gateway, number, amount, payer_amount, description, content (what was asked for, in the far side's own words;
the same number must come with the same content), state NOTPAY | SUCCESS | CLOSED, expires_at, and once paid
success_time, reference (the far side's number), payer, event_id, acknowledged; refunds, in the order asked for:
number, amount, content, state PROCESSING | SUCCESS | FAILED | ABNORMAL, reference, asked_at, settled_at,
success_time, event_id, acknowledged. Amounts in fen, moments RFC 3339 on the business clock. Whatever else a far side
gives to `place`, `pay` and `refund` is kept beside.
"""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import Enum
from typing import Any

from payments.sandbox.clock import BEIJING, SandboxClock
from payments.sandbox.faults import Faults
from payments.sandbox.shelf import Document, Shelf
from payments.sandbox.signing import random_digits

Refunded = tuple[Document, Document]  # a trade and one of its refunds
_NOON = time(12)


class Why(Enum):
    """Why the outside says no to the merchant; each far side has its own words for it."""

    ABSENT = "no such number"
    PAID = "paid already"
    CLOSED = "closed"
    EXPIRED = "its last moment is over"
    DIFFERENT = "the number came before with other content"
    UNPAID = "nothing to give back: not paid"
    TOO_MUCH = "more than is left of the payment"
    TOO_MANY = "too many refunds of one payment"
    SHORT = "the merchant's balance is short"


@dataclass(eq=False)
class Refusal(Exception):
    """The outside says no to the merchant; nothing has changed."""

    why: Why
    before: Document | None = None  # what lives under that number


@dataclass(eq=False)
class Declined(Exception):
    """The payer's phone says no."""

    code: str
    message: str


class Trades:
    """Every change holds the shelf's lock, so of two payers one succeeds; hold `lock` to look and change together."""

    def __init__(self, shelf: Shelf, clock: SandboxClock, faults: Faults) -> None:
        self._shelf, self._clock, self._faults = shelf, clock, faults
        self.lock = shelf.lock

    def place(
        self, gateway: str, number: str, *, amount: int, content: Any, expires_at: datetime, **more: Any
    ) -> Document:
        """A new order, or the same again word for word. Refusal PAID, CLOSED, DIFFERENT, EXPIRED."""
        with self.lock:
            trade = self._shelf.get("trade", f"{gateway}/{number}")
            if trade is None:
                trade = more | {
                    "gateway": gateway,
                    "number": number,
                    "state": "NOTPAY",
                    "amount": amount,
                    "payer_amount": amount,
                    "content": content,
                    "expires_at": expires_at.isoformat(),
                    "placed_at": self._clock.now().isoformat(),
                    "refunds": [],
                }
                self._keep(trade)
                return trade
        if trade["state"] != "NOTPAY":
            raise Refusal(Why.PAID if trade["state"] == "SUCCESS" else Why.CLOSED, trade)
        if trade["content"] != content:
            raise Refusal(Why.DIFFERENT, trade)
        if self.is_over(trade):
            raise Refusal(Why.EXPIRED, trade)
        return trade

    def is_over(self, trade: Document) -> bool:
        """Whether the last moment at which it can be paid is over."""
        return self._clock.now() > datetime.fromisoformat(trade["expires_at"])

    def find(self, gateway: str, number: str) -> Document:
        """By the merchant's number. Refusal ABSENT."""
        trade = self._shelf.get("trade", f"{gateway}/{number}")
        if trade is None:
            raise Refusal(Why.ABSENT)
        return trade

    def payable(self, gateway: str, number: str) -> Document | None:
        """The order, if a phone could pay it now."""
        trade = self._shelf.get("trade", f"{gateway}/{number}")
        return trade if trade is not None and trade["state"] == "NOTPAY" and not self.is_over(trade) else None

    def find_reference(self, gateway: str, reference: str) -> Document:
        """A paid trade by the far side's own number. Refusal ABSENT."""
        pointer = self._shelf.get("reference", f"{gateway}/{reference}")
        return self.find(gateway, pointer["number"] if pointer else "")

    def give_token(self, token: str, trade: Document) -> None:
        """What a phone will find the trade behind: the text in a code, or of a page."""
        pointer = {"gateway": trade["gateway"], "number": trade["number"], "issued_at": self._clock.now().isoformat()}
        self._shelf.put("token", token, pointer)

    def behind(self, gateway: str, token: str) -> tuple[Document, timedelta] | None:
        """The order behind a token of this gateway, and how long ago it was given."""
        pointer = self._shelf.get("token", token)
        if pointer is None or pointer.get("gateway") != gateway:
            return None
        age = self._clock.now() - datetime.fromisoformat(pointer["issued_at"])
        return self.find(gateway, pointer["number"]), age

    def close(self, gateway: str, number: str) -> Document:
        """Nobody can pay it from now on. Refusal ABSENT, PAID, CLOSED."""
        with self.lock:
            trade = self.find(gateway, number)
            if trade["state"] != "NOTPAY":
                raise Refusal(Why.PAID if trade["state"] == "SUCCESS" else Why.CLOSED, trade)
            return self._keep(trade | {"state": "CLOSED"})

    def pay(self, gateway: str, number: str, *, payer: str, reference: str, **more: Any) -> Document:
        """The payer confirms: the paid trade. Declined when it is paid, closed or over."""
        with self.lock:
            trade = self.find(gateway, number)
            if trade["state"] == "SUCCESS":
                raise Declined("ORDERPAID", "该订单已支付")
            ended = trade["state"] == "CLOSED" or self.is_over(trade)
            late = ended and self._faults.take("late_success", number, gateway=gateway)
            if trade["state"] == "CLOSED" and not late:
                raise Declined("ORDER_CLOSED", "该订单已关闭")
            if self.is_over(trade) and not late:
                raise Declined("ORDER_EXPIRED", "该订单已过期")
            self._shelf.put("reference", f"{gateway}/{reference}", {"number": number})
            return self._keep(
                trade
                | more
                | self._money(trade)
                | {
                    "state": "SUCCESS",
                    "payer": payer,
                    "success_time": self._clock.now().isoformat(),
                    "reference": reference,
                    "event_id": f"EV-{random_digits(30)}",
                    "acknowledged": False,
                }
            )

    def refund(
        self, trade: Document, number: str, *, amount: int, content: Any, reference: str, most: int = 50, **more: Any
    ) -> Refunded:
        """Take a refund, or the same again word for word: the trade and its refund, PROCESSING at first.

        Refusal UNPAID, DIFFERENT, TOO_MUCH, TOO_MANY (`most` per trade), SHORT. What failed counts as given back no
        more than what was never asked for."""
        gateway = trade["gateway"]
        with self.lock:
            trade = self.find(gateway, trade["number"])
            if before := _refund_of(trade, number):
                if before["content"] != content:
                    raise Refusal(Why.DIFFERENT, before)
                return trade, before
            if trade["state"] != "SUCCESS":
                raise Refusal(Why.UNPAID, trade)
            if amount > trade["amount"] - sum(one["amount"] for one in trade["refunds"] if one["state"] != "FAILED"):
                raise Refusal(Why.TOO_MUCH, trade)
            if len(trade["refunds"]) >= most:
                raise Refusal(Why.TOO_MANY, trade)
            if self._faults.take("not_enough", number, trade["number"], on="refund", gateway=gateway):
                raise Refusal(Why.SHORT, trade)
            made = more | {
                "number": number,
                "amount": amount,
                "content": content,
                "state": "PROCESSING",
                "reference": reference,
                "asked_at": self._clock.now().isoformat(),
                "event_id": f"EV-{random_digits(30)}",
                "acknowledged": False,
            }
            self._shelf.put("refund", f"{gateway}/{number}", {"number": trade["number"]})
            return self._keep(trade | {"refunds": [*trade["refunds"], made]}), made

    def find_refund(self, gateway: str, number: str, *, of: str | None = None) -> Refunded:
        """By the merchant's number of the refund, `of` one trade where the gateway counts so. Refusal ABSENT."""
        pointer = self._shelf.get("refund", f"{gateway}/{number}") if of is None else {"number": of}
        trade = self.find(gateway, pointer["number"] if pointer else "")
        refund = _refund_of(trade, number)
        if refund is None:
            raise Refusal(Why.ABSENT)
        return trade, refund

    def settle_refund(self, gateway: str, number: str, refund_number: str) -> Refunded | None:
        """A refund under way comes to its end: SUCCESS, or by a fault FAILED or ABNORMAL; None if it had."""
        with self.lock:
            trade, refund = self.find_refund(gateway, refund_number, of=number)
            if refund["state"] != "PROCESSING":
                return None
            now = self._clock.now().isoformat()
            end = {"state": "SUCCESS", "success_time": now}
            for kind, state in (("refund_fails", "FAILED"), ("refund_abnormal", "ABNORMAL")):
                if self._faults.take(kind, refund_number, number, gateway=gateway):
                    end = {"state": state}
                    break
            return self._with(trade, refund | end | {"settled_at": now})

    def retry_refund(self, gateway: str, number: str, refund_number: str) -> None:
        """A refund that failed and is asked for again by the same number is under way again."""
        with self.lock:
            trade, refund = self.find_refund(gateway, refund_number, of=number)
            if refund["state"] in {"FAILED", "ABNORMAL"}:
                self._with(trade, refund | {"state": "PROCESSING"})

    def acknowledge(self, trade: Document, refund: Document | None) -> None:
        """The merchant answered a callback with success: it is not sent again after a restart."""
        with self.lock:
            here = self.find(trade["gateway"], trade["number"])
            if refund is None:
                self._keep(here | {"acknowledged": True})
            elif told := _refund_of(here, refund["number"]):
                self._with(here, told | {"acknowledged": True})

    def paid(self, gateway: str | None = None) -> list[Document]:
        """The list of paid trades, of one gateway or of all, as they were paid."""
        found = (one for one in self._shelf.all("trade") if one["state"] == "SUCCESS")
        return sorted((one for one in found if gateway in (None, one["gateway"])), key=lambda one: one["success_time"])

    def refunds(self, gateway: str | None = None) -> list[Refunded]:
        """Every refund with its trade, as the trades were paid."""
        return [(trade, refund) for trade in self.paid(gateway) for refund in trade["refunds"]]

    def paid_on(self, gateway: str, day: date, *, day_begins: time = time(0)) -> list[Document]:
        """The trades paid on a business day of the gateway; one that begins after noon begins the evening before."""
        begins, ends = day_limits(day, day_begins)
        return [one for one in self.paid(gateway) if begins <= datetime.fromisoformat(one["success_time"]) < ends]

    def refunds_on(self, gateway: str, day: date, *, day_begins: time = time(0)) -> list[Refunded]:
        """The refunds asked for on such a day."""
        begins, ends = day_limits(day, day_begins)
        found = [one for one in self.refunds(gateway) if begins <= datetime.fromisoformat(one[1]["asked_at"]) < ends]
        return sorted(found, key=lambda one: one[1]["asked_at"])

    def _money(self, trade: Document) -> dict[str, Any]:
        other = self._faults.take("other_amount", trade["number"], gateway=trade["gateway"])
        coupon = self._faults.take("coupon", trade["number"], gateway=trade["gateway"])
        total = other.get("total", trade["amount"] + 1) if other else trade["amount"]
        return {"amount": total, "payer_amount": trade["amount"] - (coupon.get("off", 1) if coupon else 0)}

    def _with(self, trade: Document, refund: Document) -> Refunded:
        others = [refund if one["number"] == refund["number"] else one for one in trade["refunds"]]
        return self._keep(trade | {"refunds": others}), refund

    def _keep(self, trade: Document) -> Document:
        self._shelf.put("trade", f"{trade['gateway']}/{trade['number']}", trade)
        return trade


def refunded(trade: Document) -> int:
    """How much of a trade the payer has back, in fen."""
    return sum(one["amount"] for one in trade["refunds"] if one["state"] == "SUCCESS")


def day_limits(day: date, day_begins: time = time(0)) -> tuple[datetime, datetime]:
    """The first moment of a business day and the first one after it."""
    begins = datetime.combine(day, day_begins, BEIJING)
    if day_begins > _NOON:
        begins -= timedelta(days=1)
    return begins, begins + timedelta(days=1)


def _refund_of(trade: Document, number: str) -> Document | None:
    return next((one for one in trade["refunds"] if one["number"] == number), None)
