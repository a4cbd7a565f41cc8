"""One line per gateway. Which of them a district uses is a matter of credentials, not of code."""

from collections.abc import Callable, Mapping

from core.http import Door
from payments.errors import UnknownGateway
from payments.gateways.base import Clock, Gateway
from payments.gateways.wechat import WeChatPay

GATEWAYS: Mapping[str, Callable[[Mapping[str, str | Mapping[str, str]], Door, Clock], Gateway]] = {
    "wechat": WeChatPay,
}


def connect(name: str, credentials: Mapping[str, str | Mapping[str, str]], door: Door, clock: Clock) -> Gateway:
    """A gateway ready to use; `clock` is the system clock. UnknownGateway, or BadKey for unusable credentials."""
    if name not in GATEWAYS:
        raise UnknownGateway(name)
    return GATEWAYS[name](credentials, door, clock)
