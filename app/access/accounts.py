"""Residents' accounts as rows: the phone, the WeChat user, the people, the consents. Nothing here commits."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, Engine, Row, delete, select, text, update
from sqlalchemy.dialects.postgresql import insert as upsert

from app.access.models import Barred, Consent, ResidentAccount, ResidentPerson
from core.alone import ask_alone
from core.vault import Vault


def of_phone(connection: Connection, vault: Vault, phone: str, *, now: datetime) -> tuple[int, datetime]:
    """The account of a phone that was proved, made now if there is none; and when it was used last."""
    index = vault.index(phone, purpose="account.phone")
    sealed = vault.seal(phone, bound_to=_bound(index))
    connection.execute(
        upsert(ResidentAccount).values(phone_index=index, phone=sealed, since=now, used_at=now).on_conflict_do_nothing()
    )
    found = select(ResidentAccount.id, ResidentAccount.used_at).where(ResidentAccount.phone_index == index)
    row = connection.execute(found).one()
    return row.id, row.used_at


def of_openid(connection: Connection, vault: Vault, openid: str) -> int | None:
    """The account a WeChat user joined, or None; none whose phone is somebody else's now."""
    index = vault.index(openid, purpose="account.openid")
    return connection.execute(
        select(ResidentAccount.id).where(
            ResidentAccount.openid_index == index, ResidentAccount.phone_index.is_not(None)
        )
    ).scalar_one_or_none()


def use(connection: Connection, account_id: int, *, now: datetime) -> None:
    """Somebody came in to it."""
    connection.execute(update(ResidentAccount).where(ResidentAccount.id == account_id).values(used_at=now))


def whose_phone(connection: Connection, vault: Vault, account_id: int, person_id: int, *, now: datetime) -> int | None:
    """The account of a phone whose account was long unused, now that its holder has named a person: that account if it
    is its own person (or one of its people, if none is its own), else a fresh one, and the former has no phone any
    more. None: somebody else was told so meanwhile."""
    held = connection.execute(
        select(ResidentAccount.phone_index).where(ResidentAccount.id == account_id).with_for_update()
    ).scalar_one()
    if held is None:
        return None
    people = people_of(connection, account_id)
    if people.get(person_id) or (person_id in people and not any(people.values())):
        use(connection, account_id, now=now)
        return account_id
    phone = phone_of(connection, vault, account_id)
    connection.execute(
        update(ResidentAccount).where(ResidentAccount.id == account_id).values(phone_index=None, phone=None)
    )
    return of_phone(connection, vault, phone, now=now)[0]


def join_openid(connection: Connection, vault: Vault, account_id: int, openid: str) -> None:
    """This WeChat user is this account's from now on, and no other's: who changed his phone proved the new one."""
    index = vault.index(openid, purpose="account.openid")
    connection.execute(
        update(ResidentAccount)
        .where(ResidentAccount.openid_index == index, ResidentAccount.id != account_id)
        .values(openid_index=None)
    )
    connection.execute(update(ResidentAccount).where(ResidentAccount.id == account_id).values(openid_index=index))


def part_openid(connection: Connection, vault: Vault, account_id: int, *, but: str | None) -> None:
    """The WeChat user who joined this account is in it no more, unless it is this one."""
    its = update(ResidentAccount).where(ResidentAccount.id == account_id)
    if but is not None:
        its = its.where(ResidentAccount.openid_index != vault.index(but, purpose="account.openid"))
    connection.execute(its.values(openid_index=None))


def people_of_phone(connection: Connection, vault: Vault, phone: str) -> list[int]:
    """Whom the account of a phone pays for."""
    mine = (
        select(ResidentPerson.person_id)
        .join(ResidentAccount, ResidentAccount.id == ResidentPerson.account_id)
        .where(ResidentAccount.phone_index == vault.index(phone, purpose="account.phone"))
    )
    return list(connection.execute(mine).scalars())


def phone_of(connection: Connection, vault: Vault, account_id: int) -> str:
    """The phone in clear."""
    row = connection.execute(
        select(ResidentAccount.phone_index, ResidentAccount.phone).where(ResidentAccount.id == account_id)
    ).one()
    return vault.open(row.phone, bound_to=_bound(row.phone_index))


def reached_at(connection: Connection, vault: Vault, account_id: int) -> str | None:
    """The phone in clear; None if it is somebody else's by now."""
    found = select(ResidentAccount.phone_index, ResidentAccount.phone).where(ResidentAccount.id == account_id)
    row = connection.execute(found).one()
    return None if row.phone_index is None else vault.open(row.phone, bound_to=_bound(row.phone_index))


def people_of(connection: Connection, account_id: int) -> dict[int, bool]:
    """Person id → is it himself; in the order they were added."""
    rows = connection.execute(
        select(ResidentPerson.person_id, ResidentPerson.own)
        .where(ResidentPerson.account_id == account_id)
        .order_by(ResidentPerson.since, ResidentPerson.person_id)
    )
    return {row.person_id: row.own for row in rows}


def own_of(engine: Engine, account_id: int) -> frozenset[int]:
    """Of these those for whom it speaks, by a statement that stands alone."""
    rows = ask_alone(engine, "select person_id from resident_person where account_id = %s and own", (account_id,))
    return frozenset(row[0] for row in rows)


def sharing(connection: Connection, account_id: int, *, born_by: date) -> tuple[int | None, list[int]]:
    """(the holder as he was chosen, the own people born by a day who may be he); the first added first."""
    rows = connection.execute(_SHARING, {"account": account_id, "born_by": born_by}).all()
    grown = [row.person_id for row in rows]
    return next((row.holder for row in rows if row.holder in grown), None), grown


_SHARING = text(
    "select rp.person_id, a.holder from resident_person rp join resident_account a on a.id = rp.account_id"
    " join person p on p.id = rp.person_id"
    " where rp.account_id = :account and rp.own and p.birth_date <= :born_by order by rp.since, rp.person_id"
)


def choose_holder(connection: Connection, account_id: int, person_id: int) -> None:
    """This one holds the phone."""
    connection.execute(update(ResidentAccount).where(ResidentAccount.id == account_id).values(holder=person_id))


def bind(connection: Connection, account_id: int, person_id: int, *, own: bool, now: datetime) -> None:
    """The account pays for this person from now on."""
    connection.execute(
        upsert(ResidentPerson)
        .values(account_id=account_id, person_id=person_id, own=own, since=now)
        .on_conflict_do_update(index_elements=[ResidentPerson.account_id, ResidentPerson.person_id], set_={"own": own})
    )


def unbind(connection: Connection, account_id: int, person_id: int) -> None:
    """No more."""
    connection.execute(
        delete(ResidentPerson).where(ResidentPerson.account_id == account_id, ResidentPerson.person_id == person_id)
    )


def disown(connection: Connection, person_id: int, *, but: int) -> list[int]:
    """Other accounts that held this person for themselves hold him for family now; their ids (A38)."""
    return list(
        connection.execute(
            update(ResidentPerson)
            .where(ResidentPerson.person_id == person_id, ResidentPerson.own, ResidentPerson.account_id != but)
            .where(ResidentPerson.account_id == ResidentAccount.id, ResidentAccount.phone_index.is_not(None))
            .values(own=False)
            .returning(ResidentPerson.account_id)
        ).scalars()
    )


def holders_of(connection: Connection, people: Sequence[int], *, but: int) -> Sequence[Row]:
    """Accounts that pay for these people, and those they let go (`barred`): account, person, since; the first first."""
    return connection.execute(_HOLDERS, {"people": list(people), "but": but}).all()


_HOLDERS = text(
    "select h.* from (select account_id, person_id, since, false as barred from resident_person"
    "  union all select account_id, person_id, since, true from barred) h"
    " join resident_account a on a.id = h.account_id and a.phone_index is not null"
    " where h.person_id = any (:people) and h.account_id <> :but order by h.since, h.account_id, h.person_id"
)


def is_family(connection: Connection, account_id: int, person_id: int) -> bool:
    """Does the account's own person live with this one?"""
    together = text(
        "select exists (select from resident_person rp join person mine on mine.id = rp.person_id"
        " join person p on p.household_id = mine.household_id"
        " where rp.account_id = :account and rp.own and p.id = :person)"
    )
    return bool(connection.execute(together, {"account": account_id, "person": person_id}).scalar_one())


def bar(connection: Connection, account_id: int, person_id: int, *, now: datetime) -> None:
    """The account brings this person in no more."""
    connection.execute(
        upsert(Barred).values(account_id=account_id, person_id=person_id, since=now).on_conflict_do_nothing()
    )


def allow(connection: Connection, account_id: int, person_id: int) -> None:
    """It may again."""
    connection.execute(delete(Barred).where(Barred.account_id == account_id, Barred.person_id == person_id))


def is_barred(connection: Connection, account_id: int, person_id: int) -> bool:
    """Did the person let this account go?"""
    found = select(Barred.person_id).where(Barred.account_id == account_id, Barred.person_id == person_id)
    return connection.execute(found).first() is not None


def has_consented(connection: Connection, account_id: int, version: str) -> bool:
    """To this text of the privacy notice."""
    found = select(Consent.version).where(Consent.account_id == account_id, Consent.version == version)
    return connection.execute(found).first() is not None


def consent(connection: Connection, account_id: int, version: str, *, now: datetime) -> None:
    """He agreed; once is enough."""
    connection.execute(
        upsert(Consent).values(account_id=account_id, version=version, given_at=now).on_conflict_do_nothing()
    )


def write_code(connection: Connection, **columns: Any) -> None:
    """The code a session waits for, in place of a former one."""
    connection.execute(
        text(
            "insert into login_code (token_hash, phone, digest, expires_at) values (:token_hash, :phone, :digest,"
            " :expires_at) on conflict (token_hash) do update set phone = excluded.phone, digest = excluded.digest,"
            " expires_at = excluded.expires_at, tries = 0"
        ),
        columns,
    )


def code_of(connection: Connection, token_hash: bytes, *, now: datetime) -> Any | None:
    """What a session waits for: sealed phone and end; None if there is none, or it is over."""
    return connection.execute(
        text("select phone, expires_at from login_code where token_hash = :token_hash and expires_at > :now"),
        {"token_hash": token_hash, "now": now},
    ).one_or_none()


def end_of_code(connection: Connection, token_hash: bytes) -> datetime | None:
    """When a session's code ends or ended; None if there is none."""
    found = text("select expires_at from login_code where token_hash = :token_hash")
    return connection.execute(found, {"token_hash": token_hash}).scalar_one_or_none()


def try_code(connection: Connection, token_hash: bytes, *, most: int, now: datetime) -> Any | None:
    """One more try at a session's code, counted: phone and digest; None if there is none, or it is over."""
    return connection.execute(
        text(
            "update login_code set tries = tries + 1 where token_hash = :token_hash and tries < :most"
            " and expires_at > :now returning phone, digest"
        ),
        {"token_hash": token_hash, "most": most, "now": now},
    ).one_or_none()


def use_code(connection: Connection, token_hash: bytes, digest: bytes) -> bool:
    """It is used up; False if somebody was faster."""
    gone = text("delete from login_code where token_hash = :token_hash and digest = :digest")
    return connection.execute(gone, {"token_hash": token_hash, "digest": digest}).rowcount == 1


def forget_codes(connection: Connection, *, now: datetime) -> None:
    """Drop codes that are over."""
    connection.execute(text("delete from login_code where expires_at < :now"), {"now": now})


def _bound(index: bytes) -> str:
    return f"account.phone:{bytes(index).hex()}"
