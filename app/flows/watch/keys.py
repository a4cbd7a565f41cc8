"""Every gateway's keys once a day, and the certificate of our own address: one that ends soon wakes somebody while
there is time (INV-36, F75); a key that ends within a day wakes him each hour."""

import ssl
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from cryptography import x509

from app.flows.one_by_one import one_by_one
from app.flows.parts import Parts
from payments.gateways.base import Gateway

SOON = timedelta(days=30)
PATIENCE_S = 5
TONIGHT = timedelta(days=1)


def watch_keys(parts: Parts) -> int:
    """Say which keys end within thirty days, or have ended; how many those are."""
    return _watch(parts, "key_ends", SOON)


def watch_last_day(parts: Parts) -> int:
    """Say which end within a day, or have ended: from that moment the gateway believes us no more, or we it."""
    return _watch(parts, "key_ends_tonight", TONIGHT)


def _watch(parts: Parts, what: str, within: timedelta) -> int:
    ending = 0

    def look(gateway: Gateway) -> None:
        nonlocal ending
        for key in gateway.keys():  # noqa: SIM118 a gateway is no mapping
            if key.expires_at is not None and ends_soon(key.expires_at, parts.clocks.wall(), within):
                days = (key.expires_at - parts.clocks.wall()).days
                parts.alert(what, gateway=gateway.name, key=key.name, purpose=key.purpose.value, days=days)
                ending += 1

    one_by_one(parts, "watch_keys", parts.gateways.values(), look, name=lambda gateway: gateway.name)
    return ending


def watch_address(parts: Parts) -> int:
    """Say that the certificate which whoever comes to our address is shown ends within thirty days. Where we cannot
    reach ourselves by that name, nobody is told anything: that is a matter of the network. 1 if it was said."""
    address = urlsplit(parts.public_url)
    if address.scheme != "https" or not address.hostname:
        return 0
    try:
        shown = ssl.get_server_certificate((address.hostname, address.port or 443), timeout=PATIENCE_S)
    except OSError:
        return 0
    ends_at = x509.load_pem_x509_certificate(shown.encode()).not_valid_after_utc
    if not ends_soon(ends_at, parts.clocks.wall()):
        return 0
    parts.alert("tls_ends", days=(ends_at - parts.clocks.wall()).days)
    return 1


def ends_soon(expires_at: datetime, now: datetime, within: timedelta = SOON) -> bool:
    """Within so long of `now`, or before it. Pure."""
    return expires_at - now < within
