"""POST /callbacks/<gateway>: one route for all gateways. Raw bytes in, the gateway's own words out. And
/callbacks/sms/<provider>, which is a hint and no more."""

from apiflask import APIBlueprint
from flask import Response, request

from app.flows.complaints.hear import hear
from app.flows.pay.collect import take_callback
from app.flows.tell.ask_back import take_push
from app.web.door.parts import collector, parts
from core.errors import AppError, BadInput

bp = APIBlueprint("callbacks", __name__, enable_openapi=False)
LONGEST = 64 * 1024


class TooLong(AppError):
    """A callback over 64 KB: none of a gateway's is (A84)."""

    status = 413
    text = "发来的内容太大了。"


class WithQuery(BadInput):
    """A callback whose address brings fields of its own: ours never do, and they are part of no signature (A19)."""

    text = "回调地址不能带参数。"


@bp.post("/<gateway>")
def receive(gateway: str) -> Response:
    """Kept, believed or not, booked, and answered after commit. No session, no redirect, no address decides."""
    said = take_callback(parts(), collector(), gateway, dict(request.headers), _body())
    return Response(said.body, said.status, content_type=said.content_type)


@bp.post("/sms/<provider>")
def delivered(provider: str) -> dict[str, object]:
    """A provider of text messages says what became of some: nobody signs it, so we ask."""
    return dict(take_push(parts(), provider, _body()))


@bp.post("/<gateway>/complaints")
def complaint(gateway: str) -> Response:
    """A hint that something happened to a complaint: on a path of its own, whose signatures no payment's path takes."""
    said = hear(parts(), gateway, dict(request.headers), _body())
    return Response(said.body, said.status, content_type=said.content_type)


def _body() -> bytes:
    """The raw bytes. WithQuery, TooLong."""
    if request.query_string:
        raise WithQuery
    if (request.content_length or 0) > LONGEST:
        raise TooLong
    request.max_content_length = LONGEST + 1  # of a body that does not say its length, the rest is left unread
    body = request.get_data(cache=False)
    if len(body) > LONGEST:
        raise TooLong
    return body
