"""A plain provider of text messages: JSON over HTTP, an API key in a header, idempotent by the sender's key."""

import hmac
import re
from typing import Any

from flask import Blueprint, request

from payments.sandbox.signing import random_digits
from payments.sandbox.world import world

bp = Blueprint("sms", __name__)
Answer = dict[str, Any] | tuple[dict[str, Any], int]


@bp.post("/sms/send")
def send() -> Answer:
    """{to, text, key} with X-Api-Key → {id}; the same key again → the same id, sent once; other words → 409.

    A phone that can never be reached is 422."""
    here = world()
    if not hmac.compare_digest(request.headers.get("X-Api-Key", "").encode(), here.keys.sms_key.encode()):
        return {"error": "UNAUTHORIZED"}, 401
    asked = request.get_json(silent=True)
    if error := _wrong_with(asked):
        return {"error": error}, 422 if error == "BAD_NUMBER" else 400
    if fault := here.faults.take("error", "", on="sms"):
        return {"error": fault.get("code", "BUSY")}, fault.get("status", 503)
    with here.shelf.lock:
        before = here.shelf.get("message", f"sms/{asked['key']}")
        if before is not None:
            same = (before["to"], before["text"]) == (asked["to"], asked["text"])
            return {"id": before["id"]} if same else ({"error": "KEY_REUSED"}, 409)
        message = {
            "channel": "sms",
            "id": f"S{random_digits(18)}",
            "to": asked["to"],
            "text": asked["text"],
            "key": asked["key"],
            "delivered_at": here.clock.now().isoformat(),
        }
        here.shelf.put("message", f"sms/{asked['key']}", message)
    return {"id": message["id"]}


def _wrong_with(asked: object) -> str:
    if not isinstance(asked, dict) or not all(isinstance(asked.get(name), str) for name in ("to", "text", "key")):
        return "BAD_REQUEST"
    if not re.fullmatch(r"1[3-9][0-9]{9}", asked["to"]):
        return "BAD_NUMBER"
    return "" if 0 < len(asked["text"]) <= 500 and 0 < len(asked["key"]) <= 128 else "BAD_REQUEST"
