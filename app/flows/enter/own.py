"""What an agent or somebody of an office does with his own account: another password, an end to a session of his."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select, text

from app.access import acts, sessions
from app.access.acts import What
from app.access.models import Agent, Staff
from app.access.passwords import LONGEST, is_right
from app.access.sessions import AGENT_LIFE, LIFE, STAFF_LIFE, Visitor
from app.access.tally import LOGINS, count, forgive
from app.flows.enter.accounts import hashed
from app.flows.parts import Parts
from app.flows.refused import kept_though_refused
from core.errors import BadInput, NotFound


class NotHisPassword(BadInput):
    """Whoever sits at the open page does not know the password it was opened with."""

    status = 422
    text = "现在的密码不对。"


class SamePassword(BadInput):
    """The new one is the old one."""

    status = 422
    text = "新密码和现在的一样，请换一个。"


class NoSuchSession(NotFound):
    """No open login of this name, or somebody else's."""

    text = "没有这个登录，可能已经退出了。"


@dataclass(frozen=True)
class Open:
    """One live session: how the page names it, from where and since when (system clock), and whether it is this one."""

    name: str
    network: str
    since: datetime
    here: bool


def change_own(parts: Parts, visitor: Visitor, *, former: str, password: str) -> int:
    """A password that only he knows; how many sessions elsewhere ended with the old one.

    NotHisPassword, SamePassword, LoginsTooOften, all errors of `hashed`."""
    whose, account = (Agent, visitor.agent) if visitor.agent is not None else (Staff, visitor.officer)
    assert account is not None
    now = parts.clocks.wall()
    with parts.engine.connect() as connection:
        with kept_though_refused(connection):
            counted = count(connection, parts.vault, (f"own:{visitor.by}",), LOGINS, now)
        held = connection.execute(select(whose.password_hash).where(whose.id == account.id)).scalar_one()
    if not is_right(held, former[:LONGEST]):
        raise NotHisPassword
    if former == password:
        raise SamePassword
    sealed = account.name
    name = parts.vault.open(sealed, bound_to=f"{whose.__tablename__}.name:{account.login}")
    fresh = hashed(password[:LONGEST], account.login, name, *parts.place_words)
    with parts.engine.begin() as connection:
        forgive(connection, counted)
        changed = {"session": visitor.token_hash, "former": held, "hash": fresh, "at": now}
        return int(connection.execute(_CHANGE, changed).scalar_one())


_CHANGE = text("select change_own_password(:session, :former, :hash, :at)")


def open_sessions(parts: Parts, visitor: Visitor) -> list[Open]:
    """Where he is logged in, the latest first."""
    life = AGENT_LIFE if visitor.agent is not None else STAFF_LIFE if visitor.officer is not None else LIFE
    with parts.reading() as connection:
        rows = sessions.all_of(connection, visitor, now=parts.clocks.wall())
    return [
        Open(_name(parts, row.token_hash), row.network, row.ends_at - life, bytes(row.token_hash) == visitor.token_hash)
        for row in rows
    ]


def end_session(parts: Parts, visitor: Visitor, name: str, *, network: str) -> None:
    """One of his own is over at once. NoSuchSession."""
    now = parts.clocks.wall()
    with parts.engine.begin() as connection:
        mine = sessions.all_of(connection, visitor, now=now)
        wanted = next((row.token_hash for row in mine if _name(parts, row.token_hash) == name), None)
        if wanted is None:
            raise NoSuchSession
        sessions.end(connection, wanted)
        acts.note(connection, What.OUT, by=visitor.by, at=now, words="one", network=network)


def _name(parts: Parts, token_hash: bytes) -> str:
    return parts.vault.index(bytes(token_hash).hex(), purpose="session").hex()[:24]
