"""What a dishonest agent, a fast bank and a season's end do to cash in villages."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from time import sleep

import pytest
from sqlalchemy import text

from app.flows.custody import remit
from app.flows.custody.take import Asked, NoCashNow, take
from app.flows.custody.watch import watch_cash
from app.flows.pay.start import Want
from app.policy.facts import Insurance
from payments.number import new_id
from tests.app.custody.test_take import FIRST, bank, held
from tests.refunding import balances, rows


def account(agent):
    return f"cash:agent:{agent.agent.id}"


def test_a_slip_that_is_written_while_the_banks_file_is_read_meets_it(running, village):
    village.take()
    asked = {
        "s": village.agent.token_hash,
        "serials": [FIRST],
        "id": new_id(),
        "at": running.parts.clocks.wall(),
        "now": running.parts.clocks.now(),
    }
    with running.parts.engine.connect() as his, ThreadPoolExecutor(1) as bank_reads:
        his.execute(text("select agent_remits_cash(:s, :serials, 32000, :id, '9911', null, :at, :now)"), asked)
        read = bank_reads.submit(bank, running, ("K1", "320", "9911"))
        sleep(0.3)
        his.commit()
        read.result(timeout=20)
    assert balances(running).get(account(village.agent), 0) == 0, balances(running)


def test_a_slip_out_of_the_air_gives_no_room_under_the_ceiling(running, village):
    first, second, _ = village.others

    def dear(person, key):
        wants = [Want(person.id, Insurance.RES_PENSION, 300000, levy_year=2022)]
        return take(running.parts, Asked(wants, 300000, key), by=village.agent)

    dear(first, "three-thousand")
    with pytest.raises(NoCashNow):
        dear(second, "six-thousand")
    remit.remit(running.parts, FIRST, 300000, slip="0000", photo=None, by=village.agent)
    with pytest.raises(NoCashNow):
        dear(second, "six-thousand-again")


def test_a_slip_out_of_the_air_does_not_silence_the_bell_of_a_day(running, village):
    village.take()
    remit.remit(running.parts, FIRST, 32000, slip="0000", photo=None, by=village.agent)
    running.turn(running.parts.clocks.now() + timedelta(hours=49))
    said = []
    watch_cash(replace(running.parts, alert=lambda word, **_more: said.append(word)))
    assert said == ["cash_detained"]


def test_a_rest_that_came_before_its_slip_ends_what_was_too_short(running, village):
    village.take()
    batch = remit.remit(running.parts, FIRST, 32000, slip="7788", photo=None, by=village.agent)
    bank(running, ("K1", "300", "7788"), ("K2", "20", "7799"))
    remit.add_slip(running.parts, batch, slip="7799", photo=None, by=village.agent)
    assert held(running, village).short == 0
    assert [tuple(row) for row in rows(running, "select subject, state from discrepancy where state = 'open'")] == []
