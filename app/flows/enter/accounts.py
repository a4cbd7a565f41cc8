"""Village agents and staff of the offices come, change their password, and go. Run by the operator; nobody changes
what he himself may see."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, insert, select, update
from sqlalchemy.dialects.postgresql import insert as upsert

from app.access.models import Agent, AgentVillage, Staff
from app.access.passwords import SHORTEST, hash_password, is_common, is_own
from app.access.roles import LOCAL, Role
from app.access.sessions import end_all_of, end_all_of_staff
from app.flows.parts import Parts
from app.registry.models import Town, Village
from core.errors import BadInput, Conflict, NotFound

LOGIN = re.compile(r"[a-z0-9][a-z0-9._-]{2,31}")


class BadLogin(BadInput):
    """A login that nobody could read out: 3 to 32 of a–z, 0–9, dot, dash, underscore."""

    text = "账号只能用小写字母、数字、点、横线，3到32位。"


class ShortPassword(BadInput):
    """A password of fewer than ten letters."""

    text = "密码至少要10位。"


class CommonPassword(BadInput):
    """A password that everybody tries first."""

    text = "这个密码太常见，或者就是几个字符来回写。请换一个别人猜不到的。"


class OwnPassword(BadInput):
    """A password made of the login, the name or the place."""

    text = "密码里除了账号、姓名、单位和地名，没有多少别的。请换一个别人猜不到的。"


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


class NoSuchTown(NotFound):
    """A town code the registry does not know."""

    text = "没有这个镇街代码。"


class WrongTowns(BadInput):
    """An official or a counter of a town without one, or somebody of the district with one."""

    text = "镇街经办和服务大厅窗口要写明是哪个镇街的，别的角色不写。"


class WrongDepartments(BadInput):
    """Somebody of a department without one or with one that does not pay here, or another role with one."""

    text = "帮扶部门的账号要写明是哪个部门的（{known}），别的角色不写。"


@dataclass(frozen=True)
class Account:
    """Whose account of an office it is; codes of towns and departments."""

    login: str
    name: str
    role: Role
    towns: Sequence[str]
    departments: Sequence[str]


def add_agent(
    parts: Parts, *, login: str, name: str, password: str, villages: Sequence[str], given: bool = False
) -> int:
    """A new agent for these villages; his id. `given`: somebody else knows the password, it is good for one login.

    BadLogin, LoginTaken, NoSuchVillage, all errors of `hashed`."""
    wanted = _login(login)
    password_hash = hashed(password, wanted, name, *parts.place_words)
    codes = sorted(set(villages))
    with parts.engine.begin() as connection:
        known = connection.execute(select(Village.code).where(Village.code.in_(codes))).scalars().all()
        if not codes or len(known) != len(codes):
            raise NoSuchVillage(", ".join(sorted(set(codes) - set(known))))
        if connection.execute(select(Agent.id).where(Agent.login == wanted)).first():
            raise LoginTaken(wanted)
        return write_agent(parts, connection, wanted, name, password_hash, codes, given=given)


def write_agent(  # noqa: PLR0917 a row with its columns
    parts: Parts,
    connection: Connection,
    login: str,
    name: str,
    password_hash: str,
    codes: Sequence[str],
    *,
    given: bool,
) -> int:
    """The rows of an agent whose login is free and whose villages are known; his id."""
    sealed = parts.vault.seal(name.strip(), bound_to=f"agent.name:{login}")
    row = {"login": login, "name": sealed, "password_hash": password_hash, "given": given}
    agent_id = int(connection.execute(insert(Agent).values(**row).returning(Agent.id)).scalar_one())
    connection.execute(insert(AgentVillage), [{"agent_id": agent_id, "village_code": code} for code in codes])
    return agent_id


def add_staff(
    parts: Parts,
    *,
    login: str,
    name: str,
    role: Role,
    password: str,
    towns: Sequence[str] = (),
    departments: Sequence[str] = (),
    given: bool = False,
) -> int:
    """Somebody new in an office; his id. `towns`: an official or a counter of a town sees these and nothing else;
    `departments`: somebody of a department sends these departments' lists. `given` as for an agent.

    BadLogin, LoginTaken, NoSuchTown, WrongTowns, WrongDepartments, all errors of `hashed`."""
    wanted = _login(login)
    password_hash = hashed(password, wanted, name, *parts.place_words)
    own = sorted(set(towns))
    if (role in LOCAL) != bool(own):
        raise WrongTowns
    whose = sorted(set(departments))
    if (role is Role.DEPARTMENT) != bool(whose) or not set(whose) <= set(parts.departments):
        raise WrongDepartments(known="、".join(parts.departments))
    with parts.engine.begin() as connection:
        known = connection.execute(select(Town.code).where(Town.code.in_(own))).scalars().all()
        if len(known) != len(own):
            raise NoSuchTown(", ".join(sorted(set(own) - set(known))))
        return write_staff(parts, connection, Account(wanted, name, role, own, whose), password_hash, given=given)


def write_staff(parts: Parts, connection: Connection, account: Account, password_hash: str, *, given: bool) -> int:
    """The row of somebody of an office whose towns and departments are known; his id. LoginTaken."""
    made = connection.execute(
        upsert(Staff)
        .values(
            login=account.login,
            name=parts.vault.seal(account.name.strip(), bound_to=f"staff.name:{account.login}"),
            role=account.role,
            towns=list(account.towns),
            departments=list(account.departments),
            password_hash=password_hash,
            given=given,
        )
        .on_conflict_do_nothing()
        .returning(Staff.id)
    ).scalar_one_or_none()
    if made is None:
        raise LoginTaken(account.login)
    return int(made)


def change_staff(parts: Parts, *, login: str, password: str | None = None, active: bool | None = None) -> None:
    """A new password, good for one login, or out at once; every open session ends. NoSuchStaff, errors of `hashed`."""
    columns: dict[str, object] = {}
    if password is not None:
        columns = {"password_hash": hashed(password, login, *parts.place_words), "given": True}
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
    """A new password, good for one login; whoever used the old one is out. NoSuchAgent, errors of `hashed`."""
    _change(parts, login, password_hash=hashed(password, login, *parts.place_words), given=True)


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
    if not LOGIN.fullmatch(wanted):
        raise BadLogin(wanted)
    return wanted


def hashed(password: str, *own: str) -> str:
    """What is kept of a new password; `own` are words that everybody knows of him. ShortPassword, CommonPassword,
    OwnPassword."""
    if len(password) < SHORTEST:
        raise ShortPassword
    if is_common(password):
        raise CommonPassword
    if is_own(password, own):
        raise OwnPassword
    return hash_password(password)
