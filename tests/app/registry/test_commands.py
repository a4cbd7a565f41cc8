"""What the operator sees: counts in Chinese, a failure file, and an exit status a script can trust."""

import re
from pathlib import Path
from types import SimpleNamespace
from zipfile import ZipFile

import pytest
from flask import Flask
from flask.testing import FlaskCliRunner
from sqlalchemy import text

from app.cli.registry import registry
from app.flows.parts import Parts
from app.registry.columns import FIELDS
from tests.app.registry.files import a_csv, a_row


@pytest.fixture
def shell(parts: Parts) -> FlaskCliRunner:
    app = Flask("test")
    app.extensions["joined"] = SimpleNamespace(parts=parts, office=parts)
    app.extensions["settings"] = SimpleNamespace(is_sandbox=True)
    app.cli.add_command(registry)
    return app.test_cli_runner()


def test_an_import_says_what_it_did(shell: FlaskCliRunner, tmp_path: Path) -> None:
    path = a_csv(tmp_path / "a.csv", a_row(1), a_row(3))

    first = shell.invoke(args=["registry", "import", str(path)])
    again = shell.invoke(args=["registry", "import", str(path)])

    assert first.exit_code == again.exit_code == 0
    assert "读入 2，新增 2，变更 0，相同 0，退回 0" in first.output
    assert "导入过，没有改动" in again.output


def test_a_refused_file_ends_with_status_one_and_a_failure_file(shell: FlaskCliRunner, tmp_path: Path) -> None:
    path, told = a_csv(tmp_path / "a.csv", a_row(1), a_row(3, mobile="1")), tmp_path / "told.csv"

    refused = shell.invoke(args=["registry", "import", str(path), "--failures", str(told)])
    by_choice = shell.invoke(args=["registry", "import", str(path), "--good-rows"])

    assert refused.exit_code == 1 and "什么都没有导入" in refused.output and "--good-rows" in refused.output
    assert "PHONE_SHAPE" in told.read_text(encoding="utf-8-sig")
    assert by_choice.exit_code == 0 and "新增 1" in by_choice.output and "第3行 手机号" in by_choice.output


def test_a_file_that_is_none_is_told_in_a_sentence(shell: FlaskCliRunner, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("甲,乙\n1,2\n")

    result = shell.invoke(args=["registry", "import", str(tmp_path / "a.csv")])

    assert result.exit_code == 1 and "表头不对" in result.output and "Traceback" not in result.output


def test_a_sample_can_be_made_and_brought_in(shell: FlaskCliRunner, tmp_path: Path) -> None:
    path = tmp_path / "sample.csv"

    places = shell.invoke(args=["registry", "places"])
    made = shell.invoke(args=["registry", "sample", str(path), "--people", "100", "--bad", "0"])
    taken = shell.invoke(args=["registry", "import", str(path)])

    assert places.exit_code == made.exit_code == taken.exit_code == 0
    assert "7 个镇街" in places.output and "新增 100" in taken.output


def test_a_place_gets_another_name_only_if_that_is_said(shell: FlaskCliRunner, parts: Parts, tmp_path: Path) -> None:
    file = tmp_path / "places.csv"
    head, row = "镇街代码,镇街名称,村居代码,村居名称", "370499777,东示例街道,370499777001,柳泉村"
    moved = (
        "370499777,柳泉村,370499777001,东示例街道\n370499777,柳泉村,370499777002,槐岭村"  # two columns changed places
    )

    def places(rows: str, *more: str) -> tuple[int, str, list[str]]:
        file.write_text(f"{head}\n{rows}\n", encoding="utf-8")
        done = shell.invoke(args=["registry", "places", str(file), *more])
        return done.exit_code, done.output, names(parts)

    assert places(row)[::2] == (0, ["东示例街道", "柳泉村"])
    assert places(row)[::2] == (0, ["东示例街道", "柳泉村"])
    status, told, now = places(moved)
    assert (status, now) == (1, ["东示例街道", "柳泉村"]), "not even the new village is taken"
    assert "370499777 东示例街道→柳泉村" in told and "370499777001 柳泉村→东示例街道" in told and "--rename" in told
    assert places(moved, "--rename")[::2] == (0, ["柳泉村", "东示例街道", "槐岭村"])


def names(parts: Parts) -> list[str]:
    query = "select name from (select code, name from town union select code, name from village) place"
    with parts.engine.connect() as connection:
        return list(connection.execute(text(f"{query} where starts_with(code, '370499777') order by code")).scalars())


def test_a_file_that_others_have_overtaken_ends_with_status_one_and_a_way_on(
    shell: FlaskCliRunner, tmp_path: Path
) -> None:
    """R8: A, B, A ended with status 0 although the register stood at B."""
    a = str(a_csv(tmp_path / "a.csv", a_row(1, last_tier="300"), a_row(3)))
    b = str(a_csv(tmp_path / "b.csv", a_row(1, last_tier="500"), a_row(3)))

    told = [shell.invoke(args=["registry", "import", *words]) for words in ((a,), (b,), (a,), (a, "--again"), (a,))]

    assert [each.exit_code for each in told] == [0, 0, 1, 0, 0]
    assert "有 1 行与现在的登记不同" in told[2].output and "--again" in told[2].output
    assert "变更 1，相同 1" in told[3].output and "没有改动" in told[4].output


def test_what_was_ignored_is_named_aloud(shell: FlaskCliRunner, tmp_path: Path) -> None:
    """R9: a sum is nobody, and said to be."""
    path = a_csv(tmp_path / "a.csv", a_row(1))
    path.write_text(path.read_text(encoding="utf-8") + "合计,,,1人\r\n", encoding="utf-8")

    result = shell.invoke(args=["registry", "import", str(path)])

    assert result.exit_code == 0 and "第3行（合计）" in result.output and "读入 1，新增 1" in result.output


def test_an_empty_file_to_fill_in_is_read_once_it_is_filled_in(shell: FlaskCliRunner, tmp_path: Path) -> None:
    """Its cells are text: a number typed there keeps its last digits. What stands there is not overwritten."""
    empty, book = tmp_path / "empty.csv", tmp_path / "empty.xlsx"
    for file in (empty, book):
        assert shell.invoke(args=["registry", "template", str(file)]).exit_code == 0
    filled = a_csv(tmp_path / "filled.csv", a_row(1))

    row = filled.read_text(encoding="utf-8").splitlines()[1]
    empty.write_text(empty.read_text(encoding="utf-8-sig") + row + "\n", encoding="utf-8-sig")
    again = shell.invoke(args=["registry", "template", str(empty)])
    taken = shell.invoke(args=["registry", "import", str(empty)])

    assert again.exit_code == 1 and "已经有了" in again.output
    assert taken.exit_code == 0 and "新增 1" in taken.output
    with ZipFile(book) as parts:
        sheet, styles = (parts.read(f"xl/{name}.xml").decode() for name in ("worksheets/sheet1", "styles"))
    style = re.search(rf'<col min="1" max="{len(FIELDS)}" [^>]*style="(\d+)"', sheet)[1]
    formats = re.findall(r'numFmtId="(\d+)"', styles.partition("<cellXfs")[2])
    assert formats[int(style)] == "49", "text, as Excel counts its formats"
