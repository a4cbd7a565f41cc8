"""The county of a simulation: households of three, most with both insurances, some whose premium others pay."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from random import Random
from typing import Any

from core.vault import Vault
from tests.builders import an_id_number

TOWN, VILLAGES = "370404103", 12
NAME = "张示例"  # everybody's


@dataclass(frozen=True)
class Household:
    """Who of it can pay for what: (person id, has a pension to pay); the identity number of each."""

    id: int
    people: tuple[tuple[int, bool], ...]
    numbers: Mapping[int, str] = field(default_factory=dict)

    @property
    def village(self) -> str:
        """Its code."""
        return f"{TOWN}{900 + self.id % VILLAGES}"


def settle_county(
    base: Any, vault: Vault, chance: Random, households: int, *, phones: float = 0.1, waived: float = 0.03
) -> list[Household]:
    """Write the county into an empty database; `base` is an owner's psycopg connection."""
    settled: list[Household] = []
    rows: dict[str, list[tuple[object, ...]]] = {table: [] for table in _STATEMENTS}
    for place in range(1, households + 1):
        index = f"phone {place}".encode()
        phone = vault.seal(f"1390000{place % 10000:04d}", bound_to=f"account.phone:{index.hex()}")
        rows["resident_account"].append((place, index, phone))
        rows["household"].append((place, f"{TOWN}{900 + place % VILLAGES}", f"{place:06d}"))
        people, numbers = [], {}
        for seat in range(3):
            key = place * 4 + seat
            grown = seat < 2
            born = date(1965 if grown else 2008, 1, 1) + timedelta(days=place % 3600)
            number = an_id_number(born=born, sequence=place // 3600 * 3 + seat + 1)
            own = f"1380000{place % 10000:04d}" if chance.random() < phones else None
            rows["person"].append(_person(vault, key, place, number, own))
            rows["enrolment"].append((key, "RES_MEDICAL", place))
            if grown:
                rows["enrolment"].append((key, "RES_PENSION", place))
            if chance.random() < waived:
                rows["category"].append((key, "RES_MEDICAL", "DIBAO"))
            people.append((key, grown))
            numbers[key] = number
            rows["resident_person"].append((place, key, seat == 0))
        settled.append(Household(place, tuple(people), numbers))
    _write(base, rows)
    return settled


def _person(vault: Vault, key: int, household: int, number: str, phone: str | None) -> tuple[object, ...]:
    return (
        key,
        household,
        vault.seal(number, bound_to=f"person.id_number:{key}"),
        vault.index(number, purpose="id_number"),
        vault.seal(NAME, bound_to=f"person.name:{key}"),
        vault.seal(phone, bound_to=f"person.phone:{key}") if phone else None,
        date(int(number[6:10]), int(number[10:12]), int(number[12:14])),
        1 if int(number[16]) % 2 else 2,
        b"",
    )


_STATEMENTS = {
    "household": "insert into household (id, village_code, number) overriding system value values (%s, %s, %s)",
    "person": "insert into person (id, household_id, id_number, id_index, name, phone, birth_date, sex, digest)"
    " overriding system value values (%s, %s, %s, %s, %s, %s, %s, %s, %s)",
    "enrolment": "insert into enrolment (person_id, insurance, household_id, digest) values (%s, %s, %s, '')",
    "category": "insert into category values (%s, %s, %s)",
    "resident_account": "insert into resident_account (id, phone_index, phone, since, used_at)"
    " overriding system value values (%s, %s, %s, now(), now())",
    "resident_person": "insert into resident_person (account_id, person_id, own, since) values (%s, %s, %s, now())",
}


def _write(base: Any, rows: dict[str, list[tuple[object, ...]]]) -> None:
    with base.transaction(), base.cursor() as cursor:
        cursor.execute("insert into town values (%s, '榴园镇')", (TOWN,))
        places = [(f"{TOWN}{900 + place}", TOWN, f"示例{place}村") for place in range(VILLAGES)]
        cursor.executemany("insert into village (code, town_code, name) values (%s, %s, %s)", places)
        for table, statement in _STATEMENTS.items():
            cursor.executemany(statement, rows[table])
        for table in ("household", "person", "resident_account"):  # whoever comes later is somebody else
            cursor.execute(f"select setval(pg_get_serial_sequence('{table}', 'id'), max(id)) from {table}")
