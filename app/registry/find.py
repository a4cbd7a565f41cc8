"""Read queries about people. One query brings all that a quote needs, for one person or a whole village."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, TextClause, text

from app.registry.determinations import BACKPAY, Kind, State
from app.registry.identity import clean_name
from app.registry.subject import InYear, Recorded, Standing, Subject
from app.registry.years import Years
from core.redact import RESTRICTED, mask_id
from core.vault import Vault

INSURANCES = ("RES_PENSION", "RES_MEDICAL")

_FACTS = """
select {also} p.id, p.household_id, h.village_code, v.name as village, t.name as town, p.name, p.phone, p.id_number,
       p.restricted_at,
       p.birth_date, p.sex, p.residence, p.alive, p.student, p.school, p.medical_years, p.is_migrant,
       p.relation_to_head,
       h.number as household_number, p.family_type, p.spouse_birth, p.parent_index is not null as parent_known,
       case when p.residence like 'permit%' then permit_end(p.residence, p.permit_to, p.parent_index) end as permit_to,
       array(select c.insurance || ':' || c.code from category c where c.person_id = p.id) as categories,
       (select jsonb_object_agg(e.insurance, jsonb_build_array(e.status, e.employee_insured, e.insured_elsewhere,
                                                               e.last_tier))
          from enrolment e where e.person_id = p.id) as enrolments,
       (select jsonb_agg(jsonb_build_object('insurance', b.insurance, 'determination', b.determination, 'id', b.id,
               'levy_year', b.levy_year, 'years', b.years,
               'household_id', b.household_id, 'state', b.state, 'tier', b.tier, 'personal_due', b.personal_due,
               'settled_at', b.settled_at, 'settled_by', b.settled_by, 'reason_code', b.reason_code,
               'benefit_start', b.benefit_start))
          from bill b
         where b.person_id = p.id and b.state not in ('withdrawn', 'refunded')
           and (b.levy_year = any (:years) or b.insurance = 'RES_MEDICAL' and b.state = 'settled')) as bills,
       (select jsonb_agg(jsonb_build_object('id', d.id, 'insurance', d.insurance, 'kind', d.kind, 'state', d.state,
               'levy_year', d.levy_year,
               'amount', d.amount, 'years', d.years, 'benefit_start', d.benefit_start) order by d.id)
          from determination d where d.person_id = p.id
                                 and (d.levy_year = any (:years) or d.kind = 'enrolment_history')) as determinations,
       (select jsonb_object_agg(f.levy_year, jsonb_build_object('residence', f.residence, 'student', f.student,
               'school', f.school, 'medical_years', f.medical_years,
               'family_type', f.family_type, 'spouse_birth', f.spouse_birth,
               'permit_to', former_permit_end(f.levy_year, f.residence, f.permit_to, p.parent_index), 'categories',
               array(select c.insurance || ':' || c.code from former_category c
                      where c.person_id = p.id and c.levy_year = f.levy_year),
               'enrolments', (select jsonb_object_agg(e.insurance, jsonb_build_array(e.status, e.employee_insured,
                                                                                     e.insured_elsewhere, e.last_tier))
                                from former_enrolment e where e.person_id = p.id and e.levy_year = f.levy_year)))
          from former_person f where f.person_id = p.id and f.levy_year = any (:former)) as former
  from {people}
  join household h on h.id = p.household_id
  join village v on v.code = h.village_code
  join town t on t.code = v.town_code
"""
_ANYBODY = _FACTS.format(also="", people="person p")
_BY_IDS = text(_ANYBODY + "where p.id = any (:key) order by p.id")
_BY_HOUSEHOLD = text(_ANYBODY + "where p.household_id = :key and p.restricted_at is null order by p.id")
_BY_VILLAGE = text(_ANYBODY + "where h.village_code = :key and p.restricted_at is null order by h.number, p.id")

_BY_SESSION = text(
    _FACTS.format(
        also="s.token_hash, s.openid, s.known, s.expires_at, s.ends_at, s.account_id,",
        # a function that says how few they are: the planner would read the whole table for a set of any size
        people="session s cross join lateral known_people(s.known) k (id) join person p on p.id = k.id",
    )
    + "where s.token_hash = :key and s.expires_at > :now and s.agent_id is null and p.restricted_at is null"
    " order by p.id"
)


def by_ids(connection: Connection, vault: Vault, ids: Sequence[int], *, years: Years) -> list[Subject]:
    """The persons of these ids that exist, in order of id; who is restricted is without name and number, and found by
    nothing else here."""
    return _subjects(connection, vault, _BY_IDS, list(ids), years)


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
    connection: Connection, vault: Vault, token_hash: bytes, *, now: datetime, years: Years
) -> tuple[Any | None, list[Subject]]:
    """A resident's live session and everybody it knows, in one query; (None, []) if it is none or knows nobody.

    The first is the session's row: token_hash, openid, known, expires_at, ends_at, account_id."""
    rows = connection.execute(_BY_SESSION, {"key": token_hash, "now": now, **_asked(years)}).all()
    return (rows[0], [_subject(vault, row, years) for row in rows]) if rows else (None, [])


def by_id_number(connection: Connection, vault: Vault, id_number: str) -> tuple[int, str] | None:
    """(person id, name in clear and in its one form) of a clean identity number, or None."""
    row = connection.execute(_BY_INDEX, {"index": vault.index(id_number, purpose="id_number")}).one_or_none()
    return None if row is None else (row.id, clean_name(vault.open(row.name, bound_to=f"person.name:{row.id}")))


def restricted(connection: Connection, vault: Vault, id_number: str) -> int | None:
    """The person id of a clean identity number whose person is restricted."""
    return connection.execute(_RESTRICTED, {"index": vault.index(id_number, purpose="id_number")}).scalar_one_or_none()


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
_RESTRICTED = text("select id from person where id_index = :index and restricted_at is not null")


def _subjects(connection: Connection, vault: Vault, query: TextClause, key: object, years: Years) -> list[Subject]:
    rows = connection.execute(query, {"key": key, **_asked(years)})
    return [_subject(vault, row, years) for row in rows]


def _asked(years: Years) -> dict[str, list[int]]:
    return {"years": list(years.all), "former": list(years.former)}


def _subject(vault: Vault, row: Any, years: Years) -> Subject:
    newest = InYear(
        row.residence,
        row.student,
        row.school,
        row.family_type,
        row.spouse_birth,
        row.permit_to,
        _recorded(row.medical_years, row),
        _standings(years.newest, row.enrolments, row.categories, row),
    )
    return Subject(
        id=row.id,
        household_id=row.household_id,
        village_code=row.village_code,
        village=row.village,
        town=row.town,
        name=RESTRICTED if row.restricted_at else vault.open(row.name, bound_to=f"person.name:{row.id}"),
        phone_sealed=row.phone,
        id_masked=""
        if row.restricted_at
        else mask_id(vault.open(row.id_number, bound_to=f"person.id_number:{row.id}")),
        birth_date=row.birth_date,
        sex=row.sex,
        residence=row.residence,
        alive=row.alive,
        student=row.student,
        school=row.school,
        is_migrant=row.is_migrant,
        relation_to_head=row.relation_to_head,
        household_number=row.household_number,
        family_type=row.family_type,
        spouse_birth=row.spouse_birth,
        permit_to=row.permit_to,
        parent_known=row.parent_known,
        recorded=newest.recorded,
        standing=newest.standing,
        levy_year=years.newest,
        years={years.newest: newest, **{year: _formerly(year, newest, row) for year in years.former}},
        restricted_at=row.restricted_at,
    )


def _formerly(year: int, newest: InYear, row: Any) -> InYear:
    """Whom the register did not know then is registered for nothing then."""
    said = (row.former or {}).get(str(year))
    if said is None:
        return replace(newest, standing=_standings(year, {}, (), row))
    days = {name: date.fromisoformat(said[name]) if said[name] else None for name in ("spouse_birth", "permit_to")}
    standings = _standings(year, said["enrolments"], said["categories"], row)
    own = said["residence"], said["student"], said["school"], said["family_type"]
    return InYear(*own, **days, recorded=_recorded(said["medical_years"], row), standing=standings)


def _recorded(said: Sequence[int] | None, row: Any) -> Recorded:
    """Of a back-payment the years that it is for were paid, of a premium its own."""
    paid = [bill for bill in row.bills or () if bill["insurance"] == "RES_MEDICAL" and bill["state"] == "settled"]
    of = [bill["years"] or () if bill["determination"] else (bill["levy_year"],) for bill in paid]
    words = [word for word in row.determinations or () if word["kind"] == Kind.ENROLMENT_HISTORY]
    recognised = [word["years"] for word in words if word["state"] == State.APPROVED]
    known = None if said is None else frozenset(said)
    return Recorded(known, frozenset[int]().union(*of), frozenset[int]().union(*recognised))


def _standings(
    year: int, enrolments: Mapping[str, Sequence[Any]] | None, categories: Sequence[str], row: Any
) -> dict[str, Standing]:
    bills = {(bill["insurance"], bill["determination"]): bill for bill in row.bills or () if bill["levy_year"] == year}
    said = [word for word in row.determinations or () if word["levy_year"] == year]
    return {
        each: _standing(
            each,
            (enrolments or {}).get(each),
            categories,
            bills,
            [word for word in said if word["insurance"] == each],
        )
        for each in INSURANCES
    }


def _standing(
    insurance: str,
    enrolment: Sequence[Any] | None,
    flags: Sequence[str],
    bills: Mapping[tuple[str, int | None], Mapping[str, Any]],
    determinations: Sequence[Mapping[str, Any]],
) -> Standing:
    status, employee_insured, elsewhere, last_tier = enrolment or ("NONE", False, "none", None)
    return Standing(
        registered=status == "NORMAL",
        employee_insured=employee_insured,
        insured_elsewhere=frozenset(elsewhere.split("|")) - {"none", ""},
        categories=frozenset(flag.split(":", 1)[1] for flag in flags if flag.startswith(insurance)),
        last_tier=last_tier,
        bill=bills.get((insurance, None)),
        determinations={said["kind"]: said for said in determinations},
        backpays=[
            {**said, "bill": bills.get((insurance, said["id"]))}
            for said in determinations
            if said["kind"] in BACKPAY and said["state"] != State.REJECTED
        ],
    )
