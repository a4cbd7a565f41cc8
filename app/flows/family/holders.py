"""Who else pays for me: he is shown to me, I can let him go and allow him again; a stranger is told to me once."""

import json
from base64 import b64encode
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, text

from app.access import accounts, sessions
from app.access.sessions import Visitor
from app.flows.parts import Parts
from app.registry import find
from core.errors import NotFound, Refused
from core.redact import mask_name, mask_phone


class NoSuchHolder(NotFound):
    """A reference that names nobody who pays for this account's own person."""

    text = "没有找到这个人，请返回“我的”再看一看。"


class LetGo(Refused):
    """The person himself wants this account to pay for him no more."""

    text = "他本人不让这个手机号替他查、替他交。请先跟他说，由他在“我的”里允许。"


@dataclass(frozen=True)
class Holder:
    """Another account that pays for one of ours, or did until he was let go (`barred`). `reference` names both within
    this session; phone and name are masked."""

    reference: str
    phone: str
    name: str
    since: datetime
    barred: bool


def holders(parts: Parts, visitor: Visitor) -> list[Holder]:
    """Everybody who pays for the account's own persons, and those who were let go."""
    return [holder for holder, _, _ in _found(parts, visitor)]


def bar(parts: Parts, visitor: Visitor, reference: str) -> None:
    """He pays for me no more, and cannot bring me in again unless I allow it. NoSuchHolder."""
    account, person = _named(parts, visitor, reference)
    with parts.engine.begin() as connection:
        accounts.bar(connection, account, person, now=parts.clocks.wall())
        accounts.unbind(connection, account, person)
        sessions.unknow(connection, account, person)


def allow(parts: Parts, visitor: Visitor, reference: str) -> None:
    """He may bring me in again. NoSuchHolder."""
    account, person = _named(parts, visitor, reference)
    with parts.engine.begin() as connection:
        accounts.allow(connection, account, person)


def tell_held(parts: Parts, connection: Connection, account: int, person_id: int) -> None:
    """The person hears at his registered phone, once for each account, that somebody of another household pays for him.
    Does not commit."""
    phone = find.phone_of(connection, parts.vault, person_id)
    if phone is None or accounts.is_family(connection, account, person_id):
        return
    (subject,) = find.by_ids(connection, parts.vault, [person_id], years=parts.levy.years)
    cause = f"held:{account}:{person_id}"
    fields = {
        "village": f"{subject.town}{subject.village}",
        "names": mask_name(subject.name),
        "items": f"手机号{mask_phone(accounts.phone_of(connection, parts.vault, account))}",
        "help_phone": parts.help_phone,
    }
    sealed = parts.vault.seal(phone, bound_to=f"notice.phone:{cause}")
    connection.execute(
        _WRITE,
        {
            "household": subject.household_id,
            "cause": f"{cause}:told",
            "fields": json.dumps(fields, ensure_ascii=False),
            "phone": b64encode(sealed).decode(),
            "at": parts.clocks.wall(),
        },
    )


def _found(parts: Parts, visitor: Visitor) -> list[tuple[Holder, int, int]]:
    """With the account and the person each is about."""
    if visitor.account_id is None:
        return []
    with parts.reading() as connection:
        own = [person for person, is_own in accounts.people_of(connection, visitor.account_id).items() if is_own]
        rows = accounts.holders_of(connection, own, but=visitor.account_id)
        names = {each.id: each.name for each in find.by_ids(connection, parts.vault, own, years=parts.levy.years)}
        return [
            (
                Holder(
                    _reference(parts, visitor, row.account_id, row.person_id),
                    mask_phone(accounts.phone_of(connection, parts.vault, row.account_id)),
                    mask_name(names[row.person_id]),
                    row.since,
                    row.barred,
                ),
                row.account_id,
                row.person_id,
            )
            for row in rows
        ]


def _named(parts: Parts, visitor: Visitor, reference: str) -> tuple[int, int]:
    for holder, account, person in _found(parts, visitor):
        if holder.reference == reference:
            return account, person
    raise NoSuchHolder


def _reference(parts: Parts, visitor: Visitor, account: int, person: int) -> str:
    """Names somebody within this session, and tells nothing of how many accounts there are."""
    return parts.vault.index(f"{visitor.key}:{account}:{person}", purpose="holder").hex()[:24]


_WRITE = text(
    "select enqueue_notice(:household, :cause, 'held', cast(:fields as jsonb), null, decode(:phone, 'base64'), :at)"
)
