"""What the sandbox asks of every far side; its shared parts (trades, phone, callbacks, controls) know no protocol.

A far side is a class made with `Parts`, registered by one line in `app.py`. It keeps keys of its own in files of its
own in the sandbox's folder (its module has a `make(folder)` that makes what is missing and loads the rest, see
`keys.py`), and its orders, paid trades and refunds in the shared list (`trades.py`), under its name.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Protocol

from flask import Blueprint

from payments.sandbox.clock import SandboxClock
from payments.sandbox.config import Knobs, SandboxConfig
from payments.sandbox.faults import Faults
from payments.sandbox.shelf import Document, Shelf
from payments.sandbox.trades import Trades


@dataclass(frozen=True)
class Parts:
    """What every far side is made with."""

    config: SandboxConfig
    knobs: Knobs
    clock: SandboxClock
    shelf: Shelf
    faults: Faults
    trades: Trades


@dataclass(frozen=True)
class Delivery:
    """One callback as it goes over the wire."""

    url: str
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True)
class Event:
    """What a callback tells: a paid trade, or what became of one of its refunds."""

    id: str
    trade: Document
    refund: Document | None = None

    @property
    def number(self) -> str:
        """The merchant's number of what it is about."""
        return str((self.refund or self.trade)["number"])


@dataclass(frozen=True)
class Return:
    """Where the payer's browser goes after paying: a link, or with `fields` a form sent by POST."""

    url: str
    fields: Mapping[str, str] | None = None


class FarSide(Protocol):
    """One gateway's other side, in its own words."""

    name: str
    bp: Blueprint
    retry_after_s: tuple[int, ...]  # documented pauses after an unacknowledged callback; then never again

    def behind(self, code: str) -> Document | None:
        """The order a phone finds behind a code it scanned, or a page it opened; None if it is not this far side's.

        Declined if it is, and the code is of no use any more."""
        ...

    def pay(self, trade: Document, payer: str) -> Document:
        """The payer confirms: the paid trade. Declined."""
        ...

    def returns(self, trade: Document) -> Return | None:
        """Where the payer's browser goes after paying; None where nothing is left to do but close the page."""
        ...

    def delivery(self, event: Event, spoil: str = "") -> Delivery | None:
        """The callback for an event; None if nobody asked to be told. `spoil`: "" · "wrong_signature" ·
        "other_merchant" (genuine, somebody else's) · "signtest" (WeChat's own probe; elsewhere a wrong signature)."""
        ...

    def acknowledges(self, status: int, body: bytes) -> bool:
        """Whether the merchant's answer stops the repeats."""
        ...

    def complaint_told(self, case: Document, move: str, spoil: str = "") -> Delivery | None:
        """The notification that something happened to a complaint; None where nobody asked to be told, or there is no
        such thing. `spoil`: "" or "wrong_signature"."""
        ...

    def statement(self, day: date) -> bytes:
        """The file of a business day, made from the list of trades, with all the quirks of the real one."""
        ...
