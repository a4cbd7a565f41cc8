"""Every worked case of the table comes true, column by column, and a wrong one is noticed."""

from pathlib import Path

import pytest

from app.policy.cases import BadCaseTable, Difference, differences
from tests.app.policy.people import RULES

TABLE = Path(__file__).with_name("policy_cases.csv")
HEAD, FIRST = TABLE.read_text(encoding="utf-8").splitlines()[:2]


def table(tmp_path: Path, *rows: str, head: str = HEAD) -> Path:
    path = tmp_path / "cases.csv"
    path.write_text("\n".join((head, *rows)) + "\n", encoding="utf-8")
    return path


def test_every_published_case_comes_true_on_every_output():
    count, found = differences(TABLE, RULES)

    assert found == []
    assert count == 107


def test_a_wrong_amount_is_named_with_case_column_and_both_values(tmp_path):
    count, found = differences(table(tmp_path, FIRST.replace("900.00,320.00", "900.00,310.00")), RULES)

    assert (count, found) == (1, [Difference("M002", "personal_due", "310.00", "320.00")])
    assert str(found[0]) == "M002 personal_due: expected 310.00, got 320.00"


def test_an_amount_may_be_written_without_its_zeros(tmp_path):
    assert differences(table(tmp_path, FIRST.replace("320.00", "320")), RULES) == (1, [])


def test_an_expected_amount_where_there_is_none_is_a_difference(tmp_path):
    rows = FIRST.replace("580.00,,,", "580.00,0.00,,")

    assert differences(table(tmp_path, rows), RULES)[1] == [Difference("M002", "couple_bonus", "0.00", "")]


def test_a_case_of_another_levy_year_is_not_judged_by_this_one(tmp_path):
    rows = FIRST.replace("medical,2022", "medical,2023")

    assert differences(table(tmp_path, rows), RULES)[1] == [Difference("M002", "levy_year", "2023", "2022")]


def test_an_unknown_channel_is_a_difference_of_its_case_alone(tmp_path):
    found = differences(table(tmp_path, FIRST.replace(",self,", ",pigeon,"), FIRST), RULES)

    assert found == (2, [Difference("M002", "channel", "pigeon", "unknown to the year")])


@pytest.mark.parametrize(
    "spoiled",
    [
        ("hukou", "moon"),
        ("2018-04-02", "2018-02-30"),
        (",M,", ",X,"),
        (",Y,Y,", ",Y,maybe,"),
        ("2021-11-05 10", "x"),
        ("medical,2022", "medical,next"),
    ],
)
def test_a_value_of_no_list_is_refused_with_its_case(tmp_path, spoiled):
    with pytest.raises(BadCaseTable, match="M002"):
        differences(table(tmp_path, FIRST.replace(*spoiled, 1)), RULES)


def test_none_in_a_column_of_several_is_none(tmp_path):
    columns = dict(zip(HEAD.split(","), FIRST.split(","), strict=True))
    columns |= {"categories": "none", "sponsor_rule": "none", "insured_elsewhere": "none"}

    assert differences(table(tmp_path, ",".join(columns.values())), RULES) == (1, [])


def test_a_table_without_a_column_is_refused_by_its_name(tmp_path):
    with pytest.raises(BadCaseTable, match="paid_at"):
        differences(table(tmp_path, FIRST, head=HEAD.replace("paid_at", "paid")), RULES)


def test_a_table_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(BadCaseTable):
        differences(tmp_path / "none.csv", RULES)
