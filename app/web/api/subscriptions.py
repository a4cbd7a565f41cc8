"""/api/v1/me/subscriptions: what a WeChat user agreed to be told, counted by us."""

from typing import Any

from apiflask import APIBlueprint

from app.flows.tell.subscribe import agreed, standing
from app.web.api.asked import SubscriptionsAsked
from app.web.api.told import SubscriptionsTold, answers
from app.web.door.access import here
from app.web.door.parts import parts

bp = APIBlueprint("subscriptions", __name__, tag="登录 session")


@bp.get("/me/subscriptions")
@bp.doc(security="session", responses=answers(SubscriptionsTold, 200, 401, 409))
def which() -> dict[str, Any]:
    """What may be asked for, and how many messages of each kind are left

    409 `NOT_FROM_WECHAT` for a session that did not come with a login code."""
    return _told()


@bp.post("/me/subscriptions")
@bp.input(SubscriptionsAsked)
@bp.doc(security="session", responses=answers(SubscriptionsTold, 200, 401, 403, 409))
def more(json_data: SubscriptionsAsked) -> dict[str, Any]:
    """Note what the user allowed: one tap is one message of each kind"""
    agreed(parts(), here(), json_data.accepted)
    return _told()


def _told() -> dict[str, Any]:
    templates, left = standing(parts(), here())
    return {"templates": dict(templates), "left": dict(left)}
