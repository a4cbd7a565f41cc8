"""What the lists of an office call "waits for you" is what its desk can do, and nothing is left off them."""

import re

from app.flows.pay.start import Want
from app.flows.refund import steps
from app.flows.refund.desk import work
from app.flows.refund.give_back import Account, ask_transfer
from app.flows.suspense.desk import doubts
from app.policy.facts import Insurance
from tests.app.flows.test_suspense import unknown
from tests.app.web.test_office_refunds import desks
from tests.refunding import agree, pay, run_refunds

__all__ = ["desks"]
MEDICAL = Insurance.RES_MEDICAL
ACCOUNT = Account("insured", "张示例", "6217000012345678", "建设银行", "R-1")


def waiting(desk):
    found = re.findall(r"<strong[^>]*>(\d+)</strong><small>(.*?)</small>", desk.get("/office/").text)
    return {what: int(count) for count, what in found}["笔退费等您办"]


def test_a_refund_that_is_stuck_waits_for_the_clerk_who_asked_for_it_too(running, district, desks):
    """Row of the review: who had asked for it found no way for it any more, and the lead was called for what only a
    clerk could do."""
    payment = pay(running, Want(district.adult.id, MEDICAL))
    running.outside.fault("refund_abnormal")
    number = steps.apply(running.parts, payment, by="staff:clerk01").number
    assert [waiting(desks[login]) for login in ("clerk01", "clerk02", "lead01")] == [0, 1, 0]
    agree(running.parts, number)
    run_refunds(running, number, "abnormal")

    assert [waiting(desks[login]) for login in ("clerk01", "clerk02", "lead01")] == [1, 1, 0]
    assert "等您办" in desks["clerk01"].get("/office/refunds/").text

    ask_transfer(running.parts, number, ACCOUNT, by="staff:clerk02")
    assert [waiting(desks[login]) for login in ("clerk01", "clerk02", "lead01")] == [0, 0, 1]


def test_the_two_hundred_and_first_is_on_the_list(running, district):
    """Row of the review: what was done yesterday never came on the list of what is done once two hundred had ended,
    and what waits was counted to two hundred."""
    payment = pay(running, Want(district.adult.id, MEDICAL))
    for _ in range(201):
        last = steps.apply(running.parts, payment, by="staff:clerk01").number
        steps.withdraw(running.parts, last, by="staff:clerk01")
    for place in range(201):
        unknown(running, 7, reference=f"42{place:05d}")

    done = work(running.parts, done=True)

    assert (done[0].number, len(done)) == (last, 200)
    assert len(doubts(running.parts)) == 201
