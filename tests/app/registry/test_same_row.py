"""A row that says the same is the same person, with what was reckoned of it; what is new is new at once."""

from dataclasses import replace

import pytest
from sqlalchemy import Engine, text

from app.registry import read_subject
from app.registry.find import by_ids, by_village
from app.registry.subject import MOST_KEPT
from app.registry.years import Years
from core.db import EVERYWHERE, PLACES
from core.vault import Vault
from tests.builders import a_household, a_person, an_id_number

YEARS = Years(2022)


@pytest.fixture
def people(engine: Engine) -> list[int]:
    """Two of one household, a third in another town."""
    with engine.begin() as connection:
        home, away = a_household(connection), a_household(connection, village="370404104901")
        numbers = (an_id_number(sequence=serial) for serial in (1, 2, 3))
        return [a_person(connection, household=where, id_number=next(numbers)) for where in (home, home, away)]


def read(engine: Engine, vault: Vault, people: list[int], years: Years = YEARS):
    with engine.connect() as connection:
        return by_ids(connection, vault, people, years=years)


def test_who_did_not_change_is_known_again_and_who_did_is_not(engine: Engine, vault: Vault, people: list[int]) -> None:
    first, second, third = read(engine, vault, people)
    with engine.begin() as connection:
        connection.execute(text("insert into category values (:id, 'RES_MEDICAL', 'DIBAO')"), {"id": people[1]})

    again = read(engine, vault, people)

    assert again[0] is first and again[2] is third
    assert again[1] is not second and again[1].standing["RES_MEDICAL"].categories == {"DIBAO"}
    assert second.standing["RES_MEDICAL"].categories == set(), "what somebody holds does not change in his hand"
    assert read(engine, vault, people, Years(2023, (2022,)))[0] is not first


def test_who_was_read_is_forgotten_after_a_while(engine: Engine, vault: Vault, people: list[int], monkeypatch) -> None:
    first = read(engine, vault, people)[0]
    now = read_subject.monotonic()

    monkeypatch.setattr(read_subject, "monotonic", lambda: now + read_subject.FORGET_S + 1)

    assert read(engine, vault, people)[0] is not first


def test_what_is_reckoned_is_kept_with_these_facts_only(engine: Engine, vault: Vault, people: list[int]) -> None:
    person, other, _ = read(engine, vault, people)

    assert person.once("asked", lambda: "first") == person.once("asked", lambda: "second") == "first"
    assert other.once("asked", lambda: "second") == "second"
    assert replace(person, birth_date=other.birth_date).once("asked", lambda: "third") == "third"
    for number in range(MOST_KEPT):
        person.once(number, lambda: "more")
    assert person.once("asked", lambda: "anew") == "anew", "no one's page grows without end"


def test_the_facts_keep_to_the_places_too(engine: Engine, vault: Vault, people: list[int]) -> None:
    """Decision 0023: they are read with the owner's eyes, and look at the place themselves."""
    try:
        for places, seen in (
            (EVERYWHERE, people),
            ("370404103901", people[:2]),
            ("370404104", people[2:]),
            ("370404103901,370404104901", people),
            ("", []),
        ):
            PLACES.set(places)
            assert [each.id for each in read(engine, vault, people)] == seen
            with engine.connect() as connection:
                village = by_village(connection, vault, "370404104901", years=YEARS)
            assert [each.id for each in village] == [person for person in seen if person == people[2]]
    finally:
        PLACES.set(EVERYWHERE)
