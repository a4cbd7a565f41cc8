"""A file of a former levy year changes that year and nothing of the newest; one of the newest nothing of a former."""

from datetime import date
from pathlib import Path

import pytest
from sqlalchemy import text

from app.flows.levy import YearClosed
from app.flows.parts import Parts
from app.flows.register.open_year import YearNeverOpened, close_year, open_year
from app.registry.find import by_id_number, by_ids
from payments.truths.invariants import INVARIANTS
from tests.app.registry.files import a_csv, a_row, one, taken_in
from tests.builders import an_id_number

BY = "operator:test"
OWN = ("enrolment", "category")
FORMER = ("former_person", "former_enrolment", "former_category")
MEDICAL, PENSION = "RES_MEDICAL", "RES_PENSION"


def subject_of(parts: Parts, sequence: int = 1, **born: date):
    with parts.engine.connect() as connection:
        found = by_id_number(connection, parts.vault, an_id_number(sequence=sequence, **born))
        return by_ids(connection, parts.vault, [found[0]], years=parts.levy.ever)[0] if found else None


def whole(parts: Parts, *tables: str) -> dict[str, list[str]]:
    """Every row of these tables as it is; of a person all but the digest, which says what a file said last."""
    with parts.engine.connect() as connection:
        return {
            table: list(
                connection.execute(text(f"select (to_jsonb(t) - 'digest')::text from {table} t order by 1")).scalars()
            )
            for table in tables
        }


@pytest.fixture
def two(parts: Parts, tmp_path: Path) -> Parts:
    """Three persons, registered when 2023 was opened: the first has a category, the others none."""
    taken_in(parts, a_csv(tmp_path / "a.csv", a_row(1, categories="低保"), a_row(3), a_row(5)))
    open_year(parts, 2023, by=BY)
    return parts


def test_the_same_rows_again_change_nothing_of_either_year(two: Parts, tmp_path: Path) -> None:
    before = whole(two, "person", *OWN, *FORMER)
    path = a_csv(tmp_path / "b.csv", a_row(1, categories="低保"), a_row(3))

    former, _ = taken_in(two, path, year=2022)
    newest, _ = taken_in(two, path)

    assert (former.year, former.same, former.changed) == (2022, 2, 0)
    assert (newest.year, newest.same, newest.changed) == (2023, 2, 0)
    assert whole(two, "person", *OWN, *FORMER) == before


def test_what_a_former_years_file_says_changes_that_year_only(two: Parts, tmp_path: Path) -> None:
    own = whole(two, "person", *OWN)
    path = a_csv(
        tmp_path / "b.csv",
        a_row(1, categories="优抚", residence="居住证", residence_permit_valid_to="2022-06-30", student="是"),
        a_row(3, insured_status="终止", last_tier="500", insured_elsewhere="市外医保"),
        a_row(3, insurance="居民养老", categories="一级残疾"),
    )

    result, failures = taken_in(two, path, year=2022)

    assert (result.taken, result.added, result.changed, failures) == (True, 1, 2, [])
    assert whole(two, "person", *OWN) == own
    first, second = subject_of(two, 1).in_year(2022), subject_of(two, 3).in_year(2022)
    assert (first.residence, first.permit_to, first.student) == ("permit", date(2022, 6, 30), True)
    assert first.standing[MEDICAL].categories == {"YOUFU"}
    assert not second.standing[MEDICAL].registered and second.standing[MEDICAL].last_tier == 50000
    assert second.standing[PENSION].registered and second.standing[PENSION].categories == {"DIS1"}
    assert subject_of(two, 1).standing[MEDICAL].categories == {"DIBAO"}
    untouched = subject_of(two, 5)
    assert untouched.in_year(2022).standing == untouched.standing
    again, _ = taken_in(two, path, year=2022)
    assert not again.taken and again.before is not None and (again.same, again.changed) == (3, 0)


def test_a_file_of_the_newest_year_changes_nothing_of_a_former_one(two: Parts, tmp_path: Path) -> None:
    former = whole(two, *FORMER)

    result, _ = taken_in(
        two,
        a_csv(
            tmp_path / "b.csv",
            a_row(1, categories="优抚", student="是", insured_status="终止"),
            a_row(3, insurance="居民养老", categories="一级残疾"),
            a_row(7),
        ),
    )

    assert result.taken and result.year == 2023 and whole(two, *FORMER) == former
    assert not subject_of(two, 7).in_year(2022).standing[MEDICAL].registered


def test_who_is_new_in_a_former_year_is_registered_for_that_one_only(two: Parts, tmp_path: Path) -> None:
    own = whole(two, *OWN)

    result, _ = taken_in(two, a_csv(tmp_path / "b.csv", a_row(7, categories="低保", family_type="独生子女")), year=2022)

    person = subject_of(two, 7)
    assert result.added == 1 and whole(two, *OWN) == own
    assert not any(standing.registered for standing in person.standing.values())
    assert person.in_year(2022).standing[MEDICAL].categories == {"DIBAO"}
    assert person.in_year(2022).family_type == "only_child" and not person.in_year(2022).standing[PENSION].registered
    later, _ = taken_in(two, a_csv(tmp_path / "c.csv", a_row(7, student="是")))
    person = subject_of(two, 7)
    assert later.added == 1 and person.standing[MEDICAL].registered and person.student
    assert not person.standing[MEDICAL].categories and not person.in_year(2022).student


def test_what_no_year_owns_changes_for_all(two: Parts, tmp_path: Path) -> None:
    taken_in(
        two,
        a_csv(
            tmp_path / "b.csv",
            a_row(1, mobile="13900000002", household_no="0009", insured_status="暂停", relation_to_head="户主"),
            a_row(3, alive_status="死亡", change_type="END"),
        ),
        year=2022,
    )

    moved, dead = subject_of(two, 1), subject_of(two, 3)
    assert two.vault.open(moved.phone_sealed, bound_to=f"person.phone:{moved.id}") == "13900000002"
    assert (moved.household_number, moved.relation_to_head, dead.alive) == ("0009", "户主", False)
    assert moved.standing[MEDICAL].registered and dead.standing[MEDICAL].registered, "their 2023 is as it was"
    assert one(two, f"select said_dead from enrolment where person_id = {dead.id}") is True
    assert one(two, f"select said_dead from enrolment where person_id = {moved.id}") is False
    # And the newest year's file, which says the same of him as ever, is heard again.
    taken_in(two, a_csv(tmp_path / "c.csv", a_row(1, categories="优抚", mobile="13900000003")))
    moved = subject_of(two, 1)
    assert two.vault.open(moved.phone_sealed, bound_to=f"person.phone:{moved.id}") == "13900000003"


def test_the_newest_years_file_is_heard_for_its_own_year_whatever_a_former_one_said(two: Parts, tmp_path: Path) -> None:
    taken_in(two, a_csv(tmp_path / "b.csv", a_row(1, student="是", categories="低保")), year=2022)

    taken_in(two, a_csv(tmp_path / "c.csv", a_row(1, student="是", categories="优抚")))

    person = subject_of(two, 1)
    assert person.student and person.in_year(2022).student
    assert (person.standing[MEDICAL].categories, person.in_year(2022).standing[MEDICAL].categories) == (
        {"YOUFU"},
        {"DIBAO"},
    )


def test_the_newest_years_row_of_before_is_heard_again_where_a_former_years_file_moved_somebody(
    two: Parts, tmp_path: Path
) -> None:
    """Word for word the row that registered him; his neighbour's, of whom the former file said nothing, is the same."""
    row = a_row(1, categories="低保")
    taken_in(two, a_csv(tmp_path / "b.csv", a_row(1, categories="低保", household_no="0009")), year=2022)
    assert subject_of(two, 1).household_number == "0009"

    newest, _ = taken_in(two, a_csv(tmp_path / "c.csv", row, a_row(5)))

    assert (newest.changed, newest.same) == (1, 1)
    assert subject_of(two, 1).household_number == "0001"
    assert subject_of(two, 1).in_year(2022).standing[MEDICAL].categories == {"DIBAO"}


def test_a_child_has_the_permit_its_parent_has_that_year(two: Parts, tmp_path: Path) -> None:
    child = {"residence": "随迁子女", "parent_id_number": an_id_number(sequence=3), "birth_date": "2015-03-14"}
    number = an_id_number(born=date(2015, 3, 14), sequence=9)

    taken_in(
        two,
        a_csv(
            tmp_path / "b.csv",
            a_row(3, residence="居住证", residence_permit_valid_to="2022-08-31"),
            a_row(9, id_number=number, residence_permit_valid_to="2022-12-31", **child),
        ),
        year=2022,
    )

    assert subject_of(two, 9, born=date(2015, 3, 14)).in_year(2022).permit_to == date(2022, 8, 31)
    # Later the parent's alone is changed: for 2022 by its file, for 2023 by the newest.
    taken_in(
        two, a_csv(tmp_path / "c.csv", a_row(3, residence="居住证", residence_permit_valid_to="2022-10-31")), year=2022
    )
    taken_in(two, a_csv(tmp_path / "d.csv", a_row(3, residence="居住证", residence_permit_valid_to="2023-05-31")))

    child = subject_of(two, 9, born=date(2015, 3, 14))
    assert (child.in_year(2022).permit_to, child.permit_to) == (date(2022, 10, 31), date(2023, 5, 31))
    assert subject_of(two, 3).in_year(2022).permit_to == date(2022, 10, 31), "the parent's own"


def test_a_file_of_before_the_year_began_is_a_file_of_that_year(two: Parts, tmp_path: Path) -> None:
    """It was taken before, and another came after it: so it says nothing new, unless somebody wants it."""
    taken_in(two, a_csv(tmp_path / "b.csv", a_row(1, categories="优抚")), year=2022)
    assert one(two, "select count(*) from import_batch where kind = 'enrolment:2022'") == 1

    stale, _ = taken_in(two, tmp_path / "a.csv", year=2022)
    wanted, _ = taken_in(two, tmp_path / "a.csv", year=2022, again=True)
    newest, _ = taken_in(two, tmp_path / "a.csv")

    assert not stale.taken and stale.stale == 1
    assert wanted.taken and wanted.changed == 1
    assert not newest.taken and newest.same == 3, "the register it made is 2023's now, and nobody changed it"


def test_each_change_of_a_former_year_is_in_the_trail(two: Parts, tmp_path: Path) -> None:
    taken_in(
        two,
        a_csv(tmp_path / "b.csv", a_row(1, categories="优抚", student="是"), a_row(7, categories="低保")),
        year=2022,
    )

    person, new = subject_of(two, 1).id, subject_of(two, 7).id
    with two.engine.connect() as connection:
        rows = connection.execute(text("select of, key, columns from register_change order by 1, 2")).all()
        broken = connection.execute(text(INVARIANTS["INV-81"].sql)).all()
    assert [tuple(row) for row in rows] == [
        ("former_category", f"2022/{person}/{MEDICAL}/DIBAO", ["removed"]),
        ("former_category", f"2022/{person}/{MEDICAL}/YOUFU", ["added"]),
        ("former_category", f"2022/{new}/{MEDICAL}/DIBAO", ["added"]),
        ("former_person", f"2022/{person}", ["student"]),
    ]
    assert broken == []


def test_only_a_year_that_is_collected_takes_files(two: Parts, tmp_path: Path) -> None:
    before = whole(two, "person", *OWN, *FORMER)
    path = a_csv(tmp_path / "b.csv", a_row(7))
    close_year(two, 2022, by=BY)

    with pytest.raises(YearClosed):
        taken_in(two, path, year=2022)
    with pytest.raises(YearNeverOpened):
        taken_in(two, path, year=2024)

    assert whole(two, "person", *OWN, *FORMER) == before
