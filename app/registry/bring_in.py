"""Judged rows against what the register knows → what is new, what has changed, what stays, what cannot be.

Pure but for the vault: it asks no database. The register is asked and written a batch at a time by the caller."""

import struct
from collections.abc import Collection, Sequence, Set
from dataclasses import dataclass, field
from itertools import zip_longest
from typing import Any, NamedTuple

from app.registry.cells import number_key
from app.registry.failures import BUREAUS
from app.registry.identity import clean_name, is_near
from app.registry.packing import (
    NULL,
    day_number,
    packed_bytes,
    packed_date,
    packed_long,
    packed_new_text,
    packed_text,
    packed_years,
)
from app.registry.register import Changes, Found, Known
from app.registry.row import Row, Wrong
from core.vault import Vault

DISPUTED = frozenset({"NAME_TO_CORRECT", "NAME_ID_MISMATCH", "DEAD_TO_ANOTHER"})  # the register says otherwise
_PERSON = struct.Struct("!hiqiqiiihi?i?i?i32si32s")
_ENROLMENT = struct.Struct("!hiqiqi32si?i?")


@dataclass(slots=True)
class Batch:
    """Some thousand good rows with their keyed indexes, and where they live."""

    rows: list[Row]
    indexes: list[bytes]
    households: set[tuple[str, str]]


@dataclass(slots=True)
class Tally:
    """How the good rows fared."""

    added: int = 0
    changed: int = 0
    same: int = 0


class Newcomer(NamedTuple):
    """A person to be put into the register, not yet sealed."""

    key: int
    home: int
    index: bytes
    digest: bytes
    row: Row


@dataclass(slots=True)
class Plan:
    """What one batch does to the register, and which of its rows it cannot take; `told`: rows that
    change nothing and say why, the file is as good as without them; `disputed`: of whom the register knows otherwise,
    by id. `fresh` and `homes` are what the register will know afterwards: the next batch is asked about before this
    one is written."""

    changes: Changes = field(default_factory=Changes)
    newcomers: list[Newcomer] = field(default_factory=list)
    refused: list[tuple[Row, Wrong]] = field(default_factory=list)
    told: list[tuple[Row, Wrong]] = field(default_factory=list)
    disputed: list[tuple[int, Row, Wrong]] = field(default_factory=list)
    fresh: dict[bytes, Known] = field(default_factory=dict)
    homes: dict[tuple[str, str], dict[str, int]] = field(default_factory=dict)


class Merger:
    """Merges batch after batch, in the order of the file."""

    def __init__(self, vault: Vault, corrected: Collection[tuple[int, bytes]] = ()) -> None:
        """`corrected`: person and keyed index of a phone that is his no more, as a counter saw."""
        self._vault = vault
        self._corrected = {person for person, _ in corrected}
        self._former_phones = frozenset(corrected)
        self._former = Plan()
        self.tally = Tally()

    def batch(self, rows: list[Row]) -> Batch:
        """The rows with what the register must be asked about."""
        index = self._vault.index
        return Batch(
            rows,
            [index(row.id_number, purpose="id_number") for row in rows],
            {(row.village_code, number_key(row.household_no)) for row in rows},
        )

    def merge(self, batch: Batch, found: Found) -> Plan:
        """Decide every row of a batch. `found` may lack what the batch before this one did, but no older batch."""
        plan = Plan()
        found.persons |= self._former.fresh
        found.households |= self._former.homes
        for row, index in zip(batch.rows, batch.indexes, strict=True):
            wrong = self._take(row, index, found, plan)
            if wrong:
                plan.refused.append((row, wrong))
            if wrong and wrong.code in DISPUTED:
                plan.disputed.append((found.persons[index].id, row, wrong))
        plan.changes.persons = self._persons(plan.newcomers)
        self._former = plan
        return plan

    def _take(self, row: Row, index: bytes, found: Found, plan: Plan) -> Wrong | None:
        known = found.persons.get(index)
        if known and known.restricted:
            self.tally.same += 1
            plan.told.append((row, Wrong("id_number", "RESTRICTED", {})))
            return None
        person_part = _person_part(row)
        digest = self._vault.index(f"{person_part}\x1e{_enrolment_part(row)}", purpose="row")
        dead_anew = known is not None and known.alive and not row.alive  # said before, and taken back by somebody since
        if known and known.enrolments.get(row.insurance) == digest and not dead_anew:
            self.tally.same += 1
            return None
        if row.change == "END" and not (known and row.insurance in known.enrolments):
            return Wrong("change_type", "NOT_REGISTERED", {})
        if known and row.alive and not known.alive:
            others = known.dead_to - {row.insurance}
            if others or row.change != "UPDATE":
                return self._still_dead(row, known, others, plan)
        digests = self._digests(person_part)
        if known and known.digest not in digests and self._name(known) != row.name:
            near = row.change == "UPDATE" and is_near(self._name(known), row.name)
            return Wrong("name", "NAME_TO_CORRECT" if near else "NAME_ID_MISMATCH", {})
        home = self._home(row, known, found, plan)
        if known is None:
            known = Known(found.person_ids.pop(), home, row.name, digests[0], row.alive, {}, set())
            plan.newcomers.append(Newcomer(known.id, home, index, digests[0], row))
        elif known.digest not in digests or known.alive != row.alive:
            known.digest, known.alive = digests[0], row.alive
            self._change_person(row, known, home, plan)
        known.home = home
        self._enrol(row, known, digest, home, plan)
        plan.fresh[index] = found.persons[index] = known
        return None

    def _digests(self, person_part: str) -> tuple[bytes, ...]:
        """Of what a row says of the person: the one to keep, and any other that says the same."""
        return (self._vault.index(person_part, purpose="row"),)

    def _change_person(self, row: Row, known: Known, home: int, plan: Plan) -> None:
        """What a former row of this batch said of him stays where this one says nothing."""
        earlier = plan.changes.changed_persons.get(known.id, ())
        plan.changes.changed_persons[known.id] = tuple(
            said if said is not None else before
            for said, before in zip_longest(self._changed_person(row, known, home), earlier)
        )

    def _enrol(self, row: Row, known: Known, digest: bytes, home: int, plan: Plan) -> None:
        if row.insurance in known.enrolments:
            self.tally.changed += 1
            plan.changes.changed_enrolments.append(changed_enrolment(row, known.id, home, digest))
            plan.changes.cleared.append((known.id, row.insurance))
        else:
            self.tally.added += 1
            plan.changes.enrolments.append(_enrolment(row, known.id, home, digest))
        for code in row.categories:
            plan.changes.categories.append(
                b"\0\x03" + packed_long(known.id) + packed_text(row.insurance) + packed_text(code)
            )
        known.enrolments[row.insurance] = digest
        (known.dead_to.discard if row.alive else known.dead_to.add)(row.insurance)

    def _still_dead(self, row: Row, known: Known, others: Set[str], plan: Plan) -> Wrong:
        """One bureau's word brings nobody back whom the other calls dead; that it no longer does so itself is kept."""
        if not others:
            return Wrong("alive_status", "REGISTERED_DEAD", {})
        if row.change == "UPDATE" and row.insurance in known.dead_to:
            known.dead_to.discard(row.insurance)
            plan.changes.taken_back.append((known.id, row.insurance))
        return Wrong(
            "alive_status",
            "DEAD_TO_ANOTHER",
            {"insurance": min(others), "bureau": "、".join(BUREAUS[each] for each in sorted(others))},
        )

    def _name(self, known: Known) -> str:
        if isinstance(known.name, str):
            return known.name
        return clean_name(self._vault.open(known.name, bound_to=f"person.name:{known.id}"))

    def _home(self, row: Row, known: Known | None, found: Found, plan: Plan) -> int:
        """The household of a row. 0001 that comes back as 1 is the same: who lives there stays, nobody is moved by
        zeros that a spreadsheet has taken away."""
        place, number = (row.village_code, number_key(row.household_no)), row.household_no
        homes = found.households.setdefault(place, {})
        if known and known.home in homes.values() and not (number in homes and number.startswith("0")):
            return known.home
        if number in homes:
            return homes[number]
        if homes:
            return min(homes.values())
        home = homes[number] = found.household_ids.pop()
        plan.homes[place] = homes
        plan.changes.households.append(
            b"\0\x03" + packed_long(home) + packed_text(row.village_code) + packed_new_text(number)
        )
        return home

    def _persons(self, newcomers: Sequence[Newcomer]) -> list[bytes]:
        """Sealed together and packed, in the order of register.PERSON."""
        secrets: list[tuple[str, str]] = []
        for key, _, _, _, row in newcomers:
            secrets += (row.id_number, f"person.id_number:{key}"), (row.name, f"person.name:{key}")
            if row.mobile:
                secrets.append((row.mobile, f"person.phone:{key}"))
        sealed = iter(self._vault.seal_all(secrets))
        return [
            b"".join(
                (
                    _PERSON.pack(
                        *(20, 8, key, 8, home, 4, day_number(row.birth_date), 2, row.sex, 1, row.alive),
                        *(1, bool(row.student), 1, bool(row.is_migrant), 32, index, 32, digest),
                    ),
                    packed_bytes(next(sealed)),
                    packed_bytes(next(sealed)),
                    packed_bytes(next(sealed)) if row.mobile else NULL,
                    packed_text(row.residence),
                    packed_text(row.relation or ""),
                    packed_text(row.family_type or "none"),
                    packed_date(row.spouse_birth),
                    packed_date(row.permit_to),
                    NULL if row.parent is None else packed_bytes(self._parent(row.parent)),
                    packed_text(row.school or "none"),
                    packed_years(row.medical_years),
                )
            )
            for key, home, index, digest, row in newcomers
        ]

    def _changed_person(self, row: Row, known: Known, home: int) -> tuple[Any, ...]:
        says = row.mobile and not self._is_former(known.id, row.mobile)
        phone = self._vault.seal(row.mobile, bound_to=f"person.phone:{known.id}") if says else None
        parent = self._parent(row.parent) if row.parent else None
        said = (row.relation, row.family_type, row.spouse_birth, row.student, row.is_migrant, row.permit_to, parent)
        years = None if row.medical_years is None else f"{{{','.join(map(str, row.medical_years))}}}"
        return (known.id, home, row.alive, known.digest, phone, row.residence, *said, row.school, years)

    def _is_former(self, person: int, mobile: str) -> bool:
        """Does a bureau's file repeat a phone that was put right since?"""
        return person in self._corrected and (
            (person, self._vault.index(mobile, purpose="person.phone")) in self._former_phones
        )

    def _parent(self, id_number: str) -> bytes:
        """By the index alone: a parent who works here is in no file of ours, and his number is no business of ours."""
        return self._vault.index(id_number, purpose="id_number")


def _enrolment(row: Row, key: int, home: int, digest: bytes) -> bytes:
    return b"".join(
        (
            _ENROLMENT.pack(12, 8, key, 8, home, 32, digest, 1, row.employee_insured, 1, not row.alive),
            packed_long(row.last_tier),
            packed_text(row.insurance),
            packed_text(row.status),
            packed_new_text(row.source_person_no),
            packed_text(row.pay_from),
            packed_text(row.pay_to),
            packed_text(row.elsewhere),
        )
    )


def changed_enrolment(row: Row, key: int, home: int, digest: bytes) -> tuple[Any, ...]:
    """In the order of the register's own statement."""
    period = (row.pay_from, row.pay_to, row.elsewhere)
    known = (key, row.insurance, home, digest, row.employee_insured, not row.alive)
    return (*known, row.last_tier, row.status, row.source_person_no, *period)


def _person_part(row: Row) -> str:
    """What the row says about the person, in one canonical text; no field can contain the separator. Of a permit, a
    school and former years only where there is one: what most rows do not say changes nobody."""
    more = f"\x1f{row.permit_to}\x1f{row.parent}" if row.permit_to or row.parent else ""
    if row.school or row.medical_years is not None:
        more += f"\x1fschool {row.school}\x1f{row.medical_years}"
    return (
        f"{row.id_number}\x1f{row.name}\x1f{row.village_code}\x1f{row.household_no}\x1f{row.residence}\x1f{row.alive}"
        f"\x1f{row.relation}\x1f{row.mobile}\x1f{row.student}\x1f{row.is_migrant}\x1f{row.family_type}"
        f"\x1f{row.spouse_birth}{more}"
    )


def _enrolment_part(row: Row) -> str:
    return (
        f"{row.insurance}\x1f{row.status}\x1f{row.source_person_no}\x1f{row.pay_from}\x1f{row.pay_to}"
        f"\x1f{row.categories}\x1f{row.last_tier}\x1f{row.employee_insured}\x1f{row.elsewhere}"
    )
