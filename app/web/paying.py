"""From a wish to the page with the code: shared by residents and agents."""

from collections.abc import Mapping, Sequence
from urllib.parse import urlsplit

from flask import current_app, make_response, render_template, request

from app.flows.enter.session import openid_of
from app.flows.pay.follow import Followed, Phase
from app.flows.pay.start import Kind, Payer, Started, Want, start_payment, started_before
from app.web.codes import picture
from app.web.door.access import AnyResponse, actor, here
from app.web.door.csp import policy
from app.web.door.parts import parts
from app.web.ways import chosen, codes
from core.errors import BadInput
from payments.errors import GatewaySilent

_REFRESH_S = 3
_WEB_REFRESH_S = 15  # the page with the button to the gateway stays still under the finger


class NoKey(BadInput):
    """A wish to pay without the key that makes its repetition harmless."""

    text = "页面不完整，请返回重新打开再试。"


class NoSuchWay(BadInput):
    """A way to pay that no button of ours sends."""

    text = "请重新选一种付款方式。"


def start_chosen(
    wants: Sequence[Want], *, channel: str, fields: Mapping[str, str], openid: str | None = None
) -> Started:
    """Start a payment by the button pressed: `by` the gateway and kind, `key` against pressing twice; `openid` of him
    who pays as a user of our account in WeChat.

    A form without a way is one of which nothing is due: any gateway's name will do, none is asked."""
    offered = codes(parts().gateways)
    way = chosen(fields.get("by") or (offered[0].value if offered else ""))
    if way is None:
        raise NoSuchWay
    return start(wants, channel=channel, key=fields.get("key", ""), gateway=way[0], kind=way[1], openid=openid)


def start(
    wants: Sequence[Want], *, channel: str, key: str, gateway: str, kind: Kind, openid: str | None = None
) -> Started:
    """Start a payment for this session's wish; the key counts within the session only (A70).

    When the gateway is silent the payment is there all the same, and the page that follows it says so."""
    visitor = here()
    if not 8 <= len(key) <= 64:
        raise NoKey
    if kind is Kind.ACCOUNT and openid is None:
        raise NoSuchWay
    openid = openid_of(parts(), visitor) if kind is Kind.JSAPI else openid
    payer = Payer(actor(visitor), channel, gateway, kind, openid, request.remote_addr)
    own_key = f"{visitor.key}:{key}"
    try:
        return start_payment(parts(), wants, payer, request_key=own_key)
    except GatewaySilent:
        silent = started_before(parts(), wants, payer, request_key=own_key)
        if silent is None:
            raise
        return silent


def show(payment: Followed, template: str, **words: object) -> AnyResponse:
    """The page of a payment; while something may still happen it comes again by itself."""
    settings = current_app.extensions["settings"]
    waiting, leads_on = payment.phase is Phase.WAITING, payment.link or (payment.page and payment.page.url)
    page = render_template(
        template,
        payment=payment,
        picture=picture(payment.code_url) if waiting and payment.code_url else None,
        phone_page=f"{settings.sandbox_url}/phone" if settings.is_sandbox and waiting else None,
        refresh=None if payment.is_over else _WEB_REFRESH_S if leads_on else _REFRESH_S,
        **words,
    )
    answer = make_response(page)
    if leads_on:
        answer.headers["Content-Security-Policy"] = policy(_origin(leads_on), *payment.page_hosts)
    return sends_origin(answer) if payment.link else answer


def sends_origin(answer: AnyResponse) -> AnyResponse:
    """WeChat's page opens only for whoever comes from our registered domain: on this step, and no other, it is said
    where he comes from; not of which page."""
    answer.headers["Referrer-Policy"] = "origin"
    return answer


def _origin(url: str) -> str:
    parted = urlsplit(url)
    return f"{parted.scheme}://{parted.netloc}"
