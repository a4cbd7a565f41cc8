"""The second factor is given out by the operator, proved at each login, and used once a step."""

from datetime import datetime

from sqlalchemy import Connection, select, text, update

from app.access import second
from app.access.models import Agent, Staff
from app.access.second import Issued
from app.access.sessions import end_all_of, end_all_of_staff
from app.flows.enter.accounts import NoSuchAgent, NoSuchStaff
from app.flows.parts import Parts
from core.vault import Vault

Whose = type[Agent] | type[Staff]


def issue_second(parts: Parts, whose: Whose, *, login: str) -> Issued:
    """A new secret and new recovery codes for a login: the old ones are worth nothing, every session ends.

    NoSuchAgent, NoSuchStaff."""
    with parts.engine.begin() as connection:
        return write_second(parts, connection, whose, login.strip().lower())


def write_second(parts: Parts, connection: Connection, whose: Whose, login: str) -> Issued:
    """The same in the caller's transaction."""
    issued = second.issue(login)
    found = connection.execute(
        update(whose)
        .where(whose.login == login)
        .values(
            second=parts.vault.seal(issued.secret, bound_to=_bound(whose, login)),
            second_step=0,
            recovery=[_digest(parts.vault, login, code) for code in issued.recovery],
        )
        .returning(whose.id)
    ).scalar_one_or_none()
    if found is None:
        raise (NoSuchAgent if whose is Agent else NoSuchStaff)(login)
    (end_all_of if whose is Agent else end_all_of_staff)(connection, found)
    return issued


def has_second(parts: Parts, whose: Whose, *, login: str) -> bool:
    """Was one given out?"""
    with parts.reading() as connection:
        return connection.execute(select(whose.second).where(whose.login == login)).scalar_one() is not None


def prove_second(
    connection: Connection, vault: Vault, whose: Whose, *, login: str, typed: str, now: datetime, spend: bool
) -> bool:
    """Is this the code of now, not used yet, or a recovery code that is left? Either counts once. System clock.

    Without `spend`, nor for nobody, it is no code and none is used up, after the same work."""
    sealed = connection.execute(select(whose.second).where(whose.login == login)).scalar_one_or_none()
    secret = vault.open(sealed, bound_to=_bound(whose, login)) if sealed is not None else _NOBODYS
    step, digest = second.step_of(secret, typed, now=now), _digest(vault, login, typed)
    counts = spend and sealed is not None
    spent = {
        "whose": whose.__tablename__,
        "login": login if counts else "",  # which is nobody's
        "step": step,
        "recovery": digest if step is None else None,
    }
    return bool(connection.execute(_SPEND, spent).scalar_one())


def code_of_now(parts: Parts, whose: Whose, *, login: str) -> str:
    """What the telephone would show. For the sandbox, whose telephones are nobody's."""
    wanted = login.strip().lower()
    with parts.reading() as connection:
        sealed = connection.execute(select(whose.second).where(whose.login == wanted)).scalar_one_or_none()
    if sealed is None:
        raise (NoSuchAgent if whose is Agent else NoSuchStaff)(login)
    step = int(parts.clocks.wall().timestamp()) // second.STEP_S
    return second.code_at(parts.vault.open(sealed, bound_to=_bound(whose, wanted)), step)


_NOBODYS = second.issue("nobody").secret
_SPEND = text("select spend_second(:whose, :login, :step, :recovery)")


def _bound(whose: Whose, login: str) -> str:
    return f"{whose.__tablename__}.second:{login}"


def _digest(vault: Vault, login: str, code: str) -> bytes:
    return vault.index(f"{login}:{second.clean(code)}", purpose="recovery")
