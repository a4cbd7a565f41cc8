"""POST / is whichever provider's the headers name, as both have it at their own address; and their console."""

import json
import time
from typing import Any

from flask import Blueprint, Response, request

from payments.sandbox.texts import aliyun, tencent
from payments.sandbox.texts.post import LONGEST, PLACES, NotApproved, hand_in, on_the_way
from payments.sandbox.world import world

bp = Blueprint("texts", __name__)
SIDES = {aliyun.NAME: aliyun, tencent.NAME: tencent}


@bp.post("/")
def ask() -> Response:
    """One signed question; faults spoil the answer after it was acted on."""
    here, name = world(), tencent.NAME if "X-TC-Action" in request.headers else aliyun.NAME
    if delay := here.faults.take("delay", on="sms", gateway=name):
        time.sleep(delay["seconds"])
    status, words, phone = SIDES[name].answer(here, request)
    body = json.dumps(words, ensure_ascii=False).encode()
    fault = on_the_way(here, phone, name)
    if fault is None:
        return Response(body, status, content_type="application/json")
    if fault["kind"] == "silent":
        time.sleep(fault.get("seconds", 12))
    if fault["kind"] == "html":
        return Response("<!doctype html><p>maintenance</p>", 200, content_type="text/html")
    return Response(body[: len(body) // 2], status, content_type="application/json")


@bp.post("/texts/templates")
def approve() -> dict[str, Any] | tuple[dict[str, Any], int]:
    """{provider, templates: {id: text}, longest?}: handed in and approved at once, or all of it refused with why."""
    asked = request.get_json(silent=True) or {}
    provider, templates = asked.get("provider"), asked.get("templates")
    if provider not in PLACES or not isinstance(templates, dict):
        return {"error": "provider and templates are needed"}, 400
    try:
        for number, content in templates.items():
            hand_in(world(), provider, str(number), str(content), longest=int(asked.get("longest", LONGEST)))
    except NotApproved as why:
        return {"error": str(why)}, 409
    return {"approved": len(templates)}


@bp.get("/texts/pushes")
def pushes() -> dict[str, Any]:
    """?provider=…: what it would push of everything it took, oldest first, as its body has it."""
    name = request.args.get("provider", "")
    taken = [each for each in world().shelf.all("text") if each["provider"] == name]
    return {"pushes": [SIDES[name].push(each) for each in taken]}


@bp.post("/texts/session-context")
def session_context() -> dict[str, Any]:
    """{off: true}: Tencent's receipts do not bring the sender's words back, as without its consent."""
    off = bool((request.get_json(silent=True) or {}).get("off"))
    if off:
        world().shelf.put("text_setting", "session_context", {"off": True})
    else:
        world().shelf.take("text_setting", "session_context")
    return {"off": off}
