"""A department's spreadsheet in its own layout is read as people see it; what a cell gets wrong is said of its row."""

from datetime import date
from pathlib import Path

import pytest
import xlsxwriter

from app.registry.helped_list import HelpedList
from app.registry.helped_row import BOTH, Reading, read_line
from app.registry.workbook import BadFile
from tests.app.helped.papers import HEAD, a_line, a_list, born
from tests.app.registry.files import an_xlsx
from tests.builders import an_id_number

TODAY = date(2021, 11, 5)
NUMBER = an_id_number(sequence=7)


def read(path: Path, columns=None, **how):
    held = HelpedList(path, columns or {})
    reading = Reading(today=TODAY, insurances=("RES_MEDICAL",), **how)
    return held, [row for line in held.lines() for row in read_line(line, reading)]


def test_the_header_in_row_four_and_the_sum_at_the_foot_are_nobody(tmp_path):
    held, rows = read(a_list(tmp_path / "a.xlsx", a_line(7), a_line(9)))

    assert [(row.place, row.name, row.codes, row.code) for row in rows] == [
        ("“名单”第5行", "张示例", ("DIBAO",), None),
        ("“名单”第6行", "张示例", ("DIBAO",), None),
    ]
    assert held.ignored == ["“名单”第7行（合计）"]


@pytest.mark.parametrize(
    ("spoilt", "code"),
    [
        ({"number": 370499198603140070.0}, "ID_AS_NUMBER"),
        ({"number": NUMBER[:17] + ("1" if NUMBER[17] != "1" else "2")}, "ID_CHECKSUM"),
        ({"number": f"　{NUMBER} ".translate(str.maketrans("0123456789", "０１２３４５６７８９"))}, None),
        ({"number": f"'{NUMBER}"}, None),
        ({"number": f"{NUMBER}、{an_id_number(sequence=9)}"}, "ID_LENGTH"),
        ({"number": "370499860314007"}, "ID_15"),
        ({"number": ""}, "EMPTY"),
        ({"name": " 张 示 例 "}, None),
        ({"name": "张示例、李示例"}, "NAME_SEVERAL"),
        ({"word": "不知道什么"}, "CATEGORY_UNKNOWN"),
        ({"word": ""}, "CATEGORY_UNKNOWN"),
        ({"word": "残疾人", "grade": ""}, "CATEGORY_UNKNOWN"),
        ({"until": "2021.11.4"}, "EXPIRED"),
        ({"until": "2021年11月5日"}, None),
        ({"until": "长期"}, None),
        ({"until": "不清楚"}, "DATE_SHAPE"),
        ({"insurance": "商业保险"}, "INSURANCE_UNKNOWN"),
    ],
)
def test_what_a_cell_may_look_like_and_what_it_may_not(tmp_path, spoilt, code):
    _, [row] = read(a_list(tmp_path / "a.xlsx", a_line(**spoilt)))

    assert (row.code, row.id_number == NUMBER) == (code, "number" not in spoilt or code is None)


@pytest.mark.parametrize(
    ("word", "grade", "codes"),
    [
        ("重度残疾人", "一级", ("DIS1",)),
        ("残疾", "肢体二级", ("DIS2",)),
        ("残疾人", f"{NUMBER}42", ("DIS2",)),
        ("残疾人（三级）", "", ("DIS3",)),
        ("残疾人", f"{NUMBER}31B1", ("DIS1",)),
        ("低保、孤儿", "", ("DIBAO", "ORPHAN")),
        ("建档立卡户", "", ("POVERTY",)),
    ],
)
def test_a_grade_stands_beside_its_word_or_in_the_certificates_number(tmp_path, word, grade, codes):
    _, [row] = read(a_list(tmp_path / "a.xlsx", a_line(word=word, grade=grade)))

    assert (row.code, row.codes) == (None, codes)


def test_a_line_for_both_insurances_is_two_rows_and_one_that_names_none_is_the_lists(tmp_path):
    _, rows = read(a_list(tmp_path / "a.xlsx", a_line(insurance="养老、医疗"), a_line(9, insurance="")))

    assert [(row.place[-3:], row.insurance) for row in rows] == [
        ("第5行", "RES_PENSION"),
        ("第5行", "RES_MEDICAL"),
        ("第6行", "RES_MEDICAL"),
    ]
    assert set(BOTH) == {"RES_PENSION", "RES_MEDICAL"}


def test_columns_that_nobody_knows_are_pointed_at_and_so_are_words(tmp_path):
    """The department calls everything otherwise; the row above the first person is its header."""
    lines = [
        ["困难群众花名册"],
        ["编码", "谁", "号", "哪一种"],
        [1, "张示例", NUMBER, "甲类"],
        [2, "张示例", "", "甲类"],
    ]
    path = an_xlsx(tmp_path / "a.xlsx", {"一": lines, "填表说明": [["每年十月报"]]})
    held, rows = read(path)
    assert (rows[0].code, held.skipped) == ("EMPTY", ["填表说明"])

    columns = {"谁": "name", "号": "id_number", "哪一种": "category", "编码": "remark"}
    _, [known, missing] = read(path, columns, words={"甲类": "TEKUN"})

    assert (known.name, known.id_number, known.codes, known.code) == ("张示例", NUMBER, ("TEKUN",), None)
    assert (missing.place, missing.code) == ("“一”第4行", "EMPTY")


def test_a_merged_cell_speaks_for_the_rows_below_it(tmp_path):
    with xlsxwriter.Workbook(str(tmp_path / "a.xlsx")) as book:
        sheet = book.add_worksheet("名单")
        sheet.merge_range("A1:D1", "名单")
        sheet.write_row("A2", ["姓名", "身份证号", "人员类别", "镇街"])
        sheet.merge_range("C3:C4", "低保户")
        sheet.merge_range("D3:D5", "榴园镇")
        for at, sequence in enumerate((7, 9, 11), 2):
            sheet.write(at, 0, "张示例")
            sheet.write(at, 1, an_id_number(sequence=sequence))
        sheet.write("C5", "孤儿")

    _, rows = read(tmp_path / "a.xlsx")

    assert [(row.codes, row.town) for row in rows] == [
        (("DIBAO",), "榴园镇"),
        (("DIBAO",), "榴园镇"),
        (("ORPHAN",), "榴园镇"),
    ]


def test_two_header_rows_hidden_sheets_and_a_second_sheet_of_another_layout(tmp_path):
    with xlsxwriter.Workbook(str(tmp_path / "a.xlsx")) as book:
        first, second, hidden = (book.add_worksheet(name) for name in ("一", "二", "旧"))
        first.write_row("A1", ["基本情况", "", "认定"])
        first.write_row("A2", ["姓名", "身份证号码", "类别"])
        first.write_row("A3", ["张示例", NUMBER, "低保"])
        second.write_row("A1", ["身份证号", "姓名", "人员类别", "备注"])
        second.write_row("A2", [born(40, 9).lower(), "王示例", "孤儿", ""])
        hidden.write_row("A1", ["姓名", "身份证号", "类别"])
        hidden.hide()

    held, rows = read(tmp_path / "a.xlsx")

    assert [(row.place, row.name, row.codes) for row in rows] == [
        ("“一”第3行", "张示例", ("DIBAO",)),
        ("“二”第2行", "王示例", ("ORPHAN",)),
    ]
    assert held.source.unseen == ["旧"]


def test_a_text_file_is_a_list_too_and_one_without_people_is_none(tmp_path):
    text = "\t".join(HEAD) + "\n" + "\t".join(map(str, a_line())) + "\n"
    (tmp_path / "a.txt").write_bytes(text.encode("utf-16"))
    _, [row] = read(tmp_path / "a.txt")
    assert (row.place, row.code) == ("第2行", None)

    with pytest.raises(BadFile):
        read(an_xlsx(tmp_path / "b.xlsx", {"说明": [["每年十月报"]]}))
