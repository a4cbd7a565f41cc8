"""Which ways to pay fit the device in somebody's hand: its own first, then a code for the phone of somebody else.

In an app's browser that app pays on the spot, and no other channel's page opens; an ordinary phone's browser goes to
each channel's page, which hands over to the app; a computer, an agent's screen and paper show codes."""

from collections.abc import Mapping
from dataclasses import dataclass

from payments.gateways.base import Facts, Gateway, Kind

WECHAT, PROGRAM = "wechat", "miniprogram"
_APPS = (("MicroMessenger", WECHAT), ("AlipayClient", "alipay"), ("UnionPay/", "unionpay"))  # words of user agents
_PHONE = ("Mobile", "Android", "iPhone")
_KINDS = frozenset({Kind.NATIVE, Kind.WEB, Kind.H5, Kind.ACCOUNT})  # by a button; JSAPI is the mini-program's own


@dataclass(frozen=True)
class Way:
    """A gateway and a kind, or the way on into the mini-program, with the words of its button: 用微信付. `elsewhere`:
    a code on a phone, for another one to scan."""

    gateway: str
    kind: str
    title: str
    elsewhere: bool = False

    @property
    def value(self) -> str:
        """What the button sends: wechat:native."""
        return f"{self.gateway}:{self.kind}"


def ways(gateways: Mapping[str, Gateway], user_agent: str, *, in_wechat: str = "") -> list[Way]:
    """Every channel there is: what pays on this phone, the app's own first; then the codes, in the same order.

    `in_wechat`: what pays in its browser, the account's dialogue or PROGRAM; nothing: a code. Pure."""
    inside = next((name for word, name in _APPS if word in user_agent), "")
    order = [inside, *(name for _, name in _APPS)]
    named = sorted(((name, gateway.facts) for name, gateway in gateways.items()), key=lambda each: order.index(each[0]))
    phone = bool(inside) or any(word in user_agent for word in _PHONE)
    here = [(name, facts, _on_this(facts, name, inside, in_wechat)) for name, facts in named] if phone else []
    own = [Way(name, kind, facts.title) for name, facts, kind in here if kind]
    return own + [Way(name, Kind.NATIVE, facts.title, elsewhere=phone) for name, facts in named]


def codes(gateways: Mapping[str, Gateway]) -> list[Way]:
    """Every channel by its code, for an agent's screen."""
    return ways(gateways, "")


def chosen(value: str) -> tuple[str, Kind] | None:
    """What a button sent; None for what no button sends, and for the mini-program, where the payment is begun there."""
    gateway, _, kind = value.partition(":")
    return (gateway, Kind(kind)) if kind in _KINDS else None


def into_program(value: str) -> bool:
    """Does this button lead into the mini-program?"""
    return value == f"{WECHAT}:{PROGRAM}"


def _on_this(facts: Facts, name: str, inside: str, in_wechat: str) -> str:
    """How this channel is paid on the phone itself; empty where it cannot be."""
    if inside and inside != name:
        return ""
    if inside == WECHAT:
        return in_wechat
    return next((kind for kind in (Kind.WEB, Kind.H5) if kind in facts.kinds), "")
