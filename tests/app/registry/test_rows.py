"""What a bureau may write in a row, and what is said when it cannot be."""

from dataclasses import astuple, fields
from datetime import date

import pytest

from app.policy.facts import Category, Elsewhere, FamilyType, Residence
from app.registry import codes
from app.registry.cells import Bad, Memo, categories, day, elsewhere, mobile, month, plain, tier
from app.registry.columns import FIELDS
from app.registry.failures import REASONS
from app.registry.identity import id_number_problem
from app.registry.row import Collects, Judge, Row
from app.registry.sample import KINDS
from app.registry.synthetic import people
from tests.app.registry.files import VILLAGE, a_row
from tests.builders import NOON, an_id_number

TODAY = NOON.date()
JUDGED_LATER = ("COLUMN_COUNT", "NOT_REGISTERED")  # by whoever sees the whole line, or the register
OF_ONE_CELL = [kind for kind in KINDS if not kind.again and kind.code not in JUDGED_LATER]


def judged(row: dict[str, object], judge: Judge | None = None, number: int = 2) -> Row | list[tuple[str, str]]:
    judge, picked = judge or Judge({VILLAGE}, Collects(2022), today=TODAY), tuple(row[field] for field in FIELDS)
    (values,) = judge.read([picked])
    verdict = judge.judge("", number, picked, values)
    return verdict if isinstance(verdict, Row) else [(wrong.field, wrong.code) for wrong in verdict]


def test_rows_read_together_say_what_each_says_alone() -> None:
    """A bad cell in the middle of a column: its own row is bad, its neighbours are what they are."""
    judge = Judge({VILLAGE}, Collects(2022), today=TODAY)
    rows = [a_row(mobile=f"1390000{place:04d}", last_tier="300") for place in range(40)]
    rows[3], rows[17], rows[39] = a_row(sex="?"), a_row(id_number="1", last_tier="x"), a_row(village_code="")
    picked = [tuple(row[field] for field in FIELDS) for row in rows]

    together = judge.read(picked)

    assert together == [judge.read([one])[0] for one in picked]
    assert [place for place, values in enumerate(together) if values is None] == [3, 17, 39]
    verdict = judge.judge("", 19, picked[17], together[17])
    assert isinstance(verdict, list)
    assert [(wrong.field, wrong.code) for wrong in verdict] == [("id_number", "ID_LENGTH"), ("last_tier", "TIER_SHAPE")]


def test_a_plain_row_is_read() -> None:
    row = judged(a_row(last_tier="300", categories="二级残疾、低保", mobile="13900000001", student="否"))

    assert isinstance(row, Row)
    assert (row.name, row.birth_date, row.sex, row.residence) == ("张示例", date(1986, 3, 14), 1, "hukou")
    assert (row.insurance, row.status, row.village_code, row.household_no) == ("RES_MEDICAL", "NORMAL", VILLAGE, "0001")
    assert (row.last_tier, row.categories, row.mobile, row.student) == (30000, ("DIBAO", "DIS2"), "13900000001", False)
    assert (row.elsewhere, row.employee_insured, row.is_migrant, row.spouse_birth) == ("none", False, None, None)


@pytest.mark.parametrize("kind", OF_ONE_CELL, ids=lambda kind: f"{kind.field}-{kind.code}")
def test_every_spoilt_cell_is_named_with_its_code(kind) -> None:
    right = {field: str(value) for field, value in a_row(pay_from="202201", pay_to="202212").items()}

    assert judged(kind.spoil(right)) == [(kind.field, kind.code)]


@pytest.mark.parametrize(
    "written",
    [
        3.70499198603140e17,
        370499198603140017,
        "3.70499E+17",
        "3.704991986E+17",
        "370499198603140000",
        "3.70499198603140000E17",
    ],
)
def test_a_number_that_a_spreadsheet_has_cut_is_told_apart_from_a_mistyped_one(written) -> None:
    assert judged(a_row(id_number=written)) == [("id_number", "ID_AS_NUMBER")]
    assert "请把身份证号一列设为文本再填" in REASONS["ID_AS_NUMBER"]


@pytest.mark.parametrize(
    "write",
    [
        lambda number: number.lower(),
        lambda number: f"  {number}\u3000",
        lambda number: f"{number[:6]} {number[6:14]} {number[14:]}",
        lambda number: "".join(chr(ord(letter) + 0xFEE0) for letter in number),
    ],
)
def test_a_right_number_is_understood_however_it_is_typed(write) -> None:
    number = next(made for made in (an_id_number(sequence=at) for at in range(1, 99, 2)) if made.endswith("X"))

    row = judged(a_row(id_number=write(number)))

    assert isinstance(row, Row) and row.id_number == number


def test_the_quick_way_and_the_plain_way_judge_numbers_alike() -> None:
    judge = Judge({VILLAGE}, Collects(2022), today=TODAY)
    for person in people(300):
        for number in (person.id_number, person.id_number[:17] + "5", "0" + person.id_number[1:]):
            row = judged(a_row(id_number=number, sex="", birth_date=""), Judge({VILLAGE}, Collects(2022), today=TODAY))
            assert isinstance(row, Row) == (id_number_problem(number, today=TODAY) is None), number
    assert isinstance(judged(a_row(), judge), Row)


@pytest.mark.parametrize(
    "written",
    [
        *(
            "1970-05-01",
            "1970.5.1",
            "1970/5/1",
            "1970/05/01",
            "1970年5月1日",
            "19700501",
            "１９７０.５.１",
            " 1970-5-1 ",
        ),
        *("1970-05-01 00:00:00", 25689, 25689.0, "25689", 19700501, date(1970, 5, 1)),
    ],
)
def test_a_date_is_understood_however_it_is_typed(written) -> None:
    assert day(written, today=TODAY) == date(1970, 5, 1)


@pytest.mark.parametrize(
    "written", ["1970-13-01", "1970-02-30", "70.5.1", "五月一日", "1970-05-01 08:30", "1", "99999"]
)
def test_what_is_no_date_is_refused(written) -> None:
    with pytest.raises(Bad, match="DATE_SHAPE"):
        day(written, today=TODAY)


def test_words_are_understood_in_chinese_and_in_code() -> None:
    assert categories("DIS1|低保, 五保；优抚对象") == ("DIBAO", "DIS1", "WUBAO", "YOUFU")
    assert categories("AGE70、无") == categories(" ") == ()
    assert elsewhere("市外医保|pension_elsewhere") == "medical_outside_zz|pension_elsewhere"
    assert elsewhere("无") == "none"
    assert [month(cell) for cell in ("202201", "2022-1", "2022年1月", 202201.0, "")] == ["202201"] * 4 + [""]
    assert [tier(cell) for cell in ("300", 300.0, "300元", "")] == [30000, 30000, 30000, None]
    assert [mobile(cell) for cell in ("139-0000-0001", "+8613900000001", 13900000001.0, " ")] == ["13900000001"] * 3 + [
        None
    ]
    assert (plain(True), plain(1.0), plain(" Ａ１ ")) == ("1", "1", "A1")


def test_every_word_of_the_code_lists_is_one_the_rules_know() -> None:
    assert set(codes.CATEGORIES.values()) - {None} == {str(code) for code in Category}
    assert set(codes.ELSEWHERE.values()) - {None} == {str(code) for code in Elsewhere}
    assert set(codes.FAMILY.values()) - {None} == {str(code) for code in FamilyType}
    assert set(codes.RESIDENCE.values()) == {str(code) for code in Residence}


def test_a_row_names_everything_that_is_wrong_with_it() -> None:
    wrong = judged(a_row(name="", mobile="123", village_code="1", residence=""))

    assert wrong == [
        ("name", "EMPTY"),
        ("residence", "EMPTY"),
        ("village_code", "VILLAGE_UNKNOWN"),
        ("mobile", "PHONE_SHAPE"),
    ]


def test_the_dead_are_refused_unless_their_enrolment_ends() -> None:
    assert judged(a_row(alive_status="死亡")) == [("alive_status", "DECEASED")]

    ended = judged(a_row(alive_status="0", change_type="END"))

    assert isinstance(ended, Row) and (ended.alive, ended.status) == (False, "ENDED")


def test_a_second_row_of_the_same_person_and_insurance_is_refused_and_of_another_is_not() -> None:
    judge = Judge({VILLAGE}, Collects(2022), today=TODAY)

    assert isinstance(judged(a_row(), judge, 2), Row)
    assert isinstance(judged(a_row(insurance="居民养老"), judge, 3), Row)
    assert judged(a_row(name="李示例"), judge, 4) == [("id_number", "DUP_ROW")]


def test_a_refused_row_does_not_make_the_corrected_one_a_duplicate() -> None:
    judge = Judge({VILLAGE}, Collects(2022), today=TODAY)
    judged(a_row(mobile="12"), judge, 2)

    assert isinstance(judged(a_row(mobile="13900000001"), judge, 3), Row)


def test_names_are_cleaned_as_for_a_look_up() -> None:
    named = {
        written: judged(a_row(name=written))
        for written in ("阿依古丽•示例", " 张 示例 ", "䶮示例", "\ue863示例", "𠮷示例")
    }

    assert [row.name for row in named.values()] == ["阿依古丽·示例", "张示例", "䶮示例", "䶮示例", "𠮷示例"]  # type: ignore[union-attr]


def test_what_looks_like_a_formula_is_only_text() -> None:
    row = judged(a_row(relation_to_head="=1+1", household_no="@SUM(A1)"))

    assert isinstance(row, Row) and (row.relation, row.household_no) == ("=1+1", "@SUM(A1)")


def test_memory_of_words_is_bounded() -> None:
    memo = Memo(lambda cell: cell)

    for word in range(120_000):
        memo[word]

    assert len(memo) <= 50_000


def test_every_failure_has_a_sentence_and_every_sentence_a_failure() -> None:
    raised = {kind.code for kind in KINDS} | {
        *("REGISTERED_DEAD", "DEAD_TO_ANOTHER", "LINE_BREAK", "RESTRICTED", "INSURANCE_NOT_COLLECTED"),
        "INSURANCE_OF_ANOTHER",
    }

    assert raised == set(REASONS)
    assert len(fields(Row)) == len(astuple(judged(a_row())))  # type: ignore[arg-type]
