"""What the database says of a person, as one document → a person with everything the rules ask for.

Most who look come back within minutes, page after page, and nothing about them has changed: a row that says the same is
the same `Subject`, taken apart once, and what was reckoned of it stands with it (`Subject.once`): a third of a look-up
(docs/performance.md, decision 0047)."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime
from functools import lru_cache
from time import monotonic
from typing import Any, NamedTuple

from app.registry.determinations import BACKPAY, Kind, State
from app.registry.subject import InYear, Pledged, Recorded, Standing, Subject
from app.registry.years import Years
from core.redact import RESTRICTED, mask_id
from core.vault import Vault

INSURANCES = ("RES_PENSION", "RES_MEDICAL")
MOST = 4096  # persons whose rows are known again, in one process
FORGET_S = 600.0  # who was read is forgotten after that: what is opened here stays open no longer


class Said(NamedTuple):
    """What the database says of one person: what is sealed, and all else as one document (app/registry/facts.sql)."""

    id: int
    name: bytes
    id_number: bytes
    phone: bytes | None
    restricted_at: datetime | None
    facts: str


def subject_of(said: Said, vault: Vault, years: Years) -> Subject:
    """The person of a row."""
    if monotonic() - _since[0] > FORGET_S:
        _since[0] = monotonic()
        _subject.cache_clear()
    return _subject(said, vault, years)


_since = [monotonic()]


@lru_cache(maxsize=MOST)
def _subject(row: Said, vault: Vault, years: Years) -> Subject:
    said = json.loads(row.facts)
    newest = _in_year(years.newest, said, said)
    return Subject(
        id=row.id,
        name=RESTRICTED if row.restricted_at else vault.open(row.name, bound_to=f"person.name:{row.id}"),
        phone_sealed=row.phone,
        id_masked=""
        if row.restricted_at
        else mask_id(vault.open(row.id_number, bound_to=f"person.id_number:{row.id}")),
        birth_date=date.fromisoformat(said["birth_date"]),
        **{name: said[name] for name in _AS_SAID},
        **{name: getattr(newest, name) for name in InYear.__dataclass_fields__},
        levy_year=years.newest,
        years={years.newest: newest, **{year: _formerly(year, newest, said) for year in years.former}},
        conflicts={each: owner for insurances, owner in said["conflicts"] or () for each in insurances},
        called_dead={each: (kind, by) for own, kind, by in said.get("called_dead") or () for each in own},
        said_dead=bool(said.get("said_dead")),
        unhelped=said["unhelped"] or {},
        restricted_at=row.restricted_at,
    )


_AS_SAID = (
    *("household_id", "village_code", "village", "town", "sex", "alive", "is_migrant", "relation_to_head"),
    *("household_number", "parent_known"),
)


def _formerly(year: int, newest: InYear, said: Mapping[str, Any]) -> InYear:
    """Whom the register did not know then is registered for nothing then."""
    then = (said["former"] or {}).get(str(year))
    if then is None:
        own = _standings(year, {}, (), said)
        return replace(newest, standing=own, pledges=_pledges(year, said), listed=_listed(year, said))
    return _in_year(year, then, said)


def _in_year(year: int, own: Mapping[str, Any], said: Mapping[str, Any]) -> InYear:
    days = {name: date.fromisoformat(own[name]) if own[name] else None for name in ("spouse_birth", "permit_to")}
    return InYear(
        own["residence"],
        own["student"],
        own["school"],
        own["family_type"],
        **days,
        recorded=_recorded(own["medical_years"], said),
        standing=_standings(year, own["enrolments"], own["categories"], said),
        pledges=_pledges(year, said),
        listed=_listed(year, said),
    )


def _listed(year: int, said: Mapping[str, Any]) -> dict[str, bool]:
    return {insurance: on for of, insurance, on in said.get("rosters") or () if of == year}


def _pledges(year: int, said: Mapping[str, Any]) -> tuple[Pledged, ...]:
    return tuple(each for each in map(Pledged._make, said["pledges"] or ()) if each.levy_year == year)


def _recorded(own: Sequence[int] | None, said: Mapping[str, Any]) -> Recorded:
    """Of a back-payment the years that it is for were paid, of a premium its own."""
    paid = [bill for bill in said["bills"] or () if bill["insurance"] == "RES_MEDICAL" and bill["state"] == "settled"]
    of = [bill["years"] or () if bill["determination"] else (bill["levy_year"],) for bill in paid]
    words = [word for word in said["determinations"] or () if word["kind"] == Kind.ENROLMENT_HISTORY]
    recognised = [word["years"] for word in words if word["state"] == State.APPROVED]
    known = None if own is None else frozenset(own)
    return Recorded(known, frozenset[int]().union(*of), frozenset[int]().union(*recognised))


def _standings(
    year: int, enrolments: Mapping[str, Sequence[Any]] | None, categories: Sequence[str], said: Mapping[str, Any]
) -> dict[str, Standing]:
    own = [bill for bill in said["bills"] or () if bill["levy_year"] == year]
    bills = {(bill["insurance"], bill["determination"], bill["raised_from"] is not None): bill for bill in own}
    words = [word for word in said["determinations"] or () if word["levy_year"] == year]
    return {
        each: _standing(
            each,
            (enrolments or {}).get(each),
            categories,
            bills,
            [word for word in words if word["insurance"] == each],
        )
        for each in INSURANCES
    }


def _standing(
    insurance: str,
    enrolment: Sequence[Any] | None,
    flags: Sequence[str],
    bills: Mapping[tuple[str, int | None, bool], Mapping[str, Any]],
    determinations: Sequence[Mapping[str, Any]],
) -> Standing:
    status, employee_insured, elsewhere, last_tier = enrolment or ("NONE", False, "none", None)
    return Standing(
        registered=status == "NORMAL",
        employee_insured=employee_insured,
        insured_elsewhere=frozenset(elsewhere.split("|")) - {"none", ""},
        categories=frozenset(flag.split(":", 1)[1] for flag in flags if flag.startswith(insurance)),
        last_tier=last_tier,
        bill=bills.get((insurance, None, False)),
        determinations={said["kind"]: said for said in determinations},
        backpays=[
            {**said, "bill": bills.get((insurance, said["id"], False))}
            for said in determinations
            if said["kind"] in BACKPAY and said["state"] != State.REJECTED
        ],
        rise=bills.get((insurance, None, True)),
    )
