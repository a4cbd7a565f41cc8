"""A server was restored, and the book has forgotten a refund that its lost minutes sent. The same money does not go
back a second time, whoever agrees to it anew: their list of those minutes is waited for, and believed."""

from dataclasses import replace
from datetime import timedelta

import pytest

from app.flows.pay.start import Want
from app.flows.reconcile.compare import reconcile_day
from app.flows.refund import give_back
from app.flows.restore.reopen import reopen
from app.policy.facts import Insurance
from core.clock import utc_now
from core.db import connect
from payments.gateways.base import Movement, RefundOrder, StatementLine
from payments.number import REFUND, household_of, new_number
from tests.builders import NOON, a_paid_word, a_person, an_attempt, an_id_number
from tests.conftest import DATABASE
from tests.days import DAY, MORNING, keep, line
from tests.refunding import agreed, given_back, pay, rows, run_refunds, state

MEDICAL, PENSION = Insurance.RES_MEDICAL, Insurance.RES_PENSION


@pytest.fixture
def reopened(running, database):
    """Says that the last hour was lost."""
    owner = connect(database.owner_url(DATABASE), pool_size=1)
    yield lambda: reopen(running.parts, owner, lost_since=utc_now() - timedelta(hours=1), by="operator:li")
    owner.dispose()


@pytest.fixture
def paid(running, adult):
    """Both premiums of one, 820 yuan in one payment; of them 320 are to go back."""
    return pay(running, Want(adult, MEDICAL), Want(adult, PENSION, 50000))


def medical(running):
    return running.one("select id from bill where insurance = 'RES_MEDICAL' and total > 0 order by id limit 1").id


def sent_in_the_gap(running, payment, *, number=None):
    """The far side has done what the book knows nothing of; the number it was sent under."""
    row = running.one("select * from payment where number = :n", n=payment)
    number = number or new_number(household_of(payment), DAY, kind=REFUND)
    order = RefundOrder(number, running.parts.clocks.now(), payment, row.reference, row.amount, 32000, "重复缴费")
    running.parts.gateways["wechat"].refund(order)
    return number


def turns(running):
    """The worker's, each question due at once."""
    for _ in range(3):
        with running.parts.engine.begin() as connection:
            connection.exec_driver_sql("update refund set next_query_at = now() where next_query_at is not null")
        give_back.pay_due(running.parts)


def their_list(running, *payments, refunds=()):
    """Their list of the day: these payments, and (refund's number, payment) of 320 yuan each."""
    words = {
        row.number: replace(a_paid_word(an_attempt()), number=row.number, reference=row.reference, amount=row.amount)
        for row in rows(running, "select number, reference, amount from payment where number = any(:n)", n=[*payments])
    }
    back = [
        StatementLine(
            1,
            Movement.REFUND,
            of,
            words[of].reference,
            32000,
            0,
            NOON + timedelta(hours=2),
            number,
            f"5{at}",
            "SUCCESS",
        )
        for at, (number, of) in enumerate(refunds)
    ]
    running.turn(MORNING)
    keep(running, "wechat", [*(line(word) for word in words.values()), *back])
    reconcile_day(running.parts, "wechat", DAY)


def test_what_the_lost_minutes_gave_back_is_not_given_back_again(running, paid, reopened):
    forgotten = sent_in_the_gap(running, paid)
    reopened()
    anew = agreed(running.parts, paid, bills=[medical(running)]).number

    turns(running)
    assert [row["amount"] for row in given_back(running, paid)] == [32000], "it waits for their list"
    assert state(running, anew, "refund") == "approved"

    their_list(running, paid, refunds=[(forgotten, paid)])
    turns(running)
    assert [row["amount"] for row in given_back(running, paid)] == [32000]
    stuck = running.one("select state, their_word from refund where number = :n", n=anew)
    assert (stuck.state, stuck.their_word) == ("failed", "given_back")

    give_back.went_by_hand(running.parts, anew, by="staff:clerk")
    assert state(running, anew, "refund") == "paid"
    assert [row["amount"] for row in given_back(running, paid)] == [32000]


def test_one_that_nobody_sent_goes_back_once_their_list_is_in_and_a_later_payments_at_once(
    running, paid, adult, reopened
):
    reopened()
    mine = agreed(running.parts, paid, bills=[medical(running)]).number
    running.turn(NOON + timedelta(hours=1))
    household = running.one("select household_id from person where id = :p", p=adult)[0]
    sibling = running.write(lambda c: a_person(c, id_number=an_id_number(sequence=8), household=household))
    later = pay(running, Want(sibling, MEDICAL), key="sibling-key")
    theirs = agreed(running.parts, later).number

    turns(running)
    assert (state(running, mine, "refund"), len(given_back(running, paid))) == ("approved", 0)
    run_refunds(running, theirs, "paid")

    their_list(running, paid, later, refunds=[(theirs, later)])
    run_refunds(running, mine, "paid")
    assert [row["amount"] for row in given_back(running, paid)] == [32000]


def test_one_that_was_agreed_to_before_and_is_on_their_list_is_asked_about_and_not_sent(running, paid, reopened):
    known = agreed(running.parts, paid, bills=[medical(running)]).number
    sent_in_the_gap(running, paid, number=known)
    reopened()
    turns(running)
    assert state(running, known, "refund") == "approved"

    their_list(running, paid, refunds=[(known, paid)])
    calls = []
    gateway = running.parts.gateways["wechat"]
    object.__setattr__(gateway, "refund", calls.append)
    try:
        run_refunds(running, known, "paid")
    finally:
        object.__delattr__(gateway, "refund")

    assert calls == []


def test_one_whose_list_does_not_come_in_a_week_waits_for_a_person_and_goes_when_he_says_so(running, paid, reopened):
    """UnionPay has no list of a day without trades, and of a day that was lost that is not believed."""
    reopened()
    mine = agreed(running.parts, paid, bills=[medical(running)]).number
    running.turn(MORNING + timedelta(days=5))
    turns(running)
    assert state(running, mine, "refund") == "approved"

    running.turn(MORNING + timedelta(days=8))
    turns(running)
    stuck = running.one("select state, their_word from refund where number = :n", n=mine)
    assert (stuck.state, stuck.their_word, given_back(running, paid)) == ("failed", "no_list", [])

    give_back.again(running.parts, mine, by="staff:clerk")
    run_refunds(running, mine, "paid")
    assert [row["amount"] for row in given_back(running, paid)] == [32000]
