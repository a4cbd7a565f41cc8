"""A password alone lets nobody in: the code of this half minute, once; or a recovery code, once."""

from datetime import timedelta

import pytest

from app.access import second
from app.access.models import Agent, Staff
from app.access.roles import Role
from app.flows.enter.accounts import add_staff
from app.flows.enter.second import code_of_now, issue_second
from app.flows.enter.session import Tried, WrongLogin, log_in, log_in_staff, visitor_of
from core.clock import utc_now
from tests.system import second_code

PASSWORD = "correct horse battery"


def enter(running, login="wang", code="", password=PASSWORD):
    return log_in(running.parts, Tried(login=login, password=password, code=code, network="here"), former=None)


def test_the_code_of_now_lets_in_once(running, an_agent):
    code = second_code(running.url, "wang")

    assert visitor_of(running.parts, enter(running, code=code).token).agent.login == "wang"
    with pytest.raises(WrongLogin):
        enter(running, code=code)


@pytest.mark.parametrize("code", ["", "000000", "12345", "abcdef", "１２３４５６", "0" * 500])
def test_no_other_code_does(running, an_agent, code):
    issued = issue_second(running.office, Agent, login="wang")
    while second.step_of(issued.secret, code, now=utc_now()) is not None:
        issued = issue_second(running.office, Agent, login="wang")
    with pytest.raises(WrongLogin):
        enter(running, code=code)


def test_a_neighbouring_step_is_forgiven_and_an_older_one_is_not(running, an_agent):
    issued = issue_second(running.office, Agent, login="wang")
    now = utc_now()
    step = int(now.timestamp()) // second.STEP_S

    assert second.step_of(issued.secret, second.code_at(issued.secret, step - 1), now=now) == step - 1
    assert second.step_of(issued.secret, second.code_at(issued.secret, step + 1), now=now) == step + 1
    assert second.step_of(issued.secret, second.code_at(issued.secret, step - 2), now=now) is None
    assert second.step_of(issued.secret, second.code_at(issued.secret, step), now=now + timedelta(minutes=2)) is None


def test_a_recovery_code_works_once_however_it_is_typed(running, an_agent):
    issued = issue_second(running.office, Agent, login="wang")
    typed = f" {issued.recovery[3].upper().replace('-', ' ')} "

    assert enter(running, code=typed)
    with pytest.raises(WrongLogin):
        enter(running, code=issued.recovery[3])
    assert enter(running, code=issued.recovery[4])


def test_an_account_without_a_second_factor_lets_nobody_in(running, an_agent):
    with pytest.raises(WrongLogin):
        enter(running, code="123456")


def test_anothers_code_is_worth_nothing(running, an_agent):
    add_staff(running.office, login="wang", name="示例", role=Role.TAX_CLERK, password=PASSWORD)
    second_code(running.url, "wang")
    issue_second(running.office, Staff, login="wang")
    theirs = code_of_now(running.parts, Staff, login="wang")

    with pytest.raises(WrongLogin):
        enter(running, code=theirs)
    assert log_in_staff(running.parts, Tried(login="wang", password=PASSWORD, code=theirs, network="here"), former=None)


def test_a_new_factor_ends_the_old_one_and_every_session(running, an_agent):
    first = issue_second(running.office, Agent, login="wang")
    token = enter(running, code=code_of_now(running.parts, Agent, login="wang")).token

    issue_second(running.office, Agent, login="wang")

    assert visitor_of(running.parts, token) is None
    with pytest.raises(WrongLogin):
        enter(running, code=first.recovery[0])


def test_nothing_of_it_stands_in_clear(running, an_agent):
    issued = issue_second(running.office, Agent, login="wang")
    row = running.one("select second, recovery from agent where login = 'wang'")

    assert issued.secret.encode() not in bytes(row.second)
    assert len(row.recovery) == second.RECOVERY_CODES == len(set(issued.recovery))
    assert all(code.replace("-", "").encode() not in bytes(kept) for kept in row.recovery for code in issued.recovery)
