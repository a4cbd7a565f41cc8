"""A WeChat user allows messages: our own count goes up, for WeChat tells nobody how many are left."""

from collections.abc import Mapping, Sequence

from app.access.sessions import Visitor
from app.flows.enter.session import openid_of
from app.flows.family.people import LoginRequired
from app.flows.parts import Parts
from core.errors import Conflict
from notifications import subscriptions


class NotFromWechat(Conflict):
    """A session without a WeChat user has nothing to subscribe to."""

    text = "订阅微信消息要从微信小程序里点。没有微信的，我们发短信。"


def agreed(parts: Parts, visitor: Visitor, kinds: Sequence[str]) -> None:
    """One more message of each kind that has a template. LoginRequired, NotFromWechat."""
    openid = _openid(parts, visitor)
    offered = _templates(parts)
    with parts.engine.begin() as connection:
        subscriptions.agree(connection, parts.vault, openid, [kind for kind in dict.fromkeys(kinds) if kind in offered])


def standing(parts: Parts, visitor: Visitor) -> tuple[Mapping[str, str], Mapping[str, int]]:
    """Kind → template id; kind → how many are left. LoginRequired, NotFromWechat."""
    openid = _openid(parts, visitor)
    with parts.reading() as connection:
        return _templates(parts), subscriptions.left(connection, parts.vault, openid)


def _templates(parts: Parts) -> Mapping[str, str]:
    return getattr(parts.channels.get("wechat"), "templates", {})


def _openid(parts: Parts, visitor: Visitor) -> str:
    if visitor.account_id is None:
        raise LoginRequired
    openid = openid_of(parts, visitor)
    if openid is None:
        raise NotFromWechat
    return openid
