"""POST /api/v1/session: a token for everything else."""

from typing import Any

from apiflask import APIBlueprint

from app.flows.enter import open_session
from app.web.access import network
from app.web.api.asked import SessionAsked
from app.web.api.told import SessionTold, answers
from app.web.parts import parts

bp = APIBlueprint("session", __name__, tag="会话 session")


@bp.post("/session")
@bp.input(SessionAsked)
@bp.doc(responses=answers(SessionTold, 201, 401, 409, 429, 503))
def begin(json_data: SessionAsked) -> tuple[dict[str, Any], int]:
    """Begin a session

    With the mini-program's login code the session knows the WeChat user, which JSAPI payments need."""
    entry = open_session(parts(), network=network(), code=json_data.code)
    return {"token": entry.token, "expires_at": entry.expires_at.isoformat(timespec="seconds")}, 201
