"""/api/v1/payments: start one, follow it, close it."""

import re
from typing import Any

from apiflask import APIBlueprint
from flask import request

from app.flows.due.quote import SELF
from app.flows.pay.follow import Followed, Phase, close_payment
from app.flows.pay.history import history
from app.flows.pay.start import Kind, Want
from app.policy.facts import Insurance
from app.web.api.asked import PaymentAsked
from app.web.api.told import answers
from app.web.api.told_money import PaymentsTold, PaymentTold
from app.web.door.access import actor, here, own_payment
from app.web.door.parts import parts
from app.web.paying import start
from app.web.wishes import known
from core.clock import beijing
from core.errors import BadInput, Conflict
from core.redact import mask_name

bp = APIBlueprint("payments", __name__, tag="缴费 payment")
_OF_AN_ITEM = {"tier", "determination", "level", "rise"}
_KEY = re.compile(r"[A-Za-z0-9_-]{8,64}")


class IdempotencyKeyMissing(BadInput):
    """A payment without a key that makes its repetition harmless, or with one of another shape."""

    text = "请求缺少编号，请刷新页面再试。"


class NotInWeChat(Conflict):
    """A JSAPI payment in a session without a WeChat user."""

    text = "请从微信小程序里打开再付款，或者用付款码。"


@bp.post("/payments")
@bp.input(PaymentAsked)
@bp.doc(security="session", responses=answers(PaymentTold, 201, 401, 403, 404, 409, 503))
def begin(json_data: PaymentAsked) -> tuple[dict[str, Any], int]:
    """Start a payment

    The price is ours alone: no amount is taken. Items of which nothing is due are settled at once; if nothing is left
    to pay the state is `settled`."""
    key = idempotency_key()
    kind = Kind(json_data.kind)
    if kind is Kind.JSAPI and here().openid is None:
        raise NotInWeChat
    wants = [
        Want(known(item.person), Insurance(item.insurance), **item.model_dump(include=_OF_AN_ITEM), levy_year=item.year)
        for item in json_data.items
    ]
    started = start(wants, channel=SELF, key=key, gateway=json_data.gateway, kind=kind)
    return (_settled() if started.number is None else _told(own_payment(started.number))), 201


@bp.get("/payments")
@bp.doc(security="session", description="Ten a page.", responses=answers(PaymentsTold, 200, 401))
def past() -> dict[str, Any]:
    """What this account has paid, the newest first"""
    found = history(parts(), here(), after=request.args.get("after", ""))
    return {"payments": [_told(payment) for payment in found.payments], "after": found.after or None}


@bp.get("/payments/<number>")
@bp.doc(security="session", responses=answers(PaymentTold, 200, 401, 404))
def follow(number: str) -> dict[str, Any]:
    """Where a payment stands

    Ask every three seconds. 404 for a payment of people this session does not know."""
    return _told(own_payment(number))


@bp.post("/payments/<number>/close")
@bp.doc(security="session", responses=answers(PaymentTold, 200, 401, 403, 404))
def close(number: str) -> dict[str, Any]:
    """Close a payment nobody wants any more

    `checking` while the gateway has not confirmed it; `paid` if the money was faster."""
    close_payment(parts(), own_payment(number).number, by=actor(here()))
    return _told(own_payment(number))


def idempotency_key() -> str:
    """What the client calls this wish. IdempotencyKeyMissing."""
    key = request.headers.get("Idempotency-Key", "")
    if not _KEY.fullmatch(key):
        raise IdempotencyKeyMissing
    return key


def _settled() -> dict[str, Any]:
    words = "不用交钱，已经办好了。"
    nothing = dict.fromkeys(("number", "expires_at", "code_url", "jsapi", "page", "paid_at", "check_code"))
    return nothing | {"state": "settled", "words": words, "amount": 0, "items": []}


def _told(payment: Followed) -> dict[str, Any]:
    paid = payment.phase is Phase.PAID
    return {
        "number": payment.number,
        "state": payment.phase,
        "words": payment.words,
        "amount": payment.amount,
        "expires_at": beijing(payment.expires_at).isoformat(timespec="seconds"),
        "code_url": payment.code_url,
        "jsapi": dict(payment.jsapi) if payment.jsapi else None,
        "page": {"url": payment.page.url, "fields": dict(payment.page.fields)} if payment.page else None,
        "items": [
            {
                "title": item.heading,
                "masked_name": mask_name(item.name),
                "amount": item.amount,
                "within": list(item.within),
                "benefit_start": item.benefit_start.isoformat() if item.benefit_start else None,
            }
            for item in payment.items
        ],
        "paid_at": beijing(payment.paid_at).isoformat(timespec="seconds") if payment.paid_at else None,
        "check_code": payment.check_code if paid else None,
    }
