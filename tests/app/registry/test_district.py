"""The synthetic district is nobody's, always the same, and comes in through the door of every other file."""

from dataclasses import asdict, astuple
from pathlib import Path

from sqlalchemy import text

from app.access.passwords import is_right
from app.cli.people import ensure_district
from app.flows.due.look_up import look_up
from app.flows.due.quote import all_due, subjects
from app.flows.parts import Parts
from app.registry.cast import AREA, showcase
from app.registry.find import by_village
from app.registry.identity import id_number_problem, sex_of
from app.registry.synthetic import age_on, people, villages
from app.registry.years import Years
from tests.builders import NOON


def test_the_same_seed_gives_the_same_people_and_no_number_twice() -> None:
    once = list(people(2000))

    assert once == list(people(2000))
    assert once != list(people(2000, seed=7))
    assert len({person.id_number for person in once}) == len(once) == 2000


def test_every_invented_number_is_well_formed_and_of_an_area_that_is_nobodys() -> None:
    for person in people(2000):
        assert person.id_number.startswith(AREA)
        assert id_number_problem(person.id_number, today=NOON.date()) is None
        assert sex_of(person.id_number) == person.sex


def test_the_district_has_every_age_and_every_kind_of_name() -> None:
    found = list(people(6000))

    ages = {age_on(person.birth) // 10 for person in found}
    assert ages >= set(range(9))
    assert any("·" in person.name for person in found) and any("䶮" in person.name for person in found)
    assert {code for person in found for code in person.categories} >= {"DIS1", "DIBAO", "YOUFU", "POVERTY", "ORPHAN"}
    assert all(not person.phone or person.phone.startswith("1390000") for person in found)


def test_a_district_is_made_once_and_found_again(parts: Parts, tmp_path: Path) -> None:
    password_file = tmp_path / "kept" / "agent-password.txt"
    first = ensure_district(parts, 400, password_file=password_file)

    again = ensure_district(parts, 400, password_file=password_file)

    assert again == first
    assert password_file.stat().st_mode & 0o777 == 0o600
    with parts.engine.connect() as connection:
        assert connection.execute(text("select count(*) from person")).scalar_one() == 400
        agent = connection.execute(text("select login, password_hash from agent")).one()
        given = "select count(*) from (select given from agent union all select given from staff) a where given"
        assert connection.execute(text(given)).scalar_one() == 0, "the password that was printed is good as it is"
    assert agent.login == first.agent_login and is_right(agent.password_hash, first.agent_password)


def test_a_lost_password_file_gives_the_agent_a_new_password(parts: Parts, tmp_path: Path) -> None:
    first = ensure_district(parts, 50, password_file=tmp_path / "a.txt")

    second = ensure_district(parts, 50, password_file=tmp_path / "b.txt")

    assert second.agent_password != first.agent_password
    with parts.engine.connect() as connection:
        stored = connection.execute(text("select password_hash from agent")).scalar_one()
    assert is_right(stored, second.agent_password) and not is_right(stored, first.agent_password)


def test_the_resident_can_be_looked_up_and_owes_both_insurances(parts: Parts, tmp_path: Path) -> None:
    district = ensure_district(parts, 100, password_file=tmp_path / "a.txt")

    key = look_up(parts, name=district.resident_name, id_number=district.resident_id, caller="test")

    (subject,) = subjects(parts, [key])
    assert 30 <= age_on(subject.birth_date) <= 50 and subject.phone_sealed
    medical, pension = all_due(parts, subject, at=NOON, tiers={(2022, None): 30000})
    assert (medical.quote.personal_due, pension.quote.personal_due) == (32000, 30000)
    with parts.engine.connect() as connection:
        neighbours = by_village(connection, parts.vault, villages(1)[0].code, years=Years(2022))
    assert key in {neighbour.id for neighbour in neighbours}


def test_the_cast_is_what_it_says(parts: Parts, tmp_path: Path) -> None:
    ensure_district(parts, 90, password_file=tmp_path / "a.txt")
    due, bonus = {}, {}

    for kind, shown in asdict(showcase()).items():
        key = look_up(parts, name=shown["name"], id_number=shown["id_number"], caller=f"test {kind}")
        (subject,) = subjects(parts, [key])
        if shown["phone"]:
            assert parts.vault.open(subject.phone_sealed, bound_to=f"person.phone:{key}") == shown["phone"]
        assert int(subject.household_number) == shown["household"]
        medical, *pension = all_due(parts, subject, at=NOON, tiers={(2022, None): 10000})
        due[kind] = medical.quote.personal_due, *(one.quote.personal_due for one in pension)
        bonus[kind] = all_due(parts, subject, at=NOON, tiers={(2022, None): 30000})[1].quote.couple_bonus

    assert due == {
        "ordinary": (32000, None),
        "aged_65": (16000, None),
        "aged_72": (0, None),
        "disabled": (0, 0),
        "entitled": (32000, 10000),
        "migrant": (32000, None),
        "employee": (None, None),
        "newborn": (32000, None),
        "bonus_husband": (32000, None),
        "bonus_wife": (32000, None),
        "waived": (0, 0),
    }
    assert {kind for kind, amount in bonus.items() if amount} == {"bonus_husband", "bonus_wife"}


def test_the_cast_is_shown_to_who_wants_to_try(running) -> None:
    said = running.app.test_cli_runner().invoke(args=["people", "show"]).output

    assert [line for one in astuple(showcase()) for line in said.splitlines() if one[1] in line and one[3] in line]
    assert len(said.splitlines()) == len(astuple(showcase()))
