"""What every gateway can do, in our words. A gateway knows protocol and keys; it knows no table and no book."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from core.money import Fen


class Word(StrEnum):
    """What a gateway says about one payment."""

    PAID = "paid"  # money arrived (also when part of it was refunded since)
    OPEN = "open"  # known there, not paid, could still be
    CLOSED = "closed"  # nobody can pay it any more
    ABSENT = "absent"  # the gateway does not know the number
    UNKNOWN = "unknown"  # a word we do not know: alert, ask again, decide nothing


class Kind(StrEnum):
    """How the payer meets the gateway."""

    JSAPI = "jsapi"  # wx.requestPayment in the mini-program
    NATIVE = "native"  # a QR code, on a screen or on paper


@dataclass(frozen=True)
class Order:
    """What we ask a gateway to take. `number` is ours and is its identity there: same number, same content."""

    number: str  # [0-9A-Za-z]{6,32}
    kind: Kind
    amount: Fen
    description: str  # shown to the payer; no personal data
    expires_at: datetime  # aware, business clock
    openid: str | None = None  # JSAPI only


@dataclass(frozen=True)
class Checkout:
    """Where the payer goes: a text to put into a QR code, or parameters for the mini-program."""

    code_url: str | None = None
    jsapi: Mapping[str, str] | None = None


@dataclass(frozen=True)
class Outcome:
    """A gateway's word about one payment, from a callback, a query or a statement alike."""

    gateway: str
    number: str
    word: Word
    merchant: str = ""
    app: str = ""
    reference: str = ""  # the gateway's own number for the money that moved
    amount: Fen | None = None  # the order's total, not what a coupon left
    payer_amount: Fen | None = None
    currency: str = ""
    happened_at: datetime | None = None  # aware; the gateway's success time
    payer: str = ""  # openid or account, as they name it
    their_word: str = ""  # the raw state, for the log


@dataclass(frozen=True)
class Callback:
    """A verified callback. `outcome` is None when it is not about a payment: acknowledged, nothing changes."""

    event_id: str
    event_type: str
    outcome: Outcome | None


@dataclass(frozen=True)
class Acknowledgement:
    """What to answer so that the gateway stops repeating, or repeats."""

    status: int
    body: bytes
    content_type: str = "application/json"


class Gateway(Protocol):
    """One channel. Silence and unverifiable answers raise GatewaySilent; forged callbacks raise ForgedCallback."""

    name: str
    merchant: str
    app: str
    poll_after_s: tuple[int, ...]  # when to ask about a payment nobody reported, seconds after its start

    def start(self, order: Order) -> Checkout:
        """Take an order; repeating the same order is harmless. GatewaySilent, GatewayRefused, AlreadyPaidThere."""
        ...

    def query(self, number: str) -> Outcome:
        """Ask what became of a number. GatewaySilent."""
        ...

    def close(self, number: str) -> None:
        """Ask that nobody can pay it any more; only a query confirms. GatewaySilent, AlreadyPaidThere."""
        ...

    def read_callback(self, headers: Mapping[str, str], body: bytes, *, now: datetime) -> Callback:
        """Believe it or raise ForgedCallback. Pure: raw bytes, the system clock `now`, keys already held."""
        ...

    def accepted(self) -> Acknowledgement:
        """The answer after commit."""
        ...

    def rejected(self) -> Acknowledgement:
        """The answer to a forgery."""
        ...


Clock = Callable[[], datetime]
