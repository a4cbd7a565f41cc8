"""Places become known, and a sandbox gets the agent and the staff whose logins it shows."""

from collections.abc import Mapping, Sequence

from sqlalchemy import select, text
from sqlalchemy.dialects.postgresql import insert

from app.access.models import Agent, AgentVillage, Staff
from app.access.passwords import hash_password, is_right
from app.access.roles import LOCAL, ROLES, Role
from app.flows.parts import Parts
from app.registry.models import Person, Town, Village


def put_places(parts: Parts, towns: Mapping[str, str], villages: Sequence[tuple[str, str]]) -> None:
    """Towns (code → name) and villages (code, name): added, or renamed if they are known."""
    with parts.engine.begin() as connection:
        town, village = insert(Town), insert(Village)
        connection.execute(
            town.on_conflict_do_update(index_elements=["code"], set_={"name": town.excluded.name}),
            [{"code": code, "name": name} for code, name in towns.items()],
        )
        connection.execute(
            village.on_conflict_do_update(index_elements=["code"], set_={"name": village.excluded.name}),
            [{"code": code, "town_code": code[:9], "name": name} for code, name in villages],
        )


def renamed(parts: Parts, towns: Mapping[str, str], villages: Sequence[tuple[str, str]]) -> list[tuple[str, str, str]]:
    """(code, name, other name) of each place that is known by another name than here."""
    given = {**towns, **dict(villages)}
    with parts.engine.connect() as connection:
        known = [row for table in (Town, Village) for row in connection.execute(select(table.code, table.name))]
    return [(row.code, row.name, given[row.code]) for row in known if given.get(row.code, row.name) != row.name]


def is_empty(parts: Parts) -> bool:
    """Is there nobody in the register?"""
    with parts.engine.connect() as connection:
        return connection.execute(select(Person.id).limit(1)).first() is None


def put_agent(parts: Parts, *, login: str, name: str, village: str, password: str) -> None:
    """An agent of one village with this login and password, made or brought back to it. Sandbox only: a real
    agent's password is nobody else's."""
    with parts.engine.begin() as connection:
        held = connection.execute(select(Agent.id, Agent.password_hash).where(Agent.login == login)).one_or_none()
        if held is not None and is_right(held.password_hash, password):
            return
        if held is None:
            sealed = parts.vault.seal(name, bound_to=f"agent.name:{login}")
            new = insert(Agent).values(login=login, name=sealed, password_hash=hash_password(password), given=False)
            agent = connection.execute(new.returning(Agent.id)).scalar_one()
            connection.execute(insert(AgentVillage).values(agent_id=agent, village_code=village))
        else:
            connection.execute(
                text("update agent set password_hash = :hash, active = true, given = false where id = :id"),
                {"hash": hash_password(password), "id": held.id},
            )


def put_staff(parts: Parts, logins: Mapping[Role, str], *, password: str, town: str) -> None:
    """One account for each role, all with this password, made or brought back to it; the official and the counter of a
    town are this town's. Sandbox only."""
    with parts.engine.begin() as connection:
        held = {row.login: row.password_hash for row in connection.execute(select(Staff.login, Staff.password_hash))}
        missing = [(role, login) for role, login in logins.items() if not is_right(held.get(login), password)]
        hashed = hash_password(password) if missing else ""
        for role, login in missing:
            new = insert(Staff).values(
                login=login,
                name=parts.vault.seal(f"示例{ROLES[role]}", bound_to=f"staff.name:{login}"),
                role=role,
                towns=[town] if role in LOCAL else [],
                departments=[next(iter(parts.departments))] if role is Role.DEPARTMENT else [],
                password_hash=hashed,
                given=False,
            )
            connection.execute(
                new.on_conflict_do_update(
                    index_elements=["login"], set_={"password_hash": hashed, "active": True, "given": False}
                )
            )
