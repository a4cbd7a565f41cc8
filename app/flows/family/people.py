"""An account's people: himself and the family he pays for (替家人交). A name and a number bring somebody in; a button
takes him out again."""

import secrets
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from sqlalchemy import Connection

from app.access import accounts, acts, sessions
from app.access.acts import What
from app.access.sessions import Visitor
from app.access.tally import FAMILY, count
from app.flows.due.look_up import look_up, mistyped
from app.flows.enter.session import leave_elsewhere, openid_of
from app.flows.enter.sign_in import TextNotSent, text_at_once
from app.flows.family.holders import LetGo, tell_held
from app.flows.parts import Parts
from app.flows.refused import kept_though_refused
from app.policy.days import born_by
from app.registry import find
from core.errors import BadInput, Conflict, Refused
from core.redact import mask_phone
from notifications.channels import Words
from notifications.send import render

GROWN = 16  # from this age a phone can be one's own
CONSENT = "2021-11"  # the text of the privacy notice in force


class LoginRequired(Refused):
    """A look-up in a session that proved no phone (A41)."""

    status = 401
    text = "请先用手机号登录，再查要交多少。"


class NothingToSay(Conflict):
    """The holder of the phone is known, or this is none of those who may be he."""

    text = "哪一位是您本人已经定了，不用再选。弄错了请打缴费页面上的电话。"


class ConsentRequired(BadInput):
    """Nobody is looked up before the privacy notice was agreed to."""

    status = 422
    text = "请先看一看《个人信息怎么用》，同意了再打勾。"


@dataclass(frozen=True)
class Account:
    """What an account's own page shows. `people`: person id → does it speak for him. `himself`: the holder of the
    phone; `choices`: who may be he, where several grown people share it and nobody has said. `unsure`: long unused, and
    he has yet to say who he is; until then it knows nobody."""

    phone: str  # masked
    people: Mapping[int, bool]
    consented: bool
    unsure: bool = False
    himself: int | None = None
    choices: Collection[int] = ()


def account_of(parts: Parts, visitor: Visitor) -> Account:
    """LoginRequired."""
    if visitor.unsure_id is not None:
        with parts.reading() as connection:
            phone = accounts.phone_of(connection, parts.vault, visitor.unsure_id)
        return Account(mask_phone(phone), {}, consented=False, unsure=True)
    account = _account(visitor)
    with parts.reading() as connection:
        himself, choices = _holder(parts, connection, account)
        return Account(
            mask_phone(accounts.phone_of(connection, parts.vault, account)),
            accounts.people_of(connection, account),
            accounts.has_consented(connection, account, CONSENT),
            himself=himself,
            choices=choices,
        )


def own_people(parts: Parts, visitor: Visitor) -> frozenset[int]:
    """Those for whom the visitor's account speaks. LoginRequired."""
    return accounts.own_of(parts.engine, _account(visitor))


def say_who(parts: Parts, visitor: Visitor, person_id: int) -> None:
    """Who of those that share the phone is its holder: said once (R10). NothingToSay, LoginRequired."""
    account = _account(visitor)
    with parts.engine.begin() as connection:
        if person_id not in _holder(parts, connection, account)[1]:
            raise NothingToSay
        accounts.choose_holder(connection, account, person_id)


def _holder(parts: Parts, connection: Connection, account: int) -> tuple[int | None, Collection[int]]:
    """(the holder, who may be he while nobody is). A child's registered phone is a parent's: it holds none."""
    said, grown = accounts.sharing(connection, account, born_by=born_by(parts.clocks.today(), GROWN))
    if said is None and len(grown) > 1:
        return None, grown
    return said or next(iter(grown), None), ()


def get_to_know(
    parts: Parts, visitor: Visitor, *, name: str, id_number: str, network: str, agreed: bool = False
) -> tuple[str, int]:
    """Look a person up and remember the find in the account; reference and person id.

    The account speaks for him if the registry has its phone for him, else he is family (A38); a stranger's is told
    him once. LetGo if he let this account go. LoginRequired, ConsentRequired, TooOften past ten people a day, all
    errors of `look_up`. Who came with the phone of an account long unused says by this person whether it is his."""
    account, now = visitor.unsure_id or _account(visitor), parts.clocks.wall()
    with parts.engine.connect() as connection:
        # What a former owner agreed to is not his: it is written down when it is known whose account it is.
        if not agreed and (visitor.unsure_id or not accounts.has_consented(connection, account, CONSENT)):
            wrong = mistyped(name, id_number, today=parts.clocks.today())
            raise ConsentRequired(fields={"agreed": ConsentRequired.text} | wrong)
        if agreed and visitor.unsure_id is None:
            accounts.consent(connection, account, CONSENT, now=now)
            connection.commit()
        proved = "" if visitor.unsure_id else accounts.phone_of(connection, parts.vault, account)
    caller = f"account {account}"
    person_id = look_up(parts, name=name, id_number=id_number, caller=caller, network=network, phone=proved)
    if visitor.unsure_id is not None:
        visitor = _found_out(parts, visitor, person_id, network=network)
        account = _account(visitor)
    with parts.engine.connect() as connection:
        if person_id not in accounts.people_of(connection, account):
            with kept_though_refused(connection):
                count(connection, parts.vault, (f"family:{account}",), FAMILY, now)
        phone = accounts.phone_of(connection, parts.vault, account)
        own = find.phone_of(connection, parts.vault, person_id) == phone
        if not own and accounts.is_barred(connection, account, person_id):
            raise LetGo
        if not own:
            tell_held(parts, connection, account, person_id)
        accounts.bind(connection, account, person_id, own=own, now=now)
        former = accounts.disown(connection, person_id, but=account) if own else []
        old = [accounts.phone_of(connection, parts.vault, each) for each in former]
        reference = sessions.know(connection, visitor, person_id)
        connection.commit()
    for number in old:
        tell_phone(parts, number, "moved")
    return reference, person_id


def tell_phone(parts: Parts, phone: str, kind: str) -> None:
    """Whoever holds a phone hears that it is a person's no more, in the words of a template without a place."""
    words = Words(kind, render(kind, {}), {}, f"{kind}:{secrets.token_urlsafe(12)}")
    try:
        if not text_at_once(parts, phone, words):
            parts.alert("moved_not_told", why="no provider takes this phone")
    except TextNotSent as silent:
        parts.alert("moved_not_told", why=str(silent))


def _found_out(parts: Parts, visitor: Visitor, person_id: int, *, network: str) -> Visitor:
    """Whose the phone is, by the person its holder named; his session belongs to that account. LoginRequired if it was
    found out in another session meanwhile."""
    now, openid, former = parts.clocks.wall(), openid_of(parts, visitor), visitor.unsure_id
    assert former is not None
    with parts.engine.begin() as connection:
        account = accounts.whose_phone(connection, parts.vault, former, person_id, now=now)
        if account is None:
            raise LoginRequired
        if openid:
            accounts.join_openid(connection, parts.vault, account, openid)
        accounts.consent(connection, account, CONSENT, now=now)
        people = accounts.people_of(connection, account)
        sessions.belongs(connection, visitor.token_hash, account, people)
        if account != former:
            sessions.end_all_of_phone(connection, former, but=visitor.token_hash)
        words = "" if account == former else f"phone of account:{former}"
        acts.note(connection, What.IN, by=f"account:{account}", words=words, at=now, network=network)
        found = sessions.find_by_hash(connection, visitor.token_hash, now=now)
    if found is None:
        raise LoginRequired
    return found


def let_go(parts: Parts, visitor: Visitor, person_id: int) -> None:
    """The account pays for this person no more; looking him up again is the undo. LoginRequired."""
    account = _account(visitor)
    with parts.engine.begin() as connection:
        accounts.unbind(connection, account, person_id)
        sessions.unknow(connection, account, person_id)


def end_other_phones(parts: Parts, visitor: Visitor) -> int:
    """Every other session of the account ends at once; how many did. LoginRequired."""
    _account(visitor)
    return leave_elsewhere(parts, visitor)


def _account(visitor: Visitor) -> int:
    if visitor.account_id is None:
        raise LoginRequired
    return visitor.account_id
