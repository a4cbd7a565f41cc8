"""In which years somebody had the medical insurance, and where he learns: as a file says it, of its own year."""

from dataclasses import replace
from pathlib import Path

import pytest

from app.flows.levy import Levy
from app.flows.parts import Parts
from app.flows.register.open_year import open_year
from app.policy.facts import Insurance
from app.policy.year import YEARS
from tests.app.registry.files import a_csv, a_row, one, taken_in
from tests.app.registry.test_former_year import subject_of, whole
from tests.app.registry.test_rows import judged

MEDICAL = Insurance.RES_MEDICAL


@pytest.mark.parametrize(
    ("written", "years"),
    [
        ("2020|2021|2019", (2019, 2020, 2021)),
        ("2020、2021 2021年", (2020, 2021)),
        (2021.0, (2021,)),
        ("无", ()),
        ("", None),
    ],
)
def test_years_are_read_as_people_write_them(written: object, years: object) -> None:
    assert judged(a_row(medical_years=written)).medical_years == years


@pytest.mark.parametrize("written", ["2020-2023", "去年", "1998", "2023", "20211", "2020|无", 2021.5])
def test_what_is_no_levy_year_that_was_is_refused(written: object) -> None:
    assert judged(a_row(medical_years=written)) == [("medical_years", "YEARS_SHAPE")]


def test_who_is_said_to_go_to_a_school_is_a_student() -> None:
    pupil, other = judged(a_row(school="中小学")), judged(a_row(school="无"))

    assert (pupil.school, pupil.student) == ("pupil", True)
    assert (other.school, other.student, judged(a_row()).school) == ("none", None, None)


def test_a_file_says_history_and_school_and_a_blank_changes_neither(parts: Parts, tmp_path: Path) -> None:
    taken_in(parts, a_csv(tmp_path / "a.csv", a_row(1, medical_years="2020|2021", school="大学"), a_row(3)))
    told, untold = subject_of(parts, 1), subject_of(parts, 3)

    taken_in(parts, a_csv(tmp_path / "b.csv", a_row(1, last_tier="300"), a_row(3, medical_years="无")))

    assert (told.recorded.years, told.school, told.student) == ({2020, 2021}, "university", True)
    assert (untold.recorded.years, untold.school, untold.student) == (None, "none", False)
    assert (subject_of(parts, 1).recorded, subject_of(parts, 1).school) == (told.recorded, "university")
    assert subject_of(parts, 3).recorded.years == frozenset()
    taken_in(parts, a_csv(tmp_path / "c.csv", a_row(1, medical_years="2019", school="无", student="否")))
    assert (subject_of(parts, 1).recorded.years, subject_of(parts, 1).school) == ({2019}, "none")
    assert subject_of(parts, 3).recorded.years == frozenset(), "nobody else's changes by it"


def test_each_year_keeps_what_its_own_file_said(parts: Parts, tmp_path: Path) -> None:
    taken_in(parts, a_csv(tmp_path / "a.csv", a_row(1, medical_years="2020"), a_row(3, medical_years="2020")))
    open_year(parts, 2023, by="operator:test")
    own = whole(parts, "person")

    taken_in(parts, a_csv(tmp_path / "b.csv", a_row(1, medical_years="2019|2020", school="中小学")), year=2022)

    first, second = subject_of(parts, 1), subject_of(parts, 3)
    assert whole(parts, "person") == own
    assert (first.in_year(2022).recorded.years, first.in_year(2022).school) == ({2019, 2020}, "pupil")
    assert (first.recorded.years, first.school) == ({2020}, "none")
    assert second.in_year(2022).recorded.years == second.recorded.years == {2020}
    taken_in(parts, a_csv(tmp_path / "c.csv", a_row(3, medical_years="2020|2022")))
    assert subject_of(parts, 3).recorded.years == {2020, 2022}
    assert subject_of(parts, 3).in_year(2022).recorded.years == {2020}


def test_a_year_has_groups_of_its_own(parts: Parts, tmp_path: Path) -> None:
    """Written by their code or their words; another year's are refused like any word nobody knows."""
    said = (YEARS / "2022.toml").read_text(encoding="utf-8")
    (tmp_path / "2022.toml").write_text(f'{said}\n[groups]\nMARTYR = "烈属"\n', encoding="utf-8")
    (tmp_path / "2023.toml").write_bytes((YEARS / "2023.toml").read_bytes())
    path = a_csv(tmp_path / "a.csv", a_row(1, categories="烈属|低保"), a_row(3, categories="martyr"))
    _, unknown = taken_in(parts, path)
    parts = replace(parts, levy=Levy(parts.engine, tmp_path, 2022))

    result, failures = taken_in(parts, path)

    assert [(each.row, each.column, each.code) for each in unknown] == [
        (2, "人员类别", "CATEGORY_UNKNOWN"),
        (3, "人员类别", "CATEGORY_UNKNOWN"),
    ]
    assert (result.added, failures) == (2, [])
    assert subject_of(parts, 1).standing[MEDICAL].categories == {"MARTYR", "DIBAO"}
    assert subject_of(parts, 3).standing[MEDICAL].categories == {"MARTYR"}
    open_year(parts, 2023, by="operator:test")
    _, unknown = taken_in(parts, a_csv(tmp_path / "b.csv", a_row(5, categories="烈属")))
    assert [each.code for each in unknown] == ["CATEGORY_UNKNOWN"], "2023 does not know it"
    _, known = taken_in(parts, tmp_path / "b.csv", year=2022)
    assert known == [] and one(parts, "select count(*) from former_category where code = 'MARTYR'") == 3
