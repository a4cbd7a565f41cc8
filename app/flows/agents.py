"""Village agents and staff of the offices come, change their password, and go. Run by the operator; nobody changes
what he himself may see."""

import re
from collections.abc import Sequence

from sqlalchemy import insert, select, update
from sqlalchemy.dialects.postgresql import insert as upsert

from app.access.models import Agent, AgentVillage, Staff
from app.access.passwords import SHORTEST, hash_password
from app.access.roles import Role
from app.access.sessions import end_all_of, end_all_of_staff
from app.flows.parts import Parts
from app.registry.models import Village
from core.errors import BadInput, Conflict, NotFound

_LOGIN = re.compile(r"[a-z0-9][a-z0-9._-]{2,31}")


class BadLogin(BadInput):
    """A login that nobody could read out: 3 to 32 of a–z, 0–9, dot, dash, underscore."""

    text = "账号只能用小写字母、数字、点、横线，3到32位。"


class ShortPassword(BadInput):
    """A password of fewer than ten letters."""

    text = "密码至少要10位。"


class LoginTaken(Conflict):
    """There is somebody of this login."""

    text = "这个账号已经有人用了。"


class NoSuchAgent(NotFound):
    """Nobody of this login."""

    text = "没有这个代办员账号。"


class NoSuchStaff(NotFound):
    """Nobody of an office of this login."""

    text = "没有这个办公账号。"


class NoSuchVillage(NotFound):
    """A village code the registry does not know."""

    text = "没有这个村（居）代码。"


def add_agent(parts: Parts, *, login: str, name: str, password: str, villages: Sequence[str]) -> int:
    """A new agent for these villages; his id. BadLogin, ShortPassword, LoginTaken, NoSuchVillage."""
    wanted = _login(login)
    hashed = _hashed(password)
    codes = sorted(set(villages))
    with parts.engine.begin() as connection:
        known = connection.execute(select(Village.code).where(Village.code.in_(codes))).scalars().all()
        if not codes or len(known) != len(codes):
            raise NoSuchVillage(", ".join(sorted(set(codes) - set(known))))
        if connection.execute(select(Agent.id).where(Agent.login == wanted)).first():
            raise LoginTaken(wanted)
        sealed = parts.vault.seal(name.strip(), bound_to=f"agent.name:{wanted}")
        agent_id = connection.execute(
            insert(Agent).values(login=wanted, name=sealed, password_hash=hashed).returning(Agent.id)
        ).scalar_one()
        connection.execute(insert(AgentVillage), [{"agent_id": agent_id, "village_code": code} for code in codes])
    return agent_id


def add_staff(parts: Parts, *, login: str, name: str, role: Role, password: str) -> int:
    """Somebody new in an office; his id. BadLogin, ShortPassword, LoginTaken."""
    wanted = _login(login)
    hashed = _hashed(password)
    sealed = parts.vault.seal(name.strip(), bound_to=f"staff.name:{wanted}")
    with parts.engine.begin() as connection:
        made = connection.execute(
            upsert(Staff)
            .values(login=wanted, name=sealed, role=role, password_hash=hashed)
            .on_conflict_do_nothing()
            .returning(Staff.id)
        ).scalar_one_or_none()
        if made is None:
            raise LoginTaken(wanted)
    return int(made)


def change_staff(parts: Parts, *, login: str, password: str | None = None, active: bool | None = None) -> None:
    """A new password, or out at once; every open session ends. NoSuchStaff, ShortPassword."""
    columns: dict[str, object] = {} if password is None else {"password_hash": _hashed(password)}
    columns |= {} if active is None else {"active": active}
    with parts.engine.begin() as connection:
        staff_id = connection.execute(
            update(Staff).where(Staff.login == login.strip().lower()).values(**columns).returning(Staff.id)
        ).scalar_one_or_none()
        if staff_id is None:
            raise NoSuchStaff(login)
        end_all_of_staff(connection, staff_id)


def disable_agent(parts: Parts, *, login: str) -> None:
    """Out at once, on every screen he has open. NoSuchAgent."""
    _change(parts, login, active=False)


def change_password(parts: Parts, *, login: str, password: str) -> None:
    """A new password; whoever used the old one is out. NoSuchAgent, ShortPassword."""
    _change(parts, login, password_hash=_hashed(password))


def _change(parts: Parts, login: str, **columns: object) -> None:
    with parts.engine.begin() as connection:
        agent_id = connection.execute(
            update(Agent).where(Agent.login == login.strip().lower()).values(**columns).returning(Agent.id)
        ).scalar_one_or_none()
        if agent_id is None:
            raise NoSuchAgent(login)
        end_all_of(connection, agent_id)


def _login(login: str) -> str:
    wanted = login.strip().lower()
    if not _LOGIN.fullmatch(wanted):
        raise BadLogin(wanted)
    return wanted


def _hashed(password: str) -> str:
    if len(password) < SHORTEST:
        raise ShortPassword
    return hash_password(password)
