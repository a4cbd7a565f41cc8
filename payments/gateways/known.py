"""One line per gateway. Which of them a district uses is a matter of credentials, not of code."""

from collections.abc import Mapping
from typing import Protocol

from core.http import Door
from payments.errors import UnknownGateway
from payments.gateways.alerting import Alert, unheard
from payments.gateways.alipay.gateway import Alipay
from payments.gateways.base import Clock, Credentials, Facts, Gateway
from payments.gateways.unionpay.gateway import UnionPay
from payments.gateways.wechat.gateway import WeChatPay


class Adapter(Protocol):
    """A gateway's class: the credentials it needs (of the second list one), its facts, and how it is made."""

    NEEDS: tuple[str, ...]
    NEEDS_ONE_OF: tuple[str, ...]
    facts: Facts

    def __call__(self, credentials: Credentials, door: Door, clock: Clock, /, *, alert: Alert) -> Gateway: ...


GATEWAYS: Mapping[str, Adapter] = {
    "wechat": WeChatPay,
    "alipay": Alipay,
    "unionpay": UnionPay,
}


def connect(name: str, credentials: Credentials, door: Door, clock: Clock, *, alert: Alert = unheard) -> Gateway:
    """A gateway ready to use; `clock` is the system clock. UnknownGateway, or BadKey for unusable credentials."""
    if name not in GATEWAYS:
        raise UnknownGateway(name)
    return GATEWAYS[name](credentials, door, clock, alert=alert)
