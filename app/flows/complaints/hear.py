"""A gateway says that something happened to a complaint → a hint is kept, and asked about soon. Nothing else of a
notification is believed, and no outward call is made while a gateway waits for our answer."""

from collections.abc import Mapping

from app.flows.parts import Parts
from app.flows.pay.collect import refuse
from app.observe import ROUTINE
from payments.complaints import cases
from payments.errors import ForgedCallback, SignatureProbe, UnknownGateway
from payments.gateways.base import Acknowledgement
from payments.gateways.complaining import complaints_of
from payments.taking.settle import Message


def hear(parts: Parts, gateway_name: str, headers: Mapping[str, str], body: bytes) -> Acknowledgement:
    """The answer in the gateway's words, once the hint is kept. UnknownGateway for a channel without complaints."""
    gateway = parts.gateways.get(gateway_name)
    channel = complaints_of(gateway) if gateway else None
    if gateway is None or channel is None:
        raise UnknownGateway(gateway_name)
    try:
        number = channel.hint(headers, body, now=parts.clocks.wall())
    except SignatureProbe:
        ROUTINE.labels("signature_probe").inc()
        return gateway.rejected()
    except ForgedCallback as forged:
        refuse(parts, Message(gateway_name, "", {}, body, None), f"complaint: {forged}")
        return gateway.rejected()
    if number:
        with parts.engine.begin() as connection:
            cases.hint(connection, gateway_name, number, at=parts.clocks.wall())
    return channel.heard()
