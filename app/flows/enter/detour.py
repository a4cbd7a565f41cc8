"""A payment inside WeChat needs the payer as a user of our account there: the browser is sent to WeChat and comes back.

What it comes back with is believed only in the session that sent it, once, and within minutes: who is led here by
somebody else pays nothing. Whom WeChat names is asked for this payment alone and kept in no session."""

import json
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from hmac import compare_digest

from app.access import sessions
from app.access.sessions import Visitor
from app.flows.parts import Parts
from core.errors import Conflict
from notifications.channels.account import BadUserCode, UserSilent

LIVES = timedelta(minutes=5)  # as long as WeChat's code
LONGEST_CODE = 512
Wish = Sequence[tuple[str, str]]  # the fields of the form he sent, names and values


class LedAstray(Conflict):
    """A way back that this session was not sent on, was on before, or too long ago."""

    text = "这一步不是从您刚才的付款来的，没有扣钱。请重新去交。"


class NoAccount(Conflict):
    """Nobody's account in WeChat is configured."""

    text = "这里不能在微信里直接付，请换一种付款方式。"


@dataclass(frozen=True)
class Returned:
    """What he wanted, and who he is under our account; `openid` None: WeChat did not say, and he chooses again."""

    wish: Wish
    openid: str | None


def send_off(parts: Parts, visitor: Visitor, wish: Wish, *, back: str) -> str:
    """WeChat's page, which sends the browser to `back`, an address of ours. A second sending replaces the first.
    NoAccount."""
    if parts.account is None:
        raise NoAccount
    state, ends = secrets.token_hex(16), parts.clocks.wall() + LIVES
    held = json.dumps([state, ends.isoformat(), list(wish)], ensure_ascii=False)
    sealed = parts.vault.seal(held, bound_to=_bound(visitor))
    with parts.engine.begin() as connection:
        sessions.send_off(connection, visitor.token_hash, sealed)
    return parts.account().page(back, state)


def come_back(parts: Parts, visitor: Visitor, *, state: str, code: str) -> Returned:
    """The wish again, once, with whom WeChat says the phone belongs to. LedAstray."""
    if parts.account is None:
        raise NoAccount
    with parts.engine.begin() as connection:
        sealed = sessions.sent_off(connection, visitor.token_hash)
        asked, ends, wish = json.loads(parts.vault.open(sealed, bound_to=_bound(visitor))) if sealed else ("", "", [])
        if not asked or not compare_digest(asked.encode(), state.encode()):
            raise LedAstray
        sessions.send_off(connection, visitor.token_hash, None)
    if parts.clocks.wall() > datetime.fromisoformat(ends):
        raise LedAstray
    fields = [(str(name), str(value)) for name, value in wish]
    if not 0 < len(code) <= LONGEST_CODE:
        return Returned(fields, None)
    try:
        return Returned(fields, parts.account().openid(code))
    except (BadUserCode, UserSilent):
        return Returned(fields, None)


def _bound(visitor: Visitor) -> str:
    return f"session.detour:{visitor.key}"
