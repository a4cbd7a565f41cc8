"""The ways to tell somebody. A channel is one file and one line here; it is given words, never an object of ours."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from core.errors import TryLater


class ChannelSilent(TryLater):
    """The provider gave no usable answer; the message may or may not be out."""

    text = "消息暂时发不出去，系统稍后会再发。"


class NotReachable(Exception):
    """This person cannot be told by this channel (no consent, no address): try the next one, never this again."""


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
