"""A sandbox's rosters in force, by the steps that real ones go, on the days before: drawn, signed by two, handed over,
hung for three days, reported and confirmed by two."""

from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import text

from app.access import sessions
from app.access.roles import Role
from app.access.sessions import Officer, SignedIn, Visitor
from app.flows.parts import Clocks, Parts
from app.flows.roster import move, post
from app.flows.roster.draw import Asked, draw
from app.policy.facts import Insurance
from app.registry.rosters import Stage
from core.clock import utc_now

_FIVE_DAYS, _A_DAY, _AN_HOUR = timedelta(days=5), timedelta(days=1), timedelta(hours=1)
_BY = "operator:sandbox"


@dataclass(frozen=True)
class Hands:
    """Whose hands the rosters go through: one of each office, and of the town, by his account's number and login; each
    village's agent by his number."""

    officers: Mapping[Role, tuple[int, str]]
    agents: Mapping[str, int]


class At(Clocks):
    """Clocks that stand still at a moment of the business clock."""

    def __init__(self, moment: datetime) -> None:
        self._moment = moment

    def wall(self) -> datetime:
        """The system clock."""
        return utc_now()

    def now(self) -> datetime:
        """The business clock."""
        return self._moment


def bring_into_force(parts: Parts, hands: Hands, *, photo: bytes) -> None:
    """The newest year's rosters of these agents' villages, of each insurance, as the register stands. What is in force
    already is drawn anew if the register says something else, and its next version confirmed now."""
    now, villages = parts.clocks.now(), sorted(hands.agents)
    drawn_at, over_at = (replace(parts, clocks=At(now - before)) for before in (_FIVE_DAYS, _AN_HOUR))
    rules = parts.rules
    offered = tuple(str(each) for each in Insurance if rules.offers(each))
    for village in villages:
        draw(drawn_at, Asked(rules.year, offered, village), by=_BY)
    with _sessions(parts, hands) as (officers, agents):
        if seen := _standing(parts, villages, Stage.GENERATED):
            _sign(drawn_at, seen, officers)
            _hang(drawn_at, seen, officers[Role.TOWN], agents, photo)
        post.ripen(replace(parts, clocks=At(now - _A_DAY / 2)))
        for first, at in ((True, over_at), (False, parts)):
            if seen := _standing(parts, villages, Stage.AMENDING, first=first):
                move.sign(at, seen, Stage.REPORTED, by=officers[Role.TOWN])
                move.sign(at, seen, Stage.TAX_CONFIRMED, by=officers[Role.TAX_LEAD])
                move.sign(at, seen, Stage.EFFECTIVE, by=officers[Role.HRSS])


def any_in_force(parts: Parts, village: str) -> bool:
    """Is a roster of the newest year?"""
    asked = {"village": village, "year": parts.rules.year}
    with parts.reading() as connection:
        return bool(connection.execute(_IN_FORCE, asked).scalar_one())


def _sign(parts: Parts, seen: dict[int, int], officers: Mapping[Role, Officer]) -> None:
    move.sign(parts, seen, Stage.TAX_REVIEWED, by=officers[Role.TAX_LEAD])
    move.sign(parts, seen, Stage.HRSS_REVIEWED, by=officers[Role.HRSS])
    move.sign(parts, seen, Stage.ISSUED_TO_TOWN, by=officers[Role.TAX_LEAD])


def _hang(parts: Parts, seen: dict[int, int], town: Officer, agents: Mapping[str, Visitor], photo: bytes) -> None:
    with parts.reading() as connection:
        rows = connection.execute(_POSTERS, {"ids": list(seen)}).all()
    for row in rows:
        agent = agents[row.village_code]
        assert agent.agent is not None, "an agent's session"
        move.hand_over(parts, {row.id: row.no}, agent=agent.agent.id, by=town)
        post.hang(parts, (row.id, row.no), code=row.code, photo=photo, by=agent)


def _standing(parts: Parts, villages: Collection[str], stage: Stage, *, first: bool = True) -> dict[int, int]:
    """Rosters that stand there, each with its version; the `first` of them, or later ones."""
    asked = {"villages": list(villages), "year": parts.rules.year, "state": stage, "first": first}
    with parts.reading() as connection:
        return {row.id: row.no for row in connection.execute(_STANDING, asked)}


@contextmanager
def _sessions(parts: Parts, hands: Hands) -> Iterator[tuple[dict[Role, Officer], dict[str, Visitor]]]:
    """Everybody comes in, and is out again afterwards."""
    tokens = list[str]()

    def enter(connection: Any, **whose: int) -> bytes:
        tokens.append(sessions.new_token())
        sessions.write(connection, tokens[-1], now=parts.clocks.wall(), **whose)
        return sessions.hash_of(tokens[-1])

    with parts.engine.begin() as connection:
        officers = {
            role: Officer(number, login, b"", role, session=enter(connection, staff_id=number))
            for role, (number, login) in hands.officers.items()
        }
        own = {agent: enter(connection, agent_id=agent) for agent in sorted(set(hands.agents.values()))}
    agents = {village: _visitor(agent, own[agent]) for village, agent in hands.agents.items()}
    try:
        yield officers, agents
    finally:
        with parts.engine.begin() as connection:
            for token in tokens:
                sessions.end(connection, sessions.hash_of(token))


def _visitor(agent: int, session: bytes) -> Visitor:
    until = utc_now() + _AN_HOUR
    return Visitor(session, SignedIn(agent, "", b"", frozenset()), None, None, {}, until, until)


_IN_FORCE = text(
    "select count(*) > 0 from roster where village_code = :village and levy_year = :year and effective_no is not null"
)
_POSTERS = text(
    "select r.id, r.no, r.village_code, v.code from roster r"
    " join roster_version v on v.roster_id = r.id and v.no = r.no where r.id = any (:ids) order by r.id"
)
_STANDING = text(
    "select id, no from roster where village_code = any (:villages) and levy_year = :year and state = :state"
    " and (effective_no is null) = :first order by id"
)
