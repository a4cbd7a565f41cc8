"""What a gateway can do about its payers' complaints, in our words. Beside `Gateway`, and only where it has any."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Protocol

from core.money import Fen
from payments.gateways.base import Acknowledgement, Gateway

LONGEST_ANSWER = 200  # letters, at either gateway


class Stage(StrEnum):
    """Where a complaint stands at its gateway."""

    OPEN = "open"  # it waits for us
    PLATFORM = "platform"  # the gateway's people look at it; we may still speak
    DONE = "done"  # we said that it is dealt with, or the gateway closed it
    WITHDRAWN = "withdrawn"  # the payer took it back
    UNKNOWN = "unknown"  # a word we do not know: alert, ask again, decide nothing


class Voice(StrEnum):
    """Who said something."""

    PAYER = "payer"
    US = "us"
    PLATFORM = "platform"


class Move(StrEnum):
    """What a line of the conversation is."""

    CAME = "came"
    AGAIN = "again"  # not content: it begins anew
    SAID = "said"
    DONE = "done"
    WITHDRAWN = "withdrawn"
    REFUND_AGREED = "refund_agreed"
    REFUND_REFUSED = "refund_refused"
    NOTED = "noted"  # the gateway's own remark
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Complaint:
    """One complaint as its gateway tells it. Moments aware, by the gateway's clock."""

    gateway: str
    number: str  # theirs
    stage: Stage
    their_word: str
    came_at: datetime
    payments: Sequence[str] = ()  # our numbers, as they say them
    amount: Fen | None = None  # of the payment
    about: str = ""  # their kind of complaint, in their words
    words: str = ""  # the payer's; may hold anything
    phone: str = ""  # the payer's, in clear; empty if they give none, or one that does not open
    times: int = 1  # how often he complained of it
    waiting: bool = False  # he said something nobody answered
    wants_back: Fen | None = None  # what he asks back, where they say it
    pictures: Sequence[str] = ()  # where his pictures lie, at the gateway


@dataclass(frozen=True)
class Said:
    """One line of the conversation. `key` is the same whenever it is told."""

    key: str
    by: Voice
    move: Move
    words: str
    at: datetime
    their_word: str = ""


@dataclass(frozen=True)
class ComplaintFacts:
    """What differs between gateways and is no code."""

    answer_within: timedelta  # of the complaint, or of its new beginning
    end_within: timedelta
    hears_of_refunds: bool  # whether it wants to be told that a refund was agreed to
    last_words: bool  # whether what is dealt with is said to be so in words


class Complaining(Protocol):
    """One channel's complaints. Silence and unverifiable answers raise GatewaySilent; a definite no GatewayRefused."""

    facts: ComplaintFacts

    def hint(self, headers: Mapping[str, str], body: bytes, *, now: datetime) -> str:
        """Which complaint a notification is about, "" for none: only that; what became of it is asked. `now` is the
        system clock. ForgedCallback."""
        ...

    def ask_to_be_told(self, url: str) -> None:
        """See to it that notifications come to this address; nothing where that is no interface's."""
        ...

    def heard(self) -> Acknowledgement:
        """The answer to a notification that was believed."""
        ...

    def listed(self, begin: datetime, end: datetime) -> Iterator[Complaint]:
        """Those that came between two moments, without their conversation."""
        ...

    def look(self, number: str) -> tuple[Complaint, Sequence[Said]] | None:
        """One complaint and all that was said, the first first; None if they know of none."""
        ...

    def upload(self, picture: bytes) -> str:
        """A PNG or JPEG for an answer: its name there. Doing it twice makes two, of which one is used."""
        ...

    def answer(self, number: str, words: str, pictures: Sequence[str]) -> None:
        """Say something to the payer. Not to be repeated after silence before the conversation was read."""
        ...

    def finish(self, number: str, words: str, *, gave_back: bool) -> None:
        """Say that it is dealt with."""
        ...

    def tell_refund(self, number: str, words: str, *, agreed: bool) -> None:
        """Say that the refund he asks for was agreed to, or why not. Only where facts.hears_of_refunds."""
        ...


def complaints_of(gateway: Gateway) -> Complaining | None:
    """A channel that hears complaints carries them under this name; UnionPay has no interface for them."""
    found: Complaining | None = getattr(gateway, "complaints", None)
    return found
