"""The ways to tell somebody. A channel is one file and one line here; it is given words, never an object of ours."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol, runtime_checkable

from core.errors import TryLater


class ChannelSilent(TryLater):
    """The provider gave no usable answer; the message may or may not be out."""

    text = "消息暂时发不出去，系统稍后会再发。"


class NotReachable(Exception):
    """This person cannot be told by this channel (no consent, no address): try the next one, never this again."""


class RefusesUs(Exception):
    """The provider refuses us, not the person: keys, signature, template, money. Somebody is woken; the next one is
    tried, and this one again later."""


@dataclass(frozen=True)
class Words:
    """What is told. `kind` names the template; `fields` are masked words; `key` is the same for the same notice, so
    that a provider can drop a repetition."""

    kind: str
    text: str
    fields: Mapping[str, str]
    key: str


class Channel(Protocol):
    """One way to tell. `address` names which address it needs: openid, phone, or none."""

    name: str
    address: str

    def deliver(self, to: str, words: Words) -> str:
        """Hand it over; the provider's reference. ChannelSilent, NotReachable."""
        ...


BY_TEXT = ("sms", "sms2")  # the channels of the two providers of text messages, in the order they are tried


@dataclass(frozen=True)
class Account:
    """What we are to a provider of text messages. `templates`: kind of notice → its id there; `longest`: letters of a
    variable; `price` of one part in tenths of a fen."""

    provider: str
    url: str
    key: str = field(repr=False)
    key_id: str = ""
    sign: str = ""
    app_id: str = ""
    region: str = ""
    templates: Mapping[str, str] = field(default_factory=dict)
    longest: int = 500
    price: int = 0


@dataclass(frozen=True)
class Receipt:
    """What became of a message, as the provider itself answers: `key` is ours, or empty where it does not tell it;
    `delivered` None while the carrier has said nothing; `at` the provider's moment."""

    reference: str
    key: str
    delivered: bool | None
    at: datetime | None = None
    why: str = ""


@runtime_checkable
class Tells(Protocol):
    """A channel that can be asked what became of a message."""

    name: str
    knows_after: timedelta  # after so long a message that it does not know was never sent

    def receipts(self, to: str, *, since: datetime, reference: str = "") -> Sequence[Receipt]:
        """What it did with messages to this phone since then (system clock). ChannelSilent, RefusesUs."""
        ...


@runtime_checkable
class Approves(Protocol):
    """A provider that sends approved templates only."""

    account: Account

    def approved(self, kind: str) -> tuple[str, ...] | None:
        """The places of the template as it was approved, in their order; None where our key may send it and not read
        it. ChannelSilent, RefusesUs."""
        ...
