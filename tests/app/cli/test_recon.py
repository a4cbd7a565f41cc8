"""The commands of the tax clerk: compare, take files in, end differences, close a day, prove its paper."""

import re

import pytest

from app.flows.reconcile.import_outside import import_outside
from payments.reconcile.outside_files import KINDS, read
from tests.app.web.conftest import far_folder, running
from tests.days import DAY, MORNING, book, keep, line, paid
from tests.house.tree import ROOT

__all__ = ["far_folder", "running"]
PAGE = (ROOT / "docs" / "reconcile.md").read_text(encoding="utf-8")
EXAMPLES = dict(re.findall(r"^### (\w+): .*?^```\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE))


@pytest.fixture
def day(running):
    words = paid(running, "wechat", 3)
    book(running, words)
    running.turn(MORNING)
    return words


def run(running, *words):
    done = running.app.test_cli_runner().invoke(args=["recon", *words])
    return done.exit_code, done.output


def test_the_manual_has_an_example_of_every_kind_of_file():
    assert set(EXAMPLES) == set(KINDS)
    for kind, example in EXAMPLES.items():
        file = read(kind, example.encode())
        assert file.rows and file.digest == read(kind, example.encode()).digest
        assert read(kind, example.encode("gbk")).rows == file.rows
        for column in KINDS[kind]:
            assert all(heading in PAGE for heading in column.headings if re.search(r"[\u4e00-\u9fff]", heading))


def test_a_day_from_the_list_to_the_paper(running, day, tmp_path):
    keep(running, "wechat", [line(word) for word in day[1:]])

    assert run(running, "run") == (0, "核对了 1 份对账单\n")
    assert run(running, "run", "wechat", str(DAY)) == (0, "按对账单补记 0 笔，未处理差异 1 条\n")
    code, said = run(running, "show", str(DAY))
    assert code == 0 and "我们有，对方没有" in said and "未日结" in said
    key = re.search(r"#(\d+)", said)[1]
    assert run(running, "close", str(DAY), "--by", "clerk01")[0] == 1, "something is open"
    assert run(running, "clear", key, "--remedy", "book", "--reason", "渠道没有", "--by", "clerk01") == (0, "待复核\n")
    assert run(running, "confirm", key, "--agree", "--by", "clerk01")[0] == 1, "not the same person"
    assert run(running, "confirm", key, "--agree", "--by", "lead01") == (0, "已入账\n")
    assert run(running, "close", str(DAY), "--by", "clerk01") == (0, "已日结\n")
    assert run(running, "close", str(DAY), "--by", "clerk01") == (0, "以前已经日结\n")

    assert run(running, "certificate", str(DAY), "--out", str(tmp_path))[0] == 0
    paper = tmp_path / f"rijie-{DAY:%Y%m%d}.json"
    assert paper.with_suffix(".pdf").read_bytes().startswith(b"%PDF")
    assert run(running, "verify-certificate", str(paper))[0] == 0
    assert run(running, "verify-certificate", "--day", str(DAY))[0] == 0
    paper.write_text(paper.read_text(encoding="utf-8").replace("clerk01", "clerk02"), encoding="utf-8")
    assert run(running, "verify-certificate", str(paper)) == (1, "✗ 签名不对，内容被改过\n")
    paper.write_text("{}", encoding="utf-8")
    assert run(running, "verify-certificate", str(paper))[0] == 1


def test_a_day_with_exceptions_takes_two(running, day):
    assert run(running, "close", str(DAY), "--with-exceptions", "--by", "clerk01")[1].startswith("已申请带 1 项")
    assert run(running, "close", str(DAY), "--confirm", "--by", "clerk01")[0] == 1
    assert run(running, "close", str(DAY), "--confirm", "--by", "lead01") == (0, "已日结\n")


def test_a_file_is_taken_once(running, tmp_path):
    file = tmp_path / "bank.csv"
    file.write_text(EXAMPLES["bank"], encoding="utf-8")
    running.turn(MORNING)

    assert run(running, "import", "bank", str(file), "--by", "clerk01")[1].startswith("导入 2 行，共 2239.94 元")
    assert run(running, "import", "bank", str(file), "--by", "clerk01") == (0, "这个文件以前导入过，没有改变\n")
    assert not import_outside(running.parts, "bank", file.read_bytes(), by="staff:clerk01").taken
    assert run(running, "certificate", str(DAY))[0] == 1, "not closed"
