"""Which ways to pay fit the device in somebody's hand: inside an app its own page, elsewhere the code.

In WeChat's browser no other channel's page opens, so all are codes there; an ordinary phone's browser hands over to
the app by the channel's own page; a computer, an agent's screen and paper show codes."""

from collections.abc import Mapping
from dataclasses import dataclass

from payments.gateways.base import Facts, Gateway, Kind

_APPS = (("MicroMessenger", "wechat"), ("AlipayClient", "alipay"), ("UnionPay/", "unionpay"))  # words of user agents
_PHONE = ("Mobile", "Android", "iPhone")


@dataclass(frozen=True)
class Way:
    """A gateway and a kind, with the words of its button: 用微信付."""

    gateway: str
    kind: Kind
    title: str

    @property
    def value(self) -> str:
        """What the button sends: wechat:native."""
        return f"{self.gateway}:{self.kind}"


def ways(gateways: Mapping[str, Gateway], user_agent: str) -> list[Way]:
    """Every channel there is, the app's own first, each by the kind that fits. Pure."""
    inside = next((name for word, name in _APPS if word in user_agent), "")
    offered = [
        Way(name, _kind(gateway.facts, name, inside, user_agent), gateway.facts.title)
        for name, gateway in gateways.items()
    ]
    order = [inside, *(name for _, name in _APPS)]
    return sorted(offered, key=lambda way: order.index(way.gateway))


def codes(gateways: Mapping[str, Gateway]) -> list[Way]:
    """Every channel by its code, for an agent's screen."""
    return ways(gateways, "")


def chosen(value: str) -> tuple[str, Kind] | None:
    """What a button sent; None for what no button sends."""
    gateway, _, kind = value.partition(":")
    return (gateway, Kind(kind)) if kind in (Kind.NATIVE, Kind.WEB) else None


def _kind(facts: Facts, name: str, inside: str, user_agent: str) -> Kind:
    on_a_phone = any(word in user_agent for word in _PHONE)
    if Kind.WEB in facts.kinds and (inside == name or (not inside and on_a_phone)):
        return Kind.WEB
    return Kind.NATIVE
