"""A promise is written down by one, agreed to by another, and ended. A page does it in the name of the officer whose
session it is, a command in its operator's."""

import json
from base64 import b64encode
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from sqlalchemy import text

from app.flows.parts import Parts
from app.flows.sponsor.promise import Promise
from core.errors import BadInput, Conflict, NotFound, Refused
from core.redact import scrub
from payments.refusals import as_errors

_SHORTEST, _LONGEST = 2, 200


class NoSuchPledge(NotFound):
    """No pledge of that number, or none of his."""

    text = "没有找到这一笔资助。"


class PledgeMoved(Conflict):
    """It stands otherwise by now, or takes no money yet."""

    text = "这一笔资助已经有人办过，或者还没走到这一步。请刷新再看。"


class OwnPledge(Refused):
    """Who entered it does not agree to it."""

    text = "登记的人不能自己同意，请换一个人。"


class BadEndOfPledge(BadInput):
    """An end without a reason."""

    status = 422
    text = "请写明为什么结束，2到200个字，不写证件号和手机号。"


@dataclass(frozen=True)
class Hand:
    """Who does it: the hash of an officer's live session, or an operator's name."""

    session: bytes | None = None
    by: str = ""
    town: str | None = None  # for which a town's clerk enters
    key: str = ""  # the same wish once: a button pressed twice


def enter(parts: Parts, promise: Promise, *, hand: Hand) -> int:
    """Written down; the pledge's id. NoSuchPledge for what is no business of his."""
    asked = {"key": sha256(f"{hand.session!r}\0pledge\0{hand.key}".encode()).digest(), "said": hand.key}
    with parts.engine.begin() as connection, as_errors(_REFUSED):
        connection.execute(_ALONE, asked)
        before = connection.execute(_BEFORE, asked).scalar_one_or_none() if hand.key else None
        if before is not None:
            return int(before)
        sponsor, sealed = promise.sponsor, None
        if sponsor is None:
            sponsor = connection.execute(_NEXT).scalar_one()
            sealed = _sealed(parts, sponsor, promise.who)
        elif not connection.execute(
            text("select exists (select from sponsor where id = :id)"), {"id": sponsor}
        ).scalar():
            raise NoSuchPledge(str(sponsor))
        values = {
            "session": hand.session,
            "by": hand.by,
            "sponsor": json.dumps(sealed) if sealed else None,
            "terms": json.dumps({**promise.terms, "sponsor_id": sponsor, "town": hand.town}),
            "insurance": promise.insurance,
            "year": promise.levy_year,
            "budget": promise.budget,
            "people": list(promise.people),
            "at": parts.clocks.wall(),
            "now": parts.clocks.now(),
        }
        if hand.session is None and sealed:
            connection.execute(_SPONSOR, values | sealed | {"id": sponsor})
        number: int = connection.execute(_ENTER if hand.session is None else _OFFICER_ENTERS, values).scalar_one()
        if hand.key:
            connection.execute(_REMEMBER, asked | {"number": str(number)})
        return number


def _sealed(parts: Parts, sponsor: int, who: dict[str, str]) -> dict[str, str]:
    sealed = {
        name: b64encode(parts.vault.seal(who[name], bound_to=f"sponsor.{name}:{sponsor}")).decode()
        for name in ("name", "contact", "phone")
    }
    return {"kind": who["kind"], "shown": who["shown"], **sealed}


_ALONE = text("select pg_advisory_xact_lock(hashtextextended('pledge ' || :said, 0))")
_BEFORE = text("select number from request_key where key = :key")
_REMEMBER = text("insert into request_key (key, body_hash, household_id, number) values (:key, '', 0, :number)")
_NEXT = text("select nextval(pg_get_serial_sequence('sponsor', 'id'))")
_SPONSOR = text(
    "select sponsor_enter(:id, :kind, :shown, decode(:name, 'base64'), decode(:contact, 'base64'),"
    " decode(:phone, 'base64'), :by, :now)"
)
_ENTER = text("select pledge_enter(cast(:terms as jsonb), :insurance, :year, :budget, :people, :by, :now)")
_OFFICER_ENTERS = text(
    "select officer_enters_pledge(:session, cast(:sponsor as jsonb), cast(:terms as jsonb), :insurance, :year, :budget,"
    " :people, :at, :now)"
)


def agree(parts: Parts, pledge: int, *, hand: Hand) -> None:
    """Another person agrees: money may come. OwnPledge, PledgeMoved, NoSuchPledge."""
    one, other = "officer_agrees_pledge(:session, :pledge, :at, :now)", "pledge_agree(:pledge, :by, :now)"
    _call(parts, hand, one, other, pledge=pledge)


def end(parts: Parts, pledge: int, *, why: str, hand: Hand) -> None:
    """Nothing more of it is spoken for; one that nobody agreed to is dropped. BadEndOfPledge, PledgeMoved,
    NoSuchPledge."""
    said = why.strip()
    if not _SHORTEST <= len(said) <= _LONGEST or scrub(said) != said:
        raise BadEndOfPledge(fields={"why": BadEndOfPledge.text})
    one = "officer_ends_pledge(:session, :pledge, :why, :at, :now)"
    _call(parts, hand, one, "pledge_end(:pledge, :why, :by, :now)", pledge=pledge, why=said)


def _call(parts: Parts, hand: Hand, of_session: str, of_name: str, **said: Any) -> None:
    words = of_name if hand.session is None else of_session
    values = {**said, "now": parts.clocks.now(), "at": parts.clocks.wall(), "session": hand.session, "by": hand.by}
    with parts.engine.begin() as connection, as_errors(_REFUSED):
        connection.execute(text(f"select {words}"), values)


_REFUSED = {"LX080": NoSuchPledge, "LX131": PledgeMoved, "23514": OwnPledge}
