"""Every gateway's keys once a day: one that ends soon wakes somebody while there is time (INV-36)."""

from datetime import datetime, timedelta

from app.flows.one_by_one import one_by_one
from app.flows.parts import Parts
from payments.gateways.base import Gateway

SOON = timedelta(days=30)


def watch_keys(parts: Parts) -> int:
    """Say which keys end within thirty days, or have ended; how many those are."""
    ending = 0

    def look(gateway: Gateway) -> None:
        nonlocal ending
        for key in gateway.keys():  # noqa: SIM118 a gateway is no mapping
            if key.expires_at is not None and ends_soon(key.expires_at, parts.clocks.wall()):
                days = (key.expires_at - parts.clocks.wall()).days
                parts.alert("key_ends", gateway=gateway.name, key=key.name, purpose=key.purpose.value, days=days)
                ending += 1

    one_by_one(parts, "watch_keys", parts.gateways.values(), look, name=lambda gateway: gateway.name)
    return ending


def ends_soon(expires_at: datetime, now: datetime) -> bool:
    """Within thirty days of `now`, or before it. Pure."""
    return expires_at - now < SOON
