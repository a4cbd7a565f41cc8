"""What the sandbox asks of every far side; its shared parts (trades, phone, callbacks, controls) know no protocol."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Protocol

from flask import Blueprint

from payments.sandbox.shelf import Document


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


class FarSide(Protocol):
    """One gateway's other side, in its own words."""

    name: str
    bp: Blueprint
    retry_after_s: tuple[int, ...]  # documented pauses after an unacknowledged callback; then never again

    def behind(self, code: str) -> Document | None:
        """The order a phone finds behind a code it scanned, or a page it opened; None if it is not this far side's."""
        ...

    def pay(self, trade: Document, payer: str) -> Document:
        """The payer confirms: the paid trade. Declined."""
        ...

    def delivery(self, event: Event, spoil: str = "") -> Delivery:
        """The callback for an event. `spoil`: "" · "wrong_signature" · "other_merchant" (genuine, somebody else's)."""
        ...

    def acknowledges(self, status: int, body: bytes) -> bool:
        """Whether the merchant's answer stops the repeats."""
        ...

    def statement(self, day: date) -> bytes:
        """The file of a business day, made from the list of trades, with all the quirks of the real one."""
        ...
