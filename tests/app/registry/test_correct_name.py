"""A misspelt name is put right by two people; the bureau hears what to do, and another name altogether is refused."""

from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from app.flows.parts import Parts
from app.flows.register.correct_name import (
    BadCorrection,
    CorrectionUnderWay,
    NobodyToCorrect,
    NoSuchCorrection,
    NotYourCorrection,
    OwnCorrection,
    agree,
    ask,
    listed,
    refuse,
    withdraw,
)
from app.registry.identity import is_near
from payments.truths.invariants import INVARIANTS
from tests.app.registry.files import a_csv, a_row, one, taken_in
from tests.app.registry.test_import import codes, subject_of
from tests.builders import an_id_number

RIGHT = {"name": "张示例", "reason": "录入时写错了字", "proof": "户口簿第3页"}


@pytest.fixture
def wrong(parts: Parts, tmp_path: Path) -> Parts:
    """One whose name was mistyped, and another whose name is the same."""
    taken_in(parts, a_csv(tmp_path / "wrong.csv", a_row(1, name="张示列"), a_row(3, name="张示列")))
    return parts


def test_the_bureau_hears_what_to_do_about_a_name_that_is_nearly_right(wrong: Parts, tmp_path: Path) -> None:
    """M9: with UPDATE a near name is a conflict to decide; without it, or another name altogether, it is refused."""
    rows = (a_row(1, change_type="UPDATE"), a_row(3), a_row(3, name="李四", change_type="UPDATE", insurance="居民养老"))

    _, failures = taken_in(wrong, a_csv(tmp_path / "b.csv", *rows))

    assert codes(failures) == [
        (2, "姓名", "NAME_TO_CORRECT"),
        (3, "姓名", "NAME_ID_MISMATCH"),
        (4, "姓名", "NAME_ID_MISMATCH"),
    ]
    assert "correction ask" in failures[0].reason and subject_of(wrong, 1).name == "张示列"


def test_two_people_put_a_name_right_and_the_file_goes_in(wrong: Parts, tmp_path: Path) -> None:
    """M9: with reason and paper, in the register's trail under its number; who is called the same keeps his name."""
    number = ask(wrong, id_number=an_id_number(sequence=1), by="staff:a", **RIGHT)
    assert subject_of(wrong, 1).name == "张示列", "nothing changes before somebody else agrees"
    [seen] = listed(wrong)
    assert (seen.former, seen.name, seen.proof, seen.asked_by) == ("张示列", "张示例", "户口簿第3页", "staff:a")
    with pytest.raises(OwnCorrection):
        agree(wrong, number, by="staff:a")

    assert agree(wrong, number, by="staff:b") == "张*例"

    assert (subject_of(wrong, 1).name, subject_of(wrong, 3).name) == ("张示例", "张示列")
    taken, failures = taken_in(wrong, a_csv(tmp_path / "b.csv", a_row(1, change_type="UPDATE")))
    assert (taken.taken, failures) == (True, [])
    with wrong.engine.connect() as connection:
        causes = connection.execute(text("select distinct cause from register_change where columns = '{name}'")).all()
        assert causes == [(f"correction:{number}",)]
        assert connection.execute(text(INVARIANTS["INV-81"].sql)).all() == []
    with pytest.raises(NoSuchCorrection):
        agree(wrong, number, by="staff:c")


def test_a_correction_that_was_refused_changes_nothing(wrong: Parts) -> None:
    """M9."""
    number = ask(wrong, id_number=an_id_number(sequence=1), by="staff:a", **RIGHT)
    with pytest.raises(CorrectionUnderWay):
        ask(wrong, id_number=an_id_number(sequence=1), by="staff:c", **RIGHT)

    refuse(wrong, number, by="staff:b")

    assert subject_of(wrong, 1).name == "张示列" and listed(wrong) == []
    assert one(wrong, "select count(*) from register_change") == 0


def test_who_asked_takes_a_correction_back_and_may_ask_anew(wrong: Parts) -> None:
    number = ask(wrong, id_number=an_id_number(sequence=1), by="staff:a", **RIGHT)
    other = ask(wrong, id_number=an_id_number(sequence=3), by="staff:a", **RIGHT)
    with pytest.raises(NotYourCorrection):
        withdraw(wrong, number, by="staff:b")

    withdraw(wrong, number, by="staff:a")

    with pytest.raises(NoSuchCorrection):
        agree(wrong, number, by="staff:b")
    assert subject_of(wrong, 1).name == "张示列" and [each.id for each in listed(wrong)] == [other]
    assert ask(wrong, id_number=an_id_number(sequence=1), by="staff:a", **RIGHT) > number


@pytest.mark.parametrize(
    ("spoilt", "error"),
    [
        ({"name": "张示列"}, BadCorrection),
        ({"name": ""}, BadCorrection),
        ({"reason": "错"}, BadCorrection),
        ({"proof": " "}, BadCorrection),
        ({"by": " "}, BadCorrection),
        ({"id_number": an_id_number(sequence=5)}, NobodyToCorrect),
        ({"id_number": "1"}, NobodyToCorrect),
    ],
)
def test_a_correction_without_a_right_name_a_reason_or_a_paper_is_none(wrong: Parts, spoilt: dict, error: type) -> None:
    """M9."""
    with pytest.raises(error):
        ask(wrong, **({"id_number": an_id_number(sequence=1), "by": "staff:a"} | RIGHT | spoilt))


@pytest.mark.parametrize(
    "statement",
    [
        "update name_correction set state = 'refused', decided_by = 'staff:c' where state = 'done'",
        "update name_correction set state = 'done', decided_by = 'staff:a', decided_at = now() where state = 'asked'",
        "update name_correction set state = 'withdrawn', decided_by = 'staff:b', decided_at = now()"
        " where state = 'asked'",
        "update name_correction set name = former",
        "delete from name_correction",
    ],
)
def test_the_database_keeps_a_correction_to_two_people_and_one_word(wrong: Parts, statement: str) -> None:
    """M9."""
    agree(wrong, ask(wrong, id_number=an_id_number(sequence=1), by="staff:a", **RIGHT), by="staff:b")
    ask(wrong, id_number=an_id_number(sequence=3), by="staff:a", **RIGHT)

    with pytest.raises(DBAPIError) as refused, wrong.engine.begin() as connection:
        connection.execute(text(statement))

    assert refused.value.orig.sqlstate in ("LX082", "42501", "23514")


@pytest.mark.parametrize(
    ("one_name", "other", "near"),
    [
        ("张示列", "张示例", True),
        ("张示", "张示例", True),
        ("张示例", "张例", True),
        ("张示例", "李示例", False),
        ("张示例", "张三丰", False),
        ("张示例", "张示例", False),
        ("买买提·吐尔逊", "买买提·吐尔迅", True),
        ("张", "", False),
    ],
)
def test_what_is_near(one_name: str, other: str, near: bool) -> None:
    assert is_near(one_name, other) is near and is_near(other, one_name) is near
