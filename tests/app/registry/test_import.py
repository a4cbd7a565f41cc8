"""A file comes in whole, once, or not at all; what it says is in the register, and sealed."""

import csv
from pathlib import Path

import pytest
from sqlalchemy import text

from app.flows.parts import Parts
from app.flows.register import read_rows
from app.registry.columns import BadHeader
from app.registry.failures import FailureFile
from app.registry.find import by_id_number, by_ids
from app.registry.register import ImportUnderWay
from app.registry.sample import write_sample
from app.registry.sheet import BadFile
from app.registry.years import Years
from payments.truths.invariants import INVARIANTS
from tests.app.registry.files import NEEDED, VILLAGE, a_csv, a_row, an_xlsx, one, taken_in
from tests.builders import an_id_number


def subject_of(parts: Parts, sequence: int = 1):
    with parts.engine.connect() as connection:
        found = by_id_number(connection, parts.vault, an_id_number(sequence=sequence))
        return by_ids(connection, parts.vault, [found[0]], years=Years(2022))[0] if found else None


def codes(failures) -> list[tuple[int, str, str]]:
    return [(failure.row, failure.column, failure.code) for failure in failures]


def test_a_row_becomes_a_person_with_an_enrolment(parts: Parts, tmp_path: Path) -> None:
    row = a_row(
        mobile="13900000001",
        categories="低保|一级残疾",
        relation_to_head="户主",
        is_migrant="是",
        family_type="独生子女",
        spouse_birth="1985-01-02",
        insured_elsewhere="市外医保",
        residence="居住证",
        last_tier="500",
    )

    result, failures = taken_in(parts, a_csv(tmp_path / "a.csv", row))

    assert (result.taken, result.rows_in, result.added, failures) == (True, 1, 1, [])
    person = subject_of(parts)
    medical = person.standing["RES_MEDICAL"]
    assert (person.name, person.residence, person.is_migrant, person.relation_to_head) == (
        "张示例",
        "permit",
        True,
        "户主",
    )
    assert (person.village_code, person.household_number, person.family_type) == (VILLAGE, "0001", "only_child")
    assert (person.spouse_birth.isoformat(), person.birth_date.isoformat(), person.sex) == (
        "1985-01-02",
        "1986-03-14",
        1,
    )
    assert parts.vault.open(person.phone_sealed, bound_to=f"person.phone:{person.id}") == "13900000001"
    assert medical.registered and medical.categories == {"DIBAO", "DIS1"} and medical.last_tier == 50000
    assert medical.insured_elsewhere == {"medical_outside_zz"}
    assert not person.standing["RES_PENSION"].registered


def test_one_bad_row_keeps_the_whole_file_out_and_every_row_is_judged(parts: Parts, tmp_path: Path) -> None:
    path = a_csv(tmp_path / "a.csv", a_row(1), a_row(3, mobile="1"), a_row(5), a_row(7, sex="女"))

    result, failures = taken_in(parts, path)

    assert not result.taken and (result.rows_in, result.refused) == (4, 2)
    assert codes(failures) == [(3, "手机号", "PHONE_SHAPE"), (5, "性别", "SEX_MISMATCH")]
    assert one(parts, "select count(*) from person") == one(parts, "select count(*) from import_batch") == 0
    assert one(parts, "select count(*) from household") == 0


def test_the_good_rows_come_in_by_choice(parts: Parts, tmp_path: Path) -> None:
    path = a_csv(tmp_path / "a.csv", a_row(1), a_row(3, mobile="1"), a_row(5))

    result, _ = taken_in(parts, path, good_rows=True)

    assert result.taken and (result.added, result.refused) == (2, 1)
    assert subject_of(parts, 3) is None and subject_of(parts, 5) is not None
    assert one(parts, "select rows_in = 3 and added = 2 and refused = 1 from import_batch") is True


def test_the_same_file_again_changes_nothing_and_says_when_it_came(parts: Parts, tmp_path: Path) -> None:
    path = a_csv(tmp_path / "a.csv", a_row(1), a_row(3))
    first, _ = taken_in(parts, path)

    again, failures = taken_in(parts, path)

    assert first.taken and not again.taken and again.before is not None and failures == []
    assert (again.rows_in, again.added, again.same) == (2, 0, 2)
    assert one(parts, "select count(*) from import_batch") == 1


def test_rows_are_counted_as_added_changed_and_same(parts: Parts, tmp_path: Path) -> None:
    taken_in(parts, a_csv(tmp_path / "a.csv", a_row(1), a_row(3), a_row(5)))

    result, _ = taken_in(
        parts,
        a_csv(tmp_path / "b.csv", a_row(1), a_row(3, categories="低保"), a_row(5, insurance="居民养老"), a_row(7)),
    )

    assert (result.rows_in, result.added, result.changed, result.same) == (4, 2, 1, 1)
    assert subject_of(parts, 3).standing["RES_MEDICAL"].categories == {"DIBAO"}
    assert subject_of(parts, 5).standing["RES_PENSION"].registered


def test_the_register_says_which_file_changed_whom_and_nothing_of_newcomers(parts: Parts, tmp_path: Path) -> None:
    """M6: one row of the trail for each changed row of the register, in the file's name; the values as digests only."""
    taken_in(parts, a_csv(tmp_path / "a.csv", a_row(1, categories="低保"), a_row(3, categories="低保"), a_row(5)))
    assert one(parts, "select count(*) from register_change") == 0

    taken_in(parts, a_csv(tmp_path / "b.csv", a_row(1, categories="优抚"), a_row(3, categories="低保"), a_row(7)))

    file = one(parts, "select 'import:' || encode(file_hash, 'hex') from import_batch order by id desc limit 1")
    with parts.engine.connect() as connection:
        rows = connection.execute(text("select of, split_part(key, '/', 1), columns, cause from register_change")).all()
        person = str(subject_of(parts, 1).id)
        assert all(cause == file and key == person for _, key, _, cause in rows)
        assert ("category", person, ["removed"], file) in rows and ("category", person, ["added"], file) in rows
        broken = connection.execute(text(INVARIANTS["INV-81"].sql)).all()
    assert broken == []


def test_a_change_replaces_categories_of_its_own_insurance_only(parts: Parts, tmp_path: Path) -> None:
    taken_in(parts, a_csv(tmp_path / "a.csv", a_row(categories="低保"), a_row(insurance="居民养老", categories="低保")))

    taken_in(parts, a_csv(tmp_path / "b.csv", a_row(categories="优抚")))

    standing = subject_of(parts).standing
    assert standing["RES_MEDICAL"].categories == {"YOUFU"} and standing["RES_PENSION"].categories == {"DIBAO"}


def test_what_a_file_does_not_say_stays_as_it_is(parts: Parts, tmp_path: Path) -> None:
    said = a_row(
        mobile="13900000001", is_migrant="是", relation_to_head="户主", spouse_birth="1985-01-02", student="是"
    )
    taken_in(parts, a_csv(tmp_path / "a.csv", said))

    taken_in(parts, a_csv(tmp_path / "b.csv", a_row(last_tier="300")))

    person = subject_of(parts)
    assert person.phone_sealed and person.is_migrant and person.student and person.spouse_birth
    assert person.relation_to_head == "户主"


def test_two_rows_of_one_person_in_one_file_both_speak(parts: Parts, tmp_path: Path) -> None:
    taken_in(parts, a_csv(tmp_path / "a.csv", a_row(), a_row(insurance="居民养老")))

    taken_in(
        parts, a_csv(tmp_path / "b.csv", a_row(mobile="13900000001"), a_row(insurance="居民养老", is_migrant="是"))
    )

    assert subject_of(parts).phone_sealed and subject_of(parts).is_migrant


def test_an_unchanged_file_of_one_bureau_does_not_undo_what_the_other_said_later(parts: Parts, tmp_path: Path) -> None:
    pension = a_row(insurance="居民养老", is_migrant="否")
    taken_in(parts, a_csv(tmp_path / "a.csv", pension))
    taken_in(parts, a_csv(tmp_path / "b.csv", a_row(is_migrant="是")))

    result, _ = taken_in(parts, a_csv(tmp_path / "c.csv", pension, a_row(9)))

    assert (result.same, result.added) == (1, 1) and subject_of(parts).is_migrant


def test_a_person_moves_to_another_household_with_both_enrolments(parts: Parts, tmp_path: Path) -> None:
    taken_in(parts, a_csv(tmp_path / "a.csv", a_row(), a_row(insurance="居民养老")))

    taken_in(parts, a_csv(tmp_path / "b.csv", a_row(household_no="0777", change_type="UPDATE")))

    assert subject_of(parts).household_number == "0777"
    homes = "select array_agg(e.household_id) = array[p.household_id, p.household_id] from person p"
    assert one(parts, f"{homes} join enrolment e on e.person_id = p.id group by p.household_id") is True


def test_an_enrolment_ends(parts: Parts, tmp_path: Path) -> None:
    taken_in(parts, a_csv(tmp_path / "a.csv", a_row(), a_row(insurance="居民养老")))

    result, _ = taken_in(parts, a_csv(tmp_path / "b.csv", a_row(change_type="END", alive_status="死亡")))

    person = subject_of(parts)
    assert result.changed == 1 and not person.alive
    assert not person.standing["RES_MEDICAL"].registered and person.standing["RES_PENSION"].registered


def test_nobody_comes_back_from_the_dead_unless_it_was_a_mistake(parts: Parts, tmp_path: Path) -> None:
    taken_in(parts, a_csv(tmp_path / "a.csv", a_row()))
    taken_in(parts, a_csv(tmp_path / "b.csv", a_row(change_type="END", alive_status="死亡")))

    _, failures = taken_in(parts, a_csv(tmp_path / "c.csv", a_row(last_tier="100")))
    mended, _ = taken_in(parts, a_csv(tmp_path / "d.csv", a_row(change_type="UPDATE")))

    assert codes(failures) == [(2, "生存状态", "REGISTERED_DEAD")]
    assert mended.changed == 1 and subject_of(parts).alive


def test_one_bureaus_update_revives_nobody_whom_the_other_calls_dead(parts: Parts, tmp_path: Path) -> None:
    """B5: an ordinary change of a tier brought the dead back, and reported dead again he stayed alive."""
    living = a_row(3, household_no="0001", name="李示例")
    pension = a_row(insurance="居民养老")
    dead = a_row(change_type="END", alive_status="死亡")
    taken_in(parts, a_csv(tmp_path / "a.csv", a_row(), pension, living))
    taken_in(parts, a_csv(tmp_path / "b.csv", dead))

    _, failures = taken_in(parts, a_csv(tmp_path / "c.csv", pension | {"last_tier": "500", "change_type": "UPDATE"}))
    again, quiet = taken_in(parts, a_csv(tmp_path / "d.csv", dead, pension, living))

    assert codes(failures) == [(2, "生存状态", "DEAD_TO_ANOTHER")] and "医保局报告此人已去世" in failures[0].reason
    assert (again.same, quiet) == (3, []) and not subject_of(parts).alive and subject_of(parts, 3).alive


def test_who_was_revived_and_is_reported_dead_again_is_dead(parts: Parts, tmp_path: Path) -> None:
    """B5: the row counted as the same."""
    dead = a_row(change_type="END", alive_status="死亡")
    taken_in(parts, a_csv(tmp_path / "a.csv", a_row(), a_row(insurance="居民养老")))
    taken_in(parts, a_csv(tmp_path / "b.csv", dead))
    with parts.engine.begin() as connection:  # as before the bureaus' words were told apart
        connection.execute(text("update person set alive = true"))
    result, _ = taken_in(parts, a_csv(tmp_path / "c.csv", dead, a_row(3, household_no="0001", name="李示例")))

    assert result.changed == 1 and not subject_of(parts).alive and subject_of(parts, 3).alive


def test_whom_both_bureaus_called_dead_lives_when_both_take_it_back(parts: Parts, tmp_path: Path) -> None:
    """B5: the first is told of the other's word, and its own is kept."""
    both = a_row(), a_row(insurance="居民养老")
    taken_in(parts, a_csv(tmp_path / "a.csv", *both))
    dead = {"change_type": "END", "alive_status": "死亡"}
    taken_in(parts, a_csv(tmp_path / "b.csv", *(row | dead for row in both)))
    medical, pension = (row | {"change_type": "UPDATE"} for row in both)

    _, first = taken_in(parts, a_csv(tmp_path / "c.csv", medical), good_rows=True)
    assert codes(first) == [(2, "生存状态", "DEAD_TO_ANOTHER")] and not subject_of(parts).alive
    _, second = taken_in(parts, a_csv(tmp_path / "d.csv", pension | {"last_tier": "300"}))

    assert second == [] and subject_of(parts).alive


def test_another_name_for_a_known_number_is_refused(parts: Parts, tmp_path: Path) -> None:
    taken_in(parts, a_csv(tmp_path / "a.csv", a_row()))

    _, failures = taken_in(parts, a_csv(tmp_path / "b.csv", a_row(name="李示例")))
    _, within_one_file = taken_in(
        parts, a_csv(tmp_path / "c.csv", a_row(3), a_row(3, name="李示例", insurance="居民养老"))
    )

    assert codes(failures) == [(2, "姓名", "NAME_ID_MISMATCH")]
    assert codes(within_one_file) == [(3, "姓名", "NAME_ID_MISMATCH")]
    assert subject_of(parts).name == "张示例"


def test_what_was_never_registered_cannot_end(parts: Parts, tmp_path: Path) -> None:
    taken_in(parts, a_csv(tmp_path / "a.csv", a_row()))

    _, failures = taken_in(
        parts,
        a_csv(tmp_path / "b.csv", a_row(insurance="居民养老", change_type="END"), a_row(3, change_type="END")),
    )

    assert codes(failures) == [(2, "变更类型", "NOT_REGISTERED"), (3, "变更类型", "NOT_REGISTERED")]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
@pytest.mark.parametrize("delimiter", [",", "\t", ";"])
def test_a_text_file_is_read_as_it_is_saved(parts: Parts, tmp_path: Path, encoding: str, delimiter: str) -> None:
    path = a_csv(tmp_path / "a.csv", a_row(name="䶮示例"), encoding=encoding, delimiter=delimiter)

    taken_in(parts, path)

    assert subject_of(parts).name == "䶮示例"


def test_batches_meet_without_losing_or_doubling_anybody(
    parts: Parts, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(read_rows, "BATCH", 3)
    rows = [a_row(2 * at + 1, household_no="0001") for at in range(20)]
    again = [row | {"insurance": "居民养老"} for row in rows]
    mixed = [row for pair in zip(rows, again, strict=True) for row in pair]

    result, _ = taken_in(parts, a_csv(tmp_path / "a.csv", *mixed))

    assert (result.added, one(parts, "select count(*) from person")) == (40, 20)
    assert one(parts, "select count(*) from household") == 1 and one(parts, "select count(*) from enrolment") == 40


def test_two_imports_do_not_run_at_once(parts: Parts, tmp_path: Path) -> None:
    path = a_csv(tmp_path / "a.csv", a_row())

    with parts.engine.connect() as other:
        other.execute(text("select pg_advisory_xact_lock(hashtext('registry import'))"))
        with pytest.raises(ImportUnderWay):
            taken_in(parts, path)


def test_nothing_clear_stands_in_the_database(parts: Parts, tmp_path: Path) -> None:
    row = a_row(mobile="13900000001", name="欧阳示例")
    path = a_csv(tmp_path / "a.csv", row)
    taken_in(parts, path)
    secret = [str(row["id_number"]), "欧阳示例", "13900000001"]

    with parts.engine.connect() as connection:
        columns = connection.execute(
            text(
                "select table_name, column_name, data_type from information_schema.columns"
                " where table_schema = 'public' and data_type in ('text', 'bytea', 'jsonb', 'ARRAY')"
            )
        ).all()
        found = [
            (table, column)
            for table, column, kind in columns
            for (value,) in connection.execute(text(f'select "{column}" from "{table}"'))
            if value is not None
            for word in secret
            if (word.encode() in bytes(value) if kind == "bytea" else word in str(value))
        ]

    assert len(columns) > 20 and found == []


def test_of_five_thousand_rows_exactly_the_bad_ones_are_told(parts: Parts, tmp_path: Path) -> None:
    path = tmp_path / "sample.csv"
    expected, bad = write_sample(path, 5_000, bad_percent=1)
    told = tmp_path / "told.csv"

    with FailureFile(told) as file:
        result, _ = taken_in(parts, path), None
        for failure in result[1]:
            file.add(failure)

    assert result[0].refused == bad > 30
    assert told.read_bytes() == expected.read_bytes()


def test_a_workbook_fares_like_a_text_file_and_other_sheets_are_named(parts: Parts, tmp_path: Path) -> None:
    path = tmp_path / "sample.xlsx"
    expected, bad = write_sample(path, 600, bad_percent=10)

    result, failures = taken_in(parts, path, good_rows=True)

    with expected.open(encoding="utf-8-sig", newline="") as file:
        told = [(line["工作表"], int(line["行号"]), line["代码"], line["原因"]) for line in csv.DictReader(file)]
    assert result.refused == bad
    assert [(failure.table, failure.row, failure.code, failure.reason) for failure in failures] == told


HEADER = ["姓名", "身份证号", "户籍情况", "生存状态", "险种", "参保状态", "村居代码", "户号", "备注"]


def a_line(sequence: int, **spoilt: object) -> list[object]:
    row = a_row(sequence, **spoilt)
    return [*(row[field] for field in NEEDED), "备注不读"]


def test_every_sheet_with_the_header_is_read_below_its_title_and_others_are_named(parts: Parts, tmp_path: Path) -> None:
    sheets = {
        "甲": [["峄城区参保登记表"], [], HEADER, a_line(1)],
        "说明": [["这里只有说明"]],
        "乙": [HEADER, a_line(3), [], a_line(5, village_code=370404103901.0, household_no=7)],
    }

    result, failures = taken_in(parts, an_xlsx(tmp_path / "a.xlsx", sheets))

    assert (result.added, result.skipped, failures) == (3, ("说明",), [])
    assert subject_of(parts, 5).household_number == "7"


def test_one_sheet_can_be_chosen_and_a_wrong_choice_is_told(parts: Parts, tmp_path: Path) -> None:
    path = an_xlsx(tmp_path / "a.xlsx", {"甲": [HEADER, a_line(1)], "乙": [HEADER, a_line(3)]})

    result, _ = taken_in(parts, path, sheet="乙")

    assert result.added == 1 and subject_of(parts, 1) is None
    with pytest.raises(BadFile) as refused:
        taken_in(parts, an_xlsx(tmp_path / "b.xlsx", {"甲": [HEADER, a_line(5)]}), sheet="丙")
    assert "丙" in refused.value.sentence() and "甲" in refused.value.sentence()


def test_rows_are_numbered_as_the_sheet_shows_them(parts: Parts, tmp_path: Path) -> None:
    number_typed = a_line(3, id_number=int(an_id_number(sequence=9)[:17] + "0"))
    sheets = {"甲": [["题目"], [], HEADER, a_line(1), [], number_typed, a_line(5, household_no="")]}

    _, failures = taken_in(parts, an_xlsx(tmp_path / "a.xlsx", sheets))

    assert [(failure.table, failure.row, failure.code) for failure in failures] == [
        ("甲", 6, "ID_AS_NUMBER"),
        ("甲", 7, "EMPTY"),
    ]


def test_a_quoted_line_break_does_not_shift_the_numbers(parts: Parts, tmp_path: Path) -> None:
    path = a_csv(tmp_path / "a.csv", a_row(1), a_row(3, relation_to_head="户\n主"), a_row(5, mobile="1"))

    _, failures = taken_in(parts, path)

    assert codes(failures) == [(3, "", "LINE_BREAK"), (4, "手机号", "PHONE_SHAPE")]


@pytest.mark.parametrize(
    ("header", "words"),
    [
        (HEADER[1:], ["缺少", "姓名"]),
        ([*HEADER[:-1], "血型"], ["不认识", "血型"]),
        ([*HEADER, "姓名"], ["重复", "姓名"]),
        (["甲", "乙"], ["缺少", "身份证号", "不认识", "甲"]),
    ],
)
def test_a_wrong_header_is_refused_by_name(parts: Parts, tmp_path: Path, header: list[str], words: list[str]) -> None:
    path = tmp_path / "a.csv"
    path.write_text(",".join(header) + "\n")

    with pytest.raises(BadHeader) as refused:
        taken_in(parts, path)

    assert all(word in refused.value.sentence() for word in words)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("姓名,身份证号\n张示例".encode() + b"\n\xff\xff\n", "第3行"),
        (b"PK\x03\x04 this is no workbook", "Excel"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1 nor is this", "Excel"),
        ("姓名,\0".encode(), "空字符"),
        (",".join(HEADER).encode(), "一行也没有"),
    ],
)
def test_what_cannot_be_read_is_refused_with_the_reason(
    parts: Parts, tmp_path: Path, content: bytes, words: str
) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(content)

    with pytest.raises(BadFile) as refused:
        taken_in(parts, path)

    assert words in refused.value.sentence()
