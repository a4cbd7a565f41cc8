"""The bank takes a credit back, and what is too much goes through an office's hands."""

import re

from sqlalchemy import text

from app.access.roles import Role
from app.flows.custody import remit
from app.flows.pay.leave import give_way
from app.flows.refund.give_back import Account, ask_transfer, decide_transfer, pay_due
from app.flows.refund.steps import decide
from app.flows.suspense import solve
from payments.suspense.solve import Key
from payments.taking import find as find_money
from tests.app.custody.test_dishonest import account
from tests.app.custody.test_take import FIRST, bank, held
from tests.refunding import CLERK, LEAD, balances, rows, start, state


def test_a_slip_that_tax_struck_by_mistake_can_be_written_again(running, village):
    village.take()
    batch = remit.remit(running.parts, FIRST, 32000, slip="9911", photo=None, by=village.agent)
    assert remit.strike(running.parts, running.one("select id from cash_slip").id, by=village.clerk)
    remit.add_slip(running.parts, batch, slip="9911", photo=None, by=village.agent)
    bank(running, ("K1", "320", "9911"))
    assert balances(running).get(account(village.agent), 0) == 0


def test_a_village_that_is_switched_off_while_somebody_takes_breaks_no_truth(running, village):
    """The town's request began a second before the taking, and was written after it (INV-151)."""
    began = running.parts.clocks.now()
    village.take()
    asked = {
        "s": village.town.token_hash,
        "v": [village.district.village],
        "d": running.parts.clocks.today(),
        "at": running.parts.clocks.wall(),
        "now": began,
    }
    with running.parts.engine.begin() as connection:
        assert connection.execute(
            text("select officer_switches_cash(:s, :v, :d, false, :at, :now)"), asked
        ).scalar_one()
    off = "select 1 from receipt r where not cash_is_on(r.village_code,"
    off += " (r.issued_at at time zone 'Asia/Shanghai')::date, r.issued_at)"
    assert rows(running, off) == [], "INV-151 wakes somebody: the book is broken"


def test_cash_is_taken_for_what_a_code_was_left_for(running, village):
    code = start(running, *village.wants())
    with running.parts.engine.connect() as connection:
        row = find_money.payment(connection, code.number)
    give_way(running.parts, row, by="resident")
    assert running.one("select state from payment").state in ("left", "closed")

    village.take()

    assert held(running, village).held == 32000


def test_what_was_too_much_is_given_back_whichever_came_first(running, village):
    village.take()
    bank(running, ("K1", "330", "9911"))
    remit.remit(running.parts, FIRST, 32000, slip="9911", photo=None, by=village.agent)
    asked = solve.give_back(running.parts, Key(0, "deposit:K1:rest"), by=CLERK)
    assert asked.amount == 1000
    decide(running.parts, asked.number, approved=True, by=LEAD)
    pay_due(running.parts)
    ask_transfer(
        running.parts, asked.number, Account("insured", "王代办", "6217000012345678", "建设银行", "R-1"), by=CLERK
    )
    decide_transfer(running.parts, asked.number, agreed=True, by=LEAD)
    assert state(running, asked.number, "refund") == "paid"
    found = balances(running)
    assert (found["bank:pending"], found.get("suspense:bank", 0), found.get(account(village.agent), 0)) == (32000, 0, 0)


def test_offices_see_what_is_held_of_cash(running, village, desk, district):
    village.take()
    bank(running, ("K1", "330", "9911"), ("K2", "5", "9912"))
    remit.remit(running.parts, FIRST, 32000, slip="9911", photo=None, by=village.agent)
    clerk = desk("clerk01", Role.TAX_CLERK)
    lead = desk("lead01", Role.TAX_LEAD)
    day = running.parts.clocks.today()
    bad = {}
    for client in (clerk, lead):
        for path in (
            "/office/suspense/",
            "/office/day/",
            f"/office/day/{day}",
            "/office/cash/",
            "/office/cash/batches",
        ):
            status = client.get(path).status_code
            if status >= 500:
                bad[path] = status
        page = client.get("/office/suspense/").text
        for href in set(re.findall(r'href="(/office/suspense/[^"]+)"', page)):
            status = client.get(href.replace("&amp;", "&")).status_code
            if status >= 500:
                bad[href] = status
    assert not bad
