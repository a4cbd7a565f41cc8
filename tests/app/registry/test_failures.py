"""The failure file tells where and why, gives nobody away, and is safe to open in a spreadsheet."""

import csv
import zipfile
from pathlib import Path

import pytest
from python_calamine import CalamineWorkbook

from app.flows.parts import Parts
from app.registry import sheet
from app.registry.failures import HEAD, FailureFile, safe_cell
from tests.app.registry.files import a_csv, a_row, taken_in

FORMULAS = ["=HYPERLINK(1)", "+1", "-1", "@SUM(A1)", "\tx", "\rx", "＝1+1"]


@pytest.mark.parametrize("text", FORMULAS)
def test_what_a_spreadsheet_would_reckon_gets_a_quote_in_front(text: str) -> None:
    assert safe_cell(text) == "'" + text
    assert safe_cell("x" + text) == "x" + text


def test_formulas_from_a_row_come_back_as_text(parts: Parts, tmp_path: Path) -> None:
    row = a_row(household_no="=1+1", name="=cmd()", mobile="1")
    _, failures = taken_in(parts, a_csv(tmp_path / "a.csv", row))

    for path in (tmp_path / "told.csv", tmp_path / "told.xlsx"):
        with FailureFile(path) as file:
            for failure in failures:
                file.add(failure)

    with (tmp_path / "told.csv").open(encoding="utf-8-sig", newline="") as file:
        lines = list(csv.DictReader(file))
    assert lines and all(line["户号"] == "'=1+1" and line["姓名"].startswith("'=") for line in lines)
    with zipfile.ZipFile(tmp_path / "told.xlsx") as packed:
        assert b"<f>" not in packed.read("xl/worksheets/sheet1.xml")
    told = CalamineWorkbook.from_path(str(tmp_path / "told.xlsx")).get_sheet_by_name("退回").to_python()
    assert told[0] == list(HEAD) and told[1][HEAD.index("户号")] == "=1+1"


def test_the_failure_file_gives_no_name_number_or_phone_away(parts: Parts, tmp_path: Path) -> None:
    row = a_row(name="欧阳示例", mobile="13800000000000", birth_date="1931-01-01", relation_to_head="邻居" * 20)
    _, failures = taken_in(parts, a_csv(tmp_path / "a.csv", row))

    with FailureFile(tmp_path / "told.csv") as file:
        for failure in failures:
            file.add(failure)

    told = (tmp_path / "told.csv").read_text(encoding="utf-8-sig")
    assert "欧阳*例" in told and f"3704**********{str(row['id_number'])[-4:]}" in told
    assert all(str(cell) not in told for cell in (row["id_number"], "欧阳示例", "13800000000", "1931", "邻居"))


def test_a_bomb_is_refused_before_it_is_unpacked(parts: Parts, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "bomb.xlsx"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("xl/worksheets/sheet1.xml", b"0" * (40 << 20))

    with pytest.raises(sheet.BadFile) as refused:
        taken_in(parts, path)

    assert "太大" in refused.value.sentence()
