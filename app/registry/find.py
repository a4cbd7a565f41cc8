"""Read queries about people. One query brings all that a quote needs, for one person or a whole village."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Engine, TextClause, text

from app.registry.identity import clean_name, is_certificate
from app.registry.read_subject import Said, subject_of
from app.registry.subject import Subject
from app.registry.years import Years
from core.alone import ask_alone
from core.vault import Vault

_PLACES = "current_setting('liangxian.places', true)"  # untold is nothing (decision 0023)
_COLUMNS = "f.id, f.name, f.id_number, f.phone, f.restricted_at, f.facts"
_FACTS = f"select {_COLUMNS} from person_facts({{ids}}, :years, :former, {_PLACES}) f"
_BY_IDS = text(_FACTS.format(ids=":key"))
_BY_HOUSEHOLD = text(
    _FACTS.format(
        ids="array(select p.id from person p where p.household_id = :key and p.restricted_at is null order by p.id)"
    )
)
_BY_VILLAGE = text(
    _FACTS.format(
        ids="array(select p.id from person p join household h on h.id = p.household_id"
        " where h.village_code = :key and p.restricted_at is null order by h.number, p.id)"
    )
)
BY_SESSION = (
    f"select s.openid, s.known, s.expires_at, s.ends_at, s.account_id, {_COLUMNS} from session s, lateral"
    " person_facts(array(select value::bigint from jsonb_each_text(s.known) order by 1), %s, %s, '*') f"
    " where s.token_hash = %s and s.expires_at > %s and s.agent_id is null and f.restricted_at is null"
)


def by_ids(connection: Connection, vault: Vault, ids: Sequence[int], *, years: Years) -> list[Subject]:
    """The persons of these ids that exist, in order of id; who is restricted is without name and number, and found by
    nothing else here."""
    return _subjects(connection, vault, _BY_IDS, sorted(set(ids)), years)


def by_household(connection: Connection, vault: Vault, household_id: int, *, years: Years) -> list[Subject]:
    """Everybody of a household."""
    return _subjects(connection, vault, _BY_HOUSEHOLD, household_id, years)


def by_village(connection: Connection, vault: Vault, village_code: str, *, years: Years) -> list[Subject]:
    """Everybody of a village, household by household. About a thousand people: names are opened for the list."""
    return _subjects(connection, vault, _BY_VILLAGE, village_code, years)


def names_in(connection: Connection, vault: Vault, place: str) -> Iterator[tuple[int, str, str]]:
    """Everybody of a village or a town (its code): id, name in clear, household number; household by household."""
    for row in connection.execute(_NAMES, {"place": place}):
        yield row.id, vault.open(row.name, bound_to=f"person.name:{row.id}"), row.number


_NAMES = text(
    "select p.id, p.name, h.number from household h join person p on p.household_id = h.id"
    " where h.village_code >= :place and h.village_code < :place || 'A' and p.restricted_at is null"
    " order by h.village_code, h.number, p.id"
)


def numbers_of(connection: Connection, vault: Vault, person_id: int) -> tuple[str, str | None]:
    """Identity number and registered phone in clear."""
    sealed = connection.execute(text("select id_number from person where id = :id"), {"id": person_id}).scalar_one()
    number = vault.open(sealed, bound_to=f"person.id_number:{person_id}")
    return number, phone_of(connection, vault, person_id)


def by_session(
    engine: Engine, vault: Vault, token_hash: bytes, *, now: datetime, years: Years
) -> tuple[tuple[Any, ...] | None, list[Subject]]:
    """A resident's live session and everybody it knows, in one statement that stands alone; (None, []) if it is none or
    knows nobody. Of its row: openid, known, expires_at, ends_at, account_id."""
    rows = ask_alone(engine, BY_SESSION, (list(years.all), list(years.former), token_hash, now))
    people = [subject_of(Said._make(row[5:]), vault, years) for row in rows]
    return rows[0][:5] if rows else None, people


def index_of(vault: Vault, number: str) -> bytes:
    """The keyed index of a clean identity number or birth certificate's number: neither can be the other's."""
    return vault.index(number, purpose="birth_certificate" if is_certificate(number) else "id_number")


def by_id_number(connection: Connection, vault: Vault, id_number: str) -> tuple[int, str] | None:
    """(person id, name in clear and in its one form) of a clean identity number, or None; of a birth certificate's also
    if he stands under an identity number by now."""
    query = _BY_CERTIFICATE if is_certificate(id_number) else _BY_INDEX
    row = connection.execute(query, {"index": index_of(vault, id_number)}).one_or_none()
    return None if row is None else (row.id, clean_name(vault.open(row.name, bound_to=f"person.name:{row.id}")))


def restricted(connection: Connection, vault: Vault, id_number: str) -> int | None:
    """The person id of a clean identity number whose person is restricted."""
    return connection.execute(_RESTRICTED, {"index": index_of(vault, id_number)}).scalar_one_or_none()


def corrected_phones(connection: Connection) -> frozenset[tuple[int, bytes]]:
    """Person and keyed index of each phone that was put right at a counter."""
    found = text("select person_id, former_index from phone_correction where former_index is not null")
    return frozenset((row.person_id, bytes(row.former_index)) for row in connection.execute(found))


def with_phone(connection: Connection, vault: Vault, phone: str, place: str) -> list[int]:
    """Whose registered phone it is, of a village or a town (its code)."""
    rows = connection.execute(_PHONES, {"place": place})
    return [row.id for row in rows if vault.open(row.phone, bound_to=f"person.phone:{row.id}") == phone]


_PHONES = text(
    "select p.id, p.phone from household h join person p on p.household_id = h.id"
    " where h.village_code >= :place and h.village_code < :place || 'A' and p.phone is not null order by p.id"
)


def phone_of(connection: Connection, vault: Vault, person_id: int) -> str | None:
    """The registered phone in clear, or None."""
    sealed = connection.execute(text("select phone from person where id = :id"), {"id": person_id}).scalar_one()
    return vault.open(sealed, bound_to=f"person.phone:{person_id}") if sealed else None


_BY_INDEX = text("select id, name from person where id_index = :index and restricted_at is null")
_BY_CERTIFICATE = text(
    "select p.id, p.name from birth_certificate c join person p on p.id = c.person_id"
    " where c.index = :index and p.restricted_at is null"
)
_RESTRICTED = text(
    "select id from person where restricted_at is not null and id in (select id from person where id_index = :index"
    " union select person_id from birth_certificate where index = :index)"
)


def _subjects(connection: Connection, vault: Vault, query: TextClause, key: object, years: Years) -> list[Subject]:
    asked = {"key": key, "years": list(years.all), "former": list(years.former)}
    return [subject_of(Said._make(row), vault, years) for row in connection.execute(query, asked)]
