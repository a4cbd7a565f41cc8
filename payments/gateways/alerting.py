"""Who is woken by a gateway: handed in where the system is joined; without anybody a gateway is as quiet as a test."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from payments.errors import GatewayTakesNobody

Alert = Callable[..., None]  # what, and words: codes and numbers, never people; the same words are said once an hour


def unheard(what: str, **words: object) -> None:
    """Nobody listens."""


@contextmanager
def waking(alert: Alert, gateway: str) -> Iterator[None]:
    """What is refused whoever pays wakes somebody on its way up, whatever the caller makes of it."""
    try:
        yield
    except GatewayTakesNobody as no:
        alert("gateway_takes_nobody", gateway=gateway, code=str(no.args[0]))
        raise
