"""A town's agents at its page: who they are, a list looked at and confirmed, one ended, a telephone that is gone."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import BinaryIO

from sqlalchemy import Row, text

from app.access.roles import Role
from app.access.sessions import Officer
from app.flows.hand_in.ask import ask, asked
from app.flows.hand_in.keep import FileGone, keep, kept, pieces, throw_away
from app.flows.parts import Parts
from core.errors import BadInput, Conflict, NotFound, Refused
from core.redact import scrub
from payments.refusals import as_errors

LOOK, MAKE, RENEW = "agents_look", "agents_make", "agents_renew"
_SHORTEST, _LONGEST, _MOST = 4, 200, 2000
_NONE: Mapping[str, object] = {}


class NotKeptHere(NotFound):
    """An agent of another town, or nobody."""

    text = "没有这个代办员，或者不归您管。"


class NothingToMake(Conflict):
    """What was not looked at to its end, brings nobody, or was made before."""

    text = "这份名单现在不能开账号：还没有看完，或者没有要开的，或者已经开过了。"


class BadLoss(BadInput):
    """A telephone that is gone, without a word of how that is known."""

    text = "请写清楚怎么知道是本人、手机怎么了，4到200个字，不写证件号和手机号。"


class OwnLoss(Refused):
    """Who asked does not agree."""

    text = "您自己提出的，要别人同意。"


class NoLoss(Conflict):
    """Answered already."""

    text = "这一件已经有人答复了。"


class SlipsGone(NotFound):
    """Slips of somebody else, or that were deleted."""

    text = "没有这份账号单，或者已经删掉了。要的话请重新申请动态码。"


@dataclass(frozen=True)
class Kept:
    """One agent. `name` in clear."""

    login: str
    name: str
    active: bool
    places: str
    has_second: bool


@dataclass(frozen=True)
class Loss:
    """A telephone that is gone and what came of it. `mine`: this officer asked; `slips`: the work that makes them."""

    id: int
    login: str
    why: str
    asked_by: str
    asked_at: datetime
    agreed_by: str | None
    mine: bool


def agents(parts: Parts, officer: Officer) -> list[Kept]:
    """Those of the officer's towns, who are in first, by village."""
    with parts.reading() as connection:
        rows = connection.execute(_AGENTS, {"towns": sorted(officer.towns)}).all()
    opened = parts.vault.open
    return [
        Kept(row.login, opened(row.name, bound_to=f"agent.name:{row.login}"), row.active, row.places, row.has_second)
        for row in rows
    ]


def lists(parts: Parts, officer: Officer) -> Sequence[Row]:
    """His own lists and renewals, the latest first."""
    with parts.reading() as connection:
        return connection.execute(_LISTS, {"by": officer.by}).all()


def losses(parts: Parts, officer: Officer) -> list[Loss]:
    """Telephones that are gone: open ones that he may answer or asked for himself, and his own that are agreed to and
    have no slip yet."""
    every = officer.role is Role.TAX_LEAD
    with parts.reading() as connection:
        rows = connection.execute(_LOSSES, {"towns": sorted(officer.towns), "every": every, "by": officer.by}).all()
    return [
        Loss(row.id, row.login, row.why, row.asked_by, row.asked_at, row.agreed_by, row.asked_by == officer.by)
        for row in rows
    ]


def to_answer(parts: Parts, officer: Officer) -> int:
    """How many wait for his word."""
    return sum(not each.mine and each.agreed_by is None for each in losses(parts, officer))


def hand_in(parts: Parts, officer: Officer, file: BinaryIO, *, name: str) -> int:
    """The number of its look. EmptyFile."""
    return ask(parts, officer, LOOK, upload=keep(parts, officer, file, name=name))


def work_of(parts: Parts, officer: Officer, number: int) -> Row:
    """A look, a making or a renewal that he asked for himself. NoSuchJob."""
    row = asked(parts, number, kinds=(LOOK, MAKE, RENEW))
    if row.by != officer.by:
        raise NotKeptHere(str(number))
    return row


def confirm(parts: Parts, officer: Officer, number: int) -> int:
    """The number of the making. NothingToMake, FileGone."""
    look = work_of(parts, officer, number)
    if look.kind != LOOK or look.state != "done" or look.gone_at is not None or not look.outcome["new"]:
        raise NothingToMake(str(number))
    with parts.reading() as connection:
        if connection.execute(_MADE, {"upload": look.upload_id}).first():
            raise NothingToMake(str(number))
    return ask(parts, officer, MAKE, upload=look.upload_id, about={"logins": look.outcome["logins"]})


def slips(parts: Parts, officer: Officer, number: int) -> tuple[str, bytes]:
    """(name, PDF) of what came of a making or a renewal. SlipsGone."""
    sheet = (work_of(parts, officer, number).outcome or _NONE).get("sheet")
    if not isinstance(sheet, int) or kept(parts, sheet).by != officer.by:
        raise SlipsGone(str(number))
    try:
        return kept(parts, sheet).name, b"".join(pieces(parts, sheet))
    except FileGone as error:
        raise SlipsGone(str(number)) from error


def slips_gone(parts: Parts, work: Row) -> bool:
    """Were the slips of this work deleted, by him or by their time?"""
    sheet = (work.outcome or _NONE).get("sheet")
    return isinstance(sheet, int) and kept(parts, sheet).gone_at is not None


def forget_slips(parts: Parts, officer: Officer, number: int) -> None:
    """They were handed over: nothing of them stays here. SlipsGone, FileInUse."""
    sheet = (work_of(parts, officer, number).outcome or _NONE).get("sheet")
    if not isinstance(sheet, int):
        raise SlipsGone(str(number))
    throw_away(parts, officer, sheet)


def end(parts: Parts, officer: Officer, login: str) -> None:
    """Out at once, on every screen he has open. NotKeptHere."""
    asked_for = {"session": officer.session, "login": login, "at": parts.clocks.wall()}
    with parts.engine.begin() as connection, as_errors({"LX080": NotKeptHere}):
        connection.execute(text("select end_agent(:session, :login, :at)"), asked_for)


def lose(parts: Parts, officer: Officer, login: str, *, why: str) -> int:
    """His telephone is gone; the number under which another agrees. BadLoss, NotKeptHere."""
    words = " ".join(why.split())
    if not _SHORTEST <= len(words) <= _LONGEST or scrub(words) != words:
        raise BadLoss
    said = {"session": officer.session, "login": login, "why": words, "at": parts.clocks.wall()}
    with parts.engine.begin() as connection, as_errors({"LX080": NotKeptHere}):
        return int(connection.execute(text("select ask_second(:session, :login, :why, :at)"), said).scalar_one())


def answer(parts: Parts, officer: Officer, number: int, *, agreed: bool) -> None:
    """Yes or no, by another than who asked; no also by him. NotKeptHere, OwnLoss, NoLoss."""
    said = {"session": officer.session, "id": number, "agreed": agreed, "at": parts.clocks.wall()}
    with parts.engine.begin() as connection, as_errors({"LX080": NotKeptHere, "LX118": OwnLoss}):
        if not connection.execute(text("select answer_second(:session, :id, :agreed, :at)"), said).scalar_one():
            raise NoLoss(str(number))


def renew(parts: Parts, officer: Officer, number: int) -> int:
    """The number of the work that gives out the new second factor; who asked does it once it is agreed to."""
    return ask(parts, officer, RENEW, about={"lost": number})


_AGENTS = text(
    "select a.login, a.name, a.active, string_agg(v.name, '、' order by v.code) as places,"
    " a.second is not null as has_second from agent a join agent_village av on av.agent_id = a.id"
    " join village v on v.code = av.village_code where v.town_code = any (:towns)"
    " group by a.id order by a.active desc, min(v.code), a.login limit 2000"
)
_LISTS = text(
    "select j.id, j.kind, j.at, j.state, j.outcome, u.name, s.gone_at as slips_gone from office_job j"
    " left join upload u on u.id = j.upload_id"
    " left join upload s on s.id = cast(j.outcome->>'sheet' as bigint)"
    " where j.kind in ('agents_look', 'agents_make', 'agents_renew') and j.by = :by order by j.id desc limit 20"
)
_MADE = text("select 1 from office_job where upload_id = :upload and kind = 'agents_make' and state <> 'failed'")
_LOSSES = text(
    "select l.* from lost_second l where l.refused_at is null and l.made_at is null"
    " and (l.agreed_at is null or l.asked_by = :by)"
    " and (:every or exists (select from agent a join agent_village v on v.agent_id = a.id"
    "      where a.login = l.login and left(v.village_code, 9) = any (:towns))) order by l.id"
)
