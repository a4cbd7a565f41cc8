"""Villages whose rosters are in force, so that their agents collect (R38): by the real steps, with hands of its own."""

from functools import cache

from sqlalchemy import text

from app.access.models import Agent, Staff
from app.access.passwords import hash_password
from app.access.roles import Role
from app.cli.sample_rosters import Hands, bring_into_force

_OFFICES = (Role.TAX_LEAD, Role.HRSS, Role.TOWN)


def in_force(running, *villages):
    """Those of these villages (all that there are), of both insurances, with everybody who is registered now; each
    village's agent."""
    where = running.office
    with where.engine.begin() as connection:
        own = [row.code for row in connection.execute(text("select code from village order by code"))]
        codes = villages or own
        officers = {role: _officer(where, connection, role, own) for role in _OFFICES}
        agents = {code: _agent(where, connection, code) for code in codes}
    bring_into_force(where, Hands(officers, agents), photo=b"drawn")
    return agents


def _officer(where, connection, role, villages):
    login = f"rosters-{role}".replace("_", "-")
    row = {
        "login": login,
        "name": where.vault.seal("示例", bound_to=f"staff.name:{login}"),
        "role": role,
        "hash": _nobodys(),
        "towns": sorted({code[:9] for code in villages}) if role is Role.TOWN else [],
    }
    return connection.execute(_STAFF, row).scalar_one(), login


def _agent(where, connection, village):
    """Whoever collects there; somebody who is made for it if nobody does."""
    known = connection.execute(_KNOWN, {"village": village}).scalar()
    if known is not None:
        return known
    login = f"rosters-{village}"
    name = where.vault.seal("示例", bound_to=f"agent.name:{login}")
    row = {"login": login, "name": name, "hash": _nobodys(), "village": village}
    return connection.execute(_MADE, row).scalar_one()


@cache
def _nobodys():
    return hash_password("nobody comes in by this one")


_STAFF = text(
    f"insert into {Staff.__tablename__} (login, name, role, password_hash, towns)"
    " values (:login, :name, :role, :hash, :towns)"
    " on conflict (login) do update set towns = excluded.towns returning id"
)
_KNOWN = text(
    "select a.id from agent a join agent_village v on v.agent_id = a.id"
    " where v.village_code = :village and a.active order by a.id limit 1"
)
_MADE = text(
    f"with made as (insert into {Agent.__tablename__} (login, name, password_hash) values (:login, :name, :hash)"
    " returning id) insert into agent_village (agent_id, village_code) select id, :village from made returning agent_id"
)
