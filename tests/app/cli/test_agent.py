"""The operator's commands for village agents."""

import re

import pytest

from app.access.passwords import hash_password, is_right
from tests.builders import a_village


@pytest.fixture
def command(running):
    running.write(a_village)
    runner = running.app.test_cli_runner()
    return lambda *words, **more: runner.invoke(args=["agent", *words], **more)


def test_an_agent_is_added_and_his_password_shown_once(command, running):
    said = command("add", "Wang", "--name", "王代办", "--village", "370404103901")

    password = re.search(r"password: (\S+)", said.output)[1]
    row = running.one("select login, name, password_hash from agent")
    assert said.exit_code == 0 and row.login == "wang"
    assert is_right(row.password_hash, password) and not is_right(row.password_hash, password + "x")
    assert row.password_hash.startswith("$argon2id$") and "王代办".encode() not in bytes(row.name)


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("add", "王", "--name", "王", "--village", "370404103901"), "账号只能用小写字母"),
        (("add", "wang", "--name", "王", "--village", "999999999999"), "没有这个村（居）代码"),
        (("disable", "nobody"), "没有这个代办员账号"),
        (("password", "nobody"), "没有这个代办员账号"),
    ],
)
def test_a_mistake_is_told(command, words, sentence):
    said = command(*words)
    assert said.exit_code != 0 and sentence in said.output


def test_a_login_belongs_to_one_agent(command):
    command("add", "wang", "--name", "王", "--village", "370404103901")
    assert "已经有人用了" in command("add", "WANG", "--name", "王", "--village", "370404103901").output


def test_a_typed_password_must_be_long(command):
    said = command("add", "wang", "--name", "王", "--village", "370404103901", "--ask", input="short\nshort\n")
    assert said.exit_code != 0 and "密码至少要10位" in said.output


@pytest.mark.parametrize("typed", ["1234567890", "wang20211105"])
def test_a_typed_password_must_be_one_that_nobody_guesses(command, typed):
    """D11."""
    said = command("add", "wang", "--name", "王", "--village", "370404103901", "--ask", input=f"{typed}\n{typed}\n")
    assert said.exit_code != 0 and "别人猜不到" in said.output


def test_what_an_operator_gives_out_is_good_for_one_login(command, running):
    """D11: the first password and each that follows; offices' too, and a sibling's own stays his own."""
    staff = running.app.test_cli_runner()
    command("add", "wang", "--name", "王", "--village", "370404103901")
    command("add", "sibling", "--name", "李", "--village", "370404103901")
    staff.invoke(args=["staff", "add", "clerk", "--name", "李", "--role", "tax_lead"])
    given = "select array(select given from agent order by login), array(select given from staff)"
    first = running.one(given)
    running.write(lambda c: c.exec_driver_sql("update agent set given = false"))
    running.write(lambda c: c.exec_driver_sql("update staff set given = false"))

    command("password", "wang")
    staff.invoke(args=["staff", "password", "clerk"])

    assert first == ([True, True], [True]) and running.one(given) == ([False, True], [True])


def test_disabled_and_changed(command, running):
    command("add", "wang", "--name", "王", "--village", "370404103901")
    before = running.one("select password_hash from agent").password_hash

    assert command("password", "wang").exit_code == 0
    assert command("disable", "wang").exit_code == 0

    row = running.one("select password_hash, active from agent")
    assert row.password_hash != before and row.active is False


def test_nobody_has_every_password():
    assert is_right(None, "nobody has this password") is False
    assert is_right(hash_password("right password"), "right password") is True
