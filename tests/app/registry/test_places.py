"""A district's towns and villages come from a file, whole or not at all, and each wrong row is named."""

from pathlib import Path

import pytest
import xlsxwriter

from app.registry.places import COLUMNS, read_places
from app.registry.workbook import BadFile

HEAD = ",".join(COLUMNS)
GOOD = ("370499001", "东示例街道", "370499001001", "柳泉村"), ("370499100", "西示例镇", "370499100001", "青溪村")


def test_villages_stand_in_their_towns(tmp_path: Path) -> None:
    file = tmp_path / "places.csv"
    file.write_text("\n".join([HEAD, *map(",".join, GOOD), ",,,"]), encoding="gb18030")

    found = read_places(file)

    assert found.towns == {"370499001": "东示例街道", "370499100": "西示例镇"}
    assert found.villages == [("370499001001", "柳泉村"), ("370499100001", "青溪村")]


def test_a_workbook_says_the_same(tmp_path: Path) -> None:
    file = tmp_path / "places.xlsx"
    with xlsxwriter.Workbook(file) as book:
        sheet = book.add_worksheet()
        for number, row in enumerate((COLUMNS, *GOOD)):
            sheet.write_row(number, 0, row)

    assert read_places(file).villages == [("370499001001", "柳泉村"), ("370499100001", "青溪村")]


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ("37049900,东示例街道,370499001001,柳泉村", "第3行：镇街代码不是9位"),
        ("370499001,东示例街道,370499100001,柳泉村", "第3行：村居代码不是以镇街代码开头"),
        ("370499001,,370499001002,柳泉村", "第3行：镇街名称、村居名称都要填"),
        ("370499001,别的名字,370499001002,槐岭村", "第3行：镇街370499001在上面叫“东示例街道”"),
        ("370499001,东示例街道,370499001001,槐岭村", "第3行：村居代码370499001001上面已经有了"),
    ],
)
def test_a_wrong_row_is_named_and_nothing_is_taken(tmp_path: Path, row: str, said: str) -> None:
    file = tmp_path / "places.csv"
    file.write_text("\n".join([HEAD, ",".join(GOOD[0]), row]), encoding="utf-8")

    with pytest.raises(BadFile) as refused:
        read_places(file)

    assert said in refused.value.sentence()


@pytest.mark.parametrize("text", ["", HEAD, "镇街代码,村居代码\n370499001,370499001001"])
def test_a_file_without_header_or_rows_is_refused(tmp_path: Path, text: str) -> None:
    file = tmp_path / "places.csv"
    file.write_text(text, encoding="utf-8")

    with pytest.raises(BadFile):
        read_places(file)
