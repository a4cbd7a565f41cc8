"""Sessions as rows: the visitor holds a random token, the database its hash. Nothing here commits."""

import secrets
from collections import namedtuple
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any

from sqlalchemy import ColumnElement, Connection, Engine, Row, delete, insert, or_, select, text, update

from app.access.models import Session
from app.access.roles import Role
from core.alone import ask_alone
from core.db import EVERYWHERE

IDLE, LIFE, AGENT_LIFE = timedelta(minutes=30), timedelta(hours=2), timedelta(hours=8)
STAFF_IDLE, STAFF_LIFE = timedelta(minutes=15), timedelta(hours=8)  # A57
_REWRITE = timedelta(minutes=1)  # a session in use is written down at most once a minute


@dataclass(frozen=True, slots=True)
class SignedIn:
    """The agent of a session, as he stands in this very moment; `name` is sealed, agent.name:<login>."""

    id: int
    login: str
    name: bytes
    villages: frozenset[str]
    given: bool = False  # his password is an operator's still


@dataclass(frozen=True, slots=True)
class Officer:
    """Somebody of an office, as he stands in this very moment; `name` is sealed, staff.name:<login>."""

    id: int
    login: str
    name: bytes
    role: Role
    towns: frozenset[str] = frozenset()  # empty: the whole district
    session: bytes = b""  # the hash of the token he came with: readings are noted in its name
    given: bool = False  # his password is an operator's still
    glass: int | None = None  # what was opened for him, until when: his role is GLASS meanwhile
    glass_until: datetime | None = None
    departments: frozenset[str] = frozenset()  # he sees their lists, and nothing else

    @property
    def by(self) -> str:
        """How what he does is signed in the tables."""
        return f"staff:{self.login}"


@dataclass(frozen=True, slots=True)
class Visitor:
    """A live session. `known`: opaque reference → person id; `openid` is sealed, session.openid:<hex of token_hash>."""

    token_hash: bytes
    agent: SignedIn | None
    officer: Officer | None
    openid: bytes | None
    known: Mapping[str, int]
    expires_at: datetime
    ends_at: datetime
    account_id: int | None = None
    unsure_id: int | None = None  # the account of his phone, long unused: his, if he names its person

    @property
    def key(self) -> str:
        """Names the session where something is bound to it; says nothing about the token."""
        return self.token_hash.hex()

    def stales(self, now: datetime) -> bool:
        """Is it time to write down that it is still in use?"""
        return self.expires_at < min(now + self.idle, self.ends_at) - _REWRITE

    @property
    def places(self) -> str:
        """The codes of villages, towns and departments that the database shows to this visitor, or all there is."""
        if self.agent is not None:
            return ",".join(sorted(self.agent.villages))
        own = self.officer and self.officer.towns | {f"department:{code}" for code in self.officer.departments}
        return ",".join(sorted(own or ())) or EVERYWHERE

    @property
    def by(self) -> str:
        """Who it is, as the trail of acts has it; empty: nobody proved anything yet."""
        if self.agent is not None:
            return f"agent:{self.agent.login}"
        if self.officer is not None:
            return self.officer.by
        return f"account:{self.account_id}" if self.account_id is not None else ""

    @property
    def idle(self) -> timedelta:
        """How long it lives unused."""
        return STAFF_IDLE if self.officer else IDLE


def new_token() -> str:
    """256 random bits."""
    return secrets.token_urlsafe(32)


def hash_of(token: str) -> bytes:
    """What the database keeps of a token."""
    return sha256(token.encode()).digest()


def find(engine: Engine, token: str, *, now: datetime) -> Visitor | None:
    """The live session of a token, with its agent and his villages or its officer and his role, in one statement that
    stands alone; None for any other token. Who lost a village or a role is without it from this very query (A47)."""
    rows = ask_alone(engine, _FIND, (now, hash_of(token), now))
    return _visitor(_Row._make(rows[0])) if rows else None


def find_by_hash(connection: Connection, token_hash: bytes, *, now: datetime) -> Visitor | None:
    """As `find`, by what the database keeps of the token, in a transaction."""
    row = connection.exec_driver_sql(_FIND, (now, token_hash, now)).one_or_none()
    return None if row is None else _visitor(_Row._make(row))


_FIND = (
    "select s.token_hash, s.openid, s.known, s.expires_at, s.ends_at, s.account_id, s.unsure_id, s.agent_id,"
    "       a.login, a.name, coalesce(a.given, f.given) as given,"
    "       array(select village_code from agent_village v where v.agent_id = s.agent_id) as villages,"
    "  s.staff_id, f.login as staff_login, f.name as staff_name, f.role, f.towns, f.departments, g.id as glass, g.until"
    "  from session s left join agent a on a.id = s.agent_id left join staff f on f.id = s.staff_id"
    "  left join glass g on g.asked_by = 'staff:' || f.login and g.ended_at is null and g.until > %s"
    " where s.token_hash = %s and s.expires_at > %s and (s.agent_id is null or a.active)"
    "   and (s.staff_id is null or f.active)"
)
_Row = namedtuple(
    "_Row",
    "token_hash openid known expires_at ends_at account_id unsure_id agent_id login name given villages staff_id"
    " staff_login staff_name role towns departments glass until",
)


def _visitor(row: Any) -> Visitor:
    agent = officer = None
    if row.agent_id is not None:
        agent = SignedIn(row.agent_id, row.login, bytes(row.name), frozenset(row.villages), row.given)
    if row.staff_id is not None:
        officer = Officer(
            row.staff_id,
            row.staff_login,
            bytes(row.staff_name),
            Role(row.role) if row.glass is None else Role.GLASS,
            frozenset(row.towns) if row.glass is None else frozenset(),
            bytes(row.token_hash),
            row.given,
            row.glass,
            row.until,
            frozenset(row.departments),
        )
    return replace(resident(bytes(row.token_hash), row), agent=agent, officer=officer, unsure_id=row.unsure_id)


def resident(token_hash: bytes, row: "OwnRow | Any") -> Visitor:
    """A resident's session from its row."""
    return Visitor(token_hash, None, None, row.openid, row.known, row.expires_at, row.ends_at, row.account_id)


OwnRow = namedtuple("OwnRow", "openid known expires_at ends_at account_id")


def write(
    connection: Connection,
    token: str,
    *,
    now: datetime,
    openid: bytes | None = None,
    agent_id: int | None = None,
    staff_id: int | None = None,
    account_id: int | None = None,
    unsure_id: int | None = None,
    people: Collection[int] = (),
    network: str = "",
) -> datetime:
    """A new session, which knows the `people` of its account; the moment at which it ends if nobody uses it."""
    ends_at = now + (LIFE if agent_id is None and staff_id is None else AGENT_LIFE if agent_id else STAFF_LIFE)
    expires_at = ends_at if agent_id else now + (STAFF_IDLE if staff_id else IDLE)
    connection.execute(
        insert(Session).values(
            token_hash=hash_of(token),
            openid=openid,
            agent_id=agent_id,
            staff_id=staff_id,
            account_id=account_id,
            unsure_id=unsure_id,
            known={secrets.token_urlsafe(9): person for person in people},
            network=network,
            expires_at=expires_at,
            ends_at=ends_at,
        )
    )
    return expires_at


def belongs(connection: Connection, token_hash: bytes, account_id: int, people: Collection[int]) -> None:
    """It is known whose session it is; it knows the account's people."""
    known = {secrets.token_urlsafe(9): person for person in people}
    whose = update(Session).where(Session.token_hash == token_hash)
    connection.execute(whose.values(account_id=account_id, unsure_id=None, known=known))


def extend(engine: Engine, visitor: Visitor, *, now: datetime) -> None:
    """A session in use lives on, to its last moment at most; one statement that stands alone."""
    ask_alone(engine, _EXTEND, (min(now + visitor.idle, visitor.ends_at), visitor.token_hash))


_EXTEND = "update session set expires_at = %s where token_hash = %s returning expires_at"


def send_off(connection: Connection, token_hash: bytes, detour: bytes | None) -> None:
    """What is asked elsewhere for this session, in place of what was asked before; None: nothing any more."""
    connection.execute(update(Session).where(Session.token_hash == token_hash).values(detour=detour))


def sent_off(connection: Connection, token_hash: bytes) -> bytes | None:
    """The same, held against whoever comes back with it at the same moment."""
    held = select(Session.detour).where(Session.token_hash == token_hash).with_for_update()
    return connection.execute(held).scalar_one_or_none()


def know(connection: Connection, visitor: Visitor, person_id: int) -> str:
    """The reference under which this session knows a person, given now if there is none; the account's other sessions
    know him too."""
    for reference, known in visitor.known.items():
        if known == person_id:
            return reference
    reference = secrets.token_urlsafe(9)
    connection.execute(
        text(
            "update session set known = known || jsonb_build_object(cast(:reference as text), cast(:person as bigint))"
            " where (token_hash = :token_hash or account_id = cast(:account as bigint))"
            "   and not exists (select from jsonb_each(known) k where cast(k.value as bigint) = :person)"
        ),
        {
            "reference": reference,
            "person": person_id,
            "token_hash": visitor.token_hash,
            "account": visitor.account_id,
        },
    )
    return reference


def unknow(connection: Connection, account_id: int, person_id: int) -> None:
    """No session of an account knows a person any more."""
    connection.execute(
        text(
            "update session set known = (select coalesce(jsonb_object_agg(k.key, k.value), '{}')"
            "  from jsonb_each(known) k where cast(k.value as bigint) <> :person) where account_id = :account"
        ),
        {"person": person_id, "account": account_id},
    )


def end(connection: Connection, token_hash: bytes) -> None:
    """It takes effect at once."""
    connection.execute(delete(Session).where(Session.token_hash == token_hash))


def end_all_of(connection: Connection, agent_id: int) -> None:
    """Every session of an agent."""
    connection.execute(delete(Session).where(Session.agent_id == agent_id))


def end_all_of_staff(connection: Connection, staff_id: int) -> None:
    """Every session of somebody of an office."""
    connection.execute(delete(Session).where(Session.staff_id == staff_id))


def end_all_of_phone(connection: Connection, account_id: int, *, but: bytes) -> None:
    """Every session but one of an account whose phone is somebody else's now."""
    its = or_(Session.account_id == account_id, Session.unsure_id == account_id)
    connection.execute(delete(Session).where(its, Session.token_hash != but))


def end_others_of(connection: Connection, visitor: Visitor) -> int:
    """Every other session of the same account, agent or officer; how many."""
    others = delete(Session).where(_of(visitor), Session.token_hash != visitor.token_hash)
    return connection.execute(others).rowcount


def all_of(connection: Connection, visitor: Visitor, *, now: datetime) -> Sequence[Row]:
    """The live sessions of the same account, agent or officer: token_hash, network, ends_at; the latest first."""
    live = select(Session.token_hash, Session.network, Session.ends_at).where(_of(visitor), Session.expires_at > now)
    return connection.execute(live.order_by(Session.ends_at.desc())).all()


def _of(visitor: Visitor) -> ColumnElement[bool]:
    if visitor.agent is not None:
        return Session.agent_id == visitor.agent.id
    if visitor.officer is not None:
        return Session.staff_id == visitor.officer.id
    return Session.account_id == visitor.account_id
