"""Slips whose number comes again, a clock that a torn paper sets back, pages of whoever paid in cash."""

from sqlalchemy import text

from app.flows.custody import remit
from app.flows.prove.check import NoSuchCode, _receipt
from core.errors import AppError
from core.redact import RESTRICTED
from tests.app.custody.test_dishonest import account
from tests.app.custody.test_take import FIRST, bank
from tests.refunding import balances


def test_a_slips_number_that_comes_again_on_another_day_is_of_the_batch_that_waits(running, village):
    other = village.an_agent("agent02")
    village.take()
    remit.remit(running.parts, FIRST, 32000, slip="7788", photo=None, by=village.agent)
    bank(running, ("K1", "320", "7788"))
    village.take(village.others[0], key="of-the-other", by=other)
    remit.remit(running.parts, FIRST + 1, 32000, slip="7788", photo=None, by=other)
    bank(running, ("K2", "320", "7788"))
    assert balances(running).get(account(other), 0) == 0, balances(running)


def test_whoever_paid_in_cash_sees_it_and_can_ask_for_it_back(running, village, district, browser):
    village.take()
    browser.look_up(district.adult.name, district.adult.id_number)
    for path in ("/paid", "/history", "/"):
        page = browser.get(path)
        assert page.status == 200, path
    assert "居民医保" in browser.get("/paid").text


def test_who_was_erased_is_not_told_as_erased_to_whoever_has_his_paper(running, village, superuser):
    village.take()
    code = running.one("select code from receipt").code
    with superuser.begin() as connection:
        connection.execute(text("set local session_replication_role = replica"))
        connection.execute(
            text("update person set restricted_at = now() where id = :p"), {"p": village.district.adult.id}
        )
    with running.parts.engine.connect() as connection:
        try:
            found = _receipt(running.parts, connection, code)
        except NoSuchCode:
            return
    assert RESTRICTED not in str(found)


def test_an_agent_who_was_ended_this_moment_is_refused_with_words(running, village):
    with running.office.engine.begin() as office:
        office.execute(text("update agent set active = false where id = :a"), {"a": village.agent.agent.id})
    try:
        village.take()
    except AppError:
        return
