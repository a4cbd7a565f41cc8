"""The operator makes the offices' accounts from a list: looked at, made whole, a slip for each."""

import pytest
from sqlalchemy import text

from tests.app.registry.files import an_xlsx
from tests.builders import a_village

HEAD = ("序号", "姓名", "账号", "角色", "镇（街）", "部门")
GOOD = (
    ("1", "王经办", "Tax01", "税务经办", "", ""),
    ("2", "李窗口", "hall01", "counter", "示例镇", ""),
    ("3", "赵民政", "civil01", "帮扶部门", "", "civil"),
)
BAD = (
    ("4", "", "tax02", "税务经办", "", ""),
    ("5", "钱经办", "王", "税务经办", "", ""),
    ("6", "钱经办", "tax03", "局长", "", ""),
    ("7", "钱经办", "town01", "镇街经办", "", ""),
    ("8", "钱经办", "town02", "镇街经办", "没有镇", ""),
    ("9", "钱经办", "tax04", "税务经办", "示例镇", ""),
    ("10", "钱经办", "help01", "帮扶部门", "", "没有部门"),
    ("11", "孙经办", "tax01", "审计", "", ""),
)


@pytest.fixture
def command(running):
    running.write(a_village)
    runner = running.app.test_cli_runner()
    return lambda *words: runner.invoke(args=["staff", *(str(word) for word in words)])


def test_a_list_is_looked_at_and_made_whole_with_a_slip_for_each(command, running, tmp_path):
    town = running.one("select name from town")[0]
    lines = [tuple(town if cell == "示例镇" else cell for cell in line) for line in (*GOOD, *BAD)]
    path = an_xlsx(tmp_path / "人员.xlsx", {"名单": [["某区办公人员"], HEAD, *lines]})

    said = command("bring", path)

    assert said.exit_code == 0 and "可以建 3 个，已经有 0 个，不能建 8 个" in said.output
    codes = ("NAME", "LOGIN_SHAPE", "ROLE_UNKNOWN", "TOWN_MISSING", "TOWN_UNKNOWN", "TOWN_NOT", "DEPARTMENT_UNKNOWN",
             "LOGIN_TWICE")  # fmt: skip
    assert [code for code in codes if f"（{code}）" not in said.output] == []
    assert running.one("select count(*) from staff")[0] == 0

    slips = tmp_path / "slips.pdf"
    made = command("bring", path, "--take", slips)

    assert made.exit_code == 0 and "建好了 3 个" in made.output and slips.stat().st_mode & 0o077 == 0
    drawn = slips.read_bytes()
    assert drawn.startswith(b"%PDF")
    with running.office.engine.connect() as connection:
        staff = connection.execute(
            text("select login, role, towns, departments, given, second from staff order by 1")
        ).all()
    assert [(one.login, one.role, len(one.towns), list(one.departments), one.given) for one in staff] == [
        ("civil01", "department", 0, ["civil"], True),
        ("hall01", "counter", 1, [], True),
        ("tax01", "tax_clerk", 0, [], True),
    ]
    assert all(one.second for one in staff)
    assert command("bring", path, "--take", slips).exit_code != 0, "a slip is not written over"
    again = command("bring", path, "--take", tmp_path / "none.pdf")
    assert again.exit_code == 1 and "建好了 0 个，已经有 3 个" in again.output and not (tmp_path / "none.pdf").exists()


def test_a_file_that_is_no_list_is_told(command, tmp_path):
    path = an_xlsx(tmp_path / "别的.xlsx", {"名单": [["姓名", "电话"], ["王", "1"]]})
    said = command("bring", path, "--take", tmp_path / "slips.pdf")
    assert said.exit_code != 0 and "“账号”" in said.output and not (tmp_path / "slips.pdf").exists()
