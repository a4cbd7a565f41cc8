"""From a wish to the page with the code: shared by residents and agents."""

from collections.abc import Sequence

from flask import Response, current_app, make_response, render_template

from app.flows.enter import openid_of
from app.flows.follow import Followed, Phase
from app.flows.pay import Kind, Payer, Started, Want, start_payment, started_before
from app.web.access import actor, here
from app.web.codes import picture
from app.web.parts import parts
from core.errors import BadInput
from payments.errors import GatewaySilent

GATEWAY = "wechat"
_REFRESH_S = 3


class NoKey(BadInput):
    """A wish to pay without the key that makes its repetition harmless."""

    text = "页面不完整，请返回重新打开再试。"


def start(
    wants: Sequence[Want], *, channel: str, key: str, gateway: str = GATEWAY, kind: Kind = Kind.NATIVE
) -> Started:
    """Start a payment for this session's wish; the key counts within the session only (A70).

    When the gateway is silent the payment is there all the same, and the page that follows it says so."""
    visitor = here()
    if not 8 <= len(key) <= 64:
        raise NoKey
    openid = openid_of(parts(), visitor) if kind is Kind.JSAPI else None
    payer = Payer(actor(visitor), channel, gateway, kind, openid)
    own_key = f"{visitor.key}:{key}"
    try:
        return start_payment(parts(), wants, payer, request_key=own_key)
    except GatewaySilent:
        silent = started_before(parts(), wants, payer, request_key=own_key)
        if silent is None:
            raise
        return silent


def show(payment: Followed, template: str, **words: object) -> Response:
    """The page of a payment; while something may still happen it comes again by itself."""
    settings = current_app.extensions["settings"]
    waiting = payment.phase is Phase.WAITING
    page = render_template(
        template,
        payment=payment,
        picture=picture(payment.code_url) if waiting and payment.code_url else None,
        phone_page=f"{settings.sandbox_url}/phone" if settings.is_sandbox and waiting else None,
        refresh=None if payment.is_over else _REFRESH_S,
        **words,
    )
    return make_response(page)
