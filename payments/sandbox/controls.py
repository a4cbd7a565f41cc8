"""The strings behind the stage: faults, the business clock, callbacks, and what the outside world did."""

from typing import Any

from flask import Blueprint, request

from payments.sandbox.phone import trade_line
from payments.sandbox.world import world

bp = Blueprint("controls", __name__)
Answer = dict[str, Any] | tuple[dict[str, Any], int]


@bp.get("/healthz")
def health() -> Answer:
    """Up."""
    return {"ok": True}


@bp.get("/trades")
def trades() -> Answer:
    """The outside's own list of paid trades, of all gateways: what our book must agree with."""
    return {"trades": [trade_line(trade) for trade in world().trades.paid()]}


@bp.get("/refunds")
def refunds() -> Answer:
    """Every refund asked for, with what became of it: PROCESSING, SUCCESS, FAILED or ABNORMAL."""
    names = ("number", "reference", "amount", "state", "asked_at")
    found = [
        {"gateway": trade["gateway"], "payment": trade["number"], "success_time": refund.get("success_time")}
        | {name: refund[name] for name in names}
        for trade, refund in world().trades.refunds()
    ]
    return {"refunds": found}


@bp.get("/messages")
def messages() -> Answer:
    """Every message delivered to a person, by subscribe message or by text; ?channel=wechat or sms."""
    channel = request.args.get("channel")
    found = world().shelf.all("message")
    return {"messages": [message for message in found if channel in (None, message["channel"])]}


@bp.get("/callbacks")
def callbacks() -> Answer:
    """Every delivery tried: gateway, number, payment or refund, attempt, the status that came back (0 for none)."""
    return {"callbacks": list(world().notifier.deliveries)}


@bp.get("/faults")
def waiting() -> Answer:
    """Faults still to come."""
    return {"faults": world().faults.waiting()}


@bp.post("/faults")
def add() -> Answer:
    """{kind, number?, gateway?, count?, …} as `faults.py` lists them."""
    fault = request.get_json(silent=True)
    try:
        world().faults.add(fault if isinstance(fault, dict) else {})
    except ValueError as error:
        return {"error": str(error)}, 400
    return {"faults": world().faults.waiting()}


@bp.delete("/faults")
def clear() -> Answer:
    """None any more."""
    world().faults.clear()
    return {"faults": []}


@bp.get("/clock")
def clock() -> Answer:
    """The business moment."""
    here = world()
    return {"offset_seconds": here.clock.offset_seconds, "now": here.clock.now().isoformat()}


@bp.post("/clock")
def move() -> Answer:
    """{offset_seconds}: the business clock is that far from the system clock from now on."""
    asked = request.get_json(silent=True)
    seconds = asked.get("offset_seconds") if isinstance(asked, dict) else None
    if type(seconds) is not int:
        return {"error": "offset_seconds is a whole number"}, 400
    world().clock.offset_seconds = seconds
    return clock()


@bp.post("/settings")
def settings() -> Answer:
    """{notify_factor?, callback_public_key_percent?}: how callbacks are repeated and signed from now on."""
    asked = request.get_json(silent=True)
    asked = asked if isinstance(asked, dict) else {}
    knobs = world().knobs
    factor = asked.get("notify_factor", knobs.notify_factor)
    percent = asked.get("callback_public_key_percent", knobs.callback_public_key_percent)
    if not isinstance(factor, int | float) or factor < 0 or type(percent) is not int or not 0 <= percent <= 100:
        return {"error": "notify_factor is not negative, callback_public_key_percent is 0 to 100"}, 400
    knobs.notify_factor, knobs.callback_public_key_percent = factor, percent
    return vars(knobs).copy()
