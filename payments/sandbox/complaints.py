"""The payer's side of a complaint, for tests, demonstrations and `make run`: he complains, goes on, takes it back."""

from datetime import datetime
from typing import Any

from flask import Blueprint, request

from payments.sandbox import grievances
from payments.sandbox.shelf import Document
from payments.sandbox.world import World, world

bp = Blueprint("complaints", __name__)
Answer = dict[str, Any] | tuple[dict[str, Any], int]
MOVES = {  # what the payer or the platform does: by whom, the line's move, what changes, what a notification calls it
    "again": ("PAYER", "AGAIN", {"state": "OPEN", "waiting": True}, "CONTINUE_COMPLAINT"),
    "say": ("PAYER", "SAID", {"waiting": True}, "USER_RESPONSE"),
    "withdraw": ("PAYER", "WITHDRAWN", {"state": "WITHDRAWN", "waiting": False}, "MERCHANT_CONFIRM_COMPLETE"),
    "platform": ("PLATFORM", "NOTED", {"state": "PLATFORM"}, "USER_APPLY_PLATFORM_SERVICE"),
}


@bp.get("/complaints")
def listed() -> Answer:
    """Every complaint with its conversation."""
    return {"complaints": world().shelf.all(grievances.KIND)}


@bp.post("/complaints")
def complain() -> Answer:
    """{payment, gateway?, words?, phone?, wants_back?, at?}: a payer complains of a payment, known or not. The
    merchant's latest paid trade if none is named."""
    asked, here = _asked(), world()
    paid = here.trades.paid(asked.get("gateway"))
    latest = paid[-1] if paid else {}
    gateway, payment = asked.get("gateway") or latest.get("gateway", ""), asked.get("payment") or latest.get("number")
    if gateway not in ("wechat", "alipay") or not isinstance(payment, str):
        return {"error": "gateway is wechat or alipay, and payment a number"}, 400
    case = grievances.came(
        here,
        gateway,
        payment,
        words=asked.get("words") or "我交了费，手机上查不到，请退给我",
        phone=asked.get("phone") or "13800000000",
        wants_back=asked.get("wants_back"),
        at=datetime.fromisoformat(asked["at"]) if asked.get("at") else here.clock.now(),
    )
    tell(here, case, "CREATE_COMPLAINT")
    return case


@bp.post("/complaints/<number>/<any(again, say, withdraw, platform):move>")
def go_on(number: str, move: str) -> Answer:
    """{words?}: the payer goes on, says something, takes it back; or the platform steps in."""
    here = world()
    case = next((each for each in here.shelf.all(grievances.KIND) if each["number"] == number), None)
    if case is None:
        return {"error": "no such complaint"}, 404
    by, line, changed, told = MOVES[move]
    more = {"times": case["times"] + 1} if move == "again" else {}
    case = grievances.moved(here, case, by, line, str(_asked().get("words", "")), **changed, **more)
    tell(here, case, told)
    return case


def tell(here: World, case: Document, move: str) -> None:
    """The merchant is notified, with whatever faults wait for it."""
    far = here.far[case["gateway"]]
    here.notifier.tell_of(case["gateway"], case["number"], lambda spoil: far.complaint_told(case, move, spoil))


def _asked() -> dict[str, Any]:
    asked = request.get_json(silent=True)
    return asked if isinstance(asked, dict) else {}
