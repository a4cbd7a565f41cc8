"""Money back: reserved when asked for, owed when agreed to, paid on the gateway's word; whatever breaks in between."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from app.access import accounts
from app.flows.due.quote import all_due, subjects
from app.flows.pay.expire import ask_silent
from app.flows.pay.start import Want
from app.flows.refund import give_back, steps
from app.policy.facts import Insurance
from app.policy.refunds import Why
from core.clock import utc_now
from payments.errors import NoSuchPayment, NoSuchRefund, NothingToGiveBack, OwnRefund, RefundDecided
from payments.ledger.balances import balance
from payments.refunds import moves
from payments.states import RefundState
from tests.builders import NOON, a_household, a_person, an_id_number, in_a_files_name
from tests.refunding import (
    CLERK,
    DESK,
    LEAD,
    MEDICAL_BUREAU,
    agree,
    agreed,
    balances,
    given_back,
    pay,
    rows,
    run_refunds,
    start,
    state,
)
from tests.system import eventually

MEDICAL, PENSION = Insurance.RES_MEDICAL, Insurance.RES_PENSION


def test_a_paid_premium_goes_back_whole_and_everything_booked_for_it_with_it(running, adult):
    payment = pay(running, Want(adult, MEDICAL), Want(adult, PENSION, 50000))

    asked = agreed(running.parts, payment)
    run_refunds(running, asked.number, "paid")

    assert asked.amount == 82000
    assert balances(running) == {}, "every account stands where it stood"
    assert [line["amount"] for line in given_back(running, payment)] == [82000]
    [person] = subjects(running.parts, [adult])
    assert [due.settled for due in all_due(running.parts, person, at=running.parts.clocks.now())] == [False, False]


def test_one_bill_of_two_goes_back_and_the_other_stays_paid(running, adult):
    payment = pay(running, Want(adult, MEDICAL), Want(adult, PENSION, 50000))
    medical = running.one("select id from bill where insurance = 'RES_MEDICAL'").id

    asked = agreed(running.parts, payment, bills=[medical])
    run_refunds(running, asked.number, "paid")

    assert asked.amount == 32000
    assert balances(running) == {
        "clearing:wechat": 50000,
        "receivable:gov_subsidy:finance:RES_PENSION": 6000,
        "fund:RES_PENSION:2022": -56000,
    }
    with pytest.raises(NothingToGiveBack):
        steps.apply(running.parts, payment, by=DESK, bills=[medical])


def test_what_was_given_back_can_be_paid_again(running, adult):
    asked = agreed(running.parts, pay(running, Want(adult, MEDICAL)))
    run_refunds(running, asked.number, "paid")

    again = pay(running, Want(adult, MEDICAL), key="second-key")

    assert state(running, again) == "paid" and balances(running)["clearing:wechat"] == 32000


def test_money_that_came_too_late_goes_back_from_where_it_lay(running, adult):
    first = start(running, Want(adult, MEDICAL))
    running.outside.fault("late_success", first.number)
    second = start(running, Want(adult, MEDICAL), Want(adult, PENSION, 30000), key="another")
    running.outside.pay(second.checkout.code_url)
    eventually(lambda: state(running, second.number) == "paid")
    running.outside.pay(first.checkout.code_url)
    eventually(lambda: state(running, first.number) == "surplus")

    asked = agreed(running.parts, first.number)
    run_refunds(running, asked.number, "paid")

    assert asked.amount == 32000
    assert "surplus:wechat" not in balances(running)
    assert running.one("select count(*) as n from suspense where solved_at is null").n == 0
    with pytest.raises(NothingToGiveBack):
        steps.apply(running.parts, first.number, by=DESK)


def test_surplus_asks_for_its_own_refund_once_and_waits_for_a_person(running, adult):
    first = start(running, Want(adult, MEDICAL))
    running.outside.fault("late_success", first.number)
    pay(running, Want(adult, MEDICAL), Want(adult, PENSION, 30000), key="another")
    running.outside.pay(first.checkout.code_url)
    eventually(lambda: state(running, first.number) == "surplus")

    assert [steps.ask_for_surplus(running.parts) for _ in range(2)] == [1, 0]

    row = running.one("select number, amount, applied_by, state from refund")
    assert (row.amount, row.applied_by, row.state) == (32000, "rule:surplus", "applied")
    steps.decide(running.parts, row.number, approved=False, by=LEAD, reason="查过了，只交了一次")
    assert steps.ask_for_surplus(running.parts) == 0, "a person said no: it is not asked again by itself"


def test_a_code_that_is_out_is_handed_out_again_whatever_a_question_left_open(running, adult):
    first = start(running, Want(adult, MEDICAL), gateway="unionpay")
    running.outside.fault("error", first.number, on="query", status=500)
    running.ask_now()
    ask_silent(running.parts)
    assert state(running, first.number) == "unknown"

    again = start(running, Want(adult, MEDICAL), gateway="unionpay")

    assert again.checkout == first.checkout and state(running, first.number) == "unknown"


def test_fifty_ask_at_once_and_one_is_heard(running, adult):
    payment = pay(running, Want(adult, MEDICAL))

    def ask(place):
        try:
            return steps.apply(running.parts, payment, by=f"staff:{place}").number
        except NothingToGiveBack:
            return None

    with ThreadPoolExecutor(50) as pool:
        heard = [number for number in pool.map(ask, range(50)) if number]

    assert len(heard) == 1
    agree(running.parts, heard[0])
    run_refunds(running, heard[0], "paid")
    assert [line["amount"] for line in given_back(running, payment)] == [32000]


def test_who_did_one_step_does_no_other_and_nobody_decides_twice(running, adult):
    asked = steps.apply(running.parts, pay(running, Want(adult, MEDICAL)), by=DESK)

    with pytest.raises(OwnRefund):
        steps.accept(running.parts, asked.number, by=DESK)
    steps.accept(running.parts, asked.number, by=CLERK)
    with pytest.raises(OwnRefund):
        steps.review(running.parts, asked.number, MEDICAL, by=CLERK)
    steps.review(running.parts, asked.number, MEDICAL, by=MEDICAL_BUREAU)
    for before in (DESK, CLERK, MEDICAL_BUREAU):
        with pytest.raises(OwnRefund):
            steps.decide(running.parts, asked.number, approved=True, by=before)
    with pytest.raises(OwnRefund):
        steps.decide(running.parts, asked.number, approved=False, by=DESK, reason="x")
    steps.decide(running.parts, asked.number, approved=True, by=LEAD)
    for approved in (True, False):
        with pytest.raises(RefundDecided):
            steps.decide(running.parts, asked.number, approved=approved, by="staff:third", reason="x")


def test_a_refusal_reserves_nothing(running, adult):
    payment = pay(running, Want(adult, MEDICAL))
    first = steps.apply(running.parts, payment, by=DESK)

    steps.decide(running.parts, first.number, approved=False, by=LEAD, reason="查过了，只交了一次")

    assert balances(running)["clearing:wechat"] == 32000
    assert steps.apply(running.parts, payment, by=DESK).amount == 32000


def test_after_silence_the_gateway_is_asked_and_not_told_again(running, adult, monkeypatch):
    payment, told = pay(running, Want(adult, MEDICAL)), []
    gateway = type(running.parts.gateways["wechat"])
    refund_for_real = gateway.refund
    monkeypatch.setattr(
        gateway, "refund", lambda self, order: told.append(order.number) or refund_for_real(self, order)
    )
    running.outside.fault("html", on="refund")

    asked = agreed(running.parts, payment)
    run_refunds(running, asked.number, "paid")

    assert told == [asked.number] and len(given_back(running, payment)) == 1


@pytest.mark.parametrize("fault", ["silent", "html", "unsigned", "truncated", "error"])
def test_whatever_the_answer_looks_like_it_is_refunded_once(running, adult, fault):
    payment = pay(running, Want(adult, MEDICAL))
    running.outside.fault(fault, on="refund", seconds=9, status=500)

    asked = agreed(running.parts, payment)
    run_refunds(running, asked.number, "paid")

    assert [line["amount"] for line in given_back(running, payment)] == [32000]
    assert balances(running) == {}


def test_a_process_that_dies_after_sending_asks_before_it_sends_again(running, adult):
    payment = pay(running, Want(adult, MEDICAL))
    asked = agreed(running.parts, payment)
    row = running.one("select * from refund where number = :n", n=asked.number)
    running.write(lambda connection: moves.move(connection, asked.number, RefundState.PAYING))
    order = give_back.order_of(row, row.ordered_at)
    running.parts.gateways["wechat"].refund(order)

    run_refunds(running, asked.number, "paid")

    assert len(given_back(running, payment)) == 1


def test_our_balance_is_too_low_and_later_it_is_not(running, adult):
    payment = pay(running, Want(adult, MEDICAL))
    running.outside.fault("not_enough", on="refund")

    asked = agreed(running.parts, payment)
    give_back.pay_due(running.parts)

    assert running.one("select state, their_word from refund") == ("paying", "balance")
    run_refunds(running, asked.number, "paid")


def test_a_new_number_is_dated_when_it_is_sent_not_when_somebody_pressed(running, adult):
    payment = pay(running, Want(adult, MEDICAL), gateway="unionpay")
    running.outside.fault("refund_fails", payment)
    asked = agreed(running.parts, payment)
    run_refunds(running, asked.number, "failed")

    give_back.again(running.parts, asked.number, by=LEAD)
    running.turn(NOON + timedelta(minutes=30))  # the worker was down: UnionPay takes nothing older than ten minutes
    run_refunds(running, asked.number, "paid")

    assert [one["state"] for one in given_back(running, payment)] == ["FAILED", "SUCCESS"]


def test_a_refund_that_failed_after_all_is_sent_again_under_a_new_number(running, adult):
    payment = pay(running, Want(adult, MEDICAL))
    running.outside.fault("refund_fails")
    asked = agreed(running.parts, payment)
    run_refunds(running, asked.number, "failed")

    give_back.again(running.parts, asked.number, by=LEAD)
    run_refunds(running, asked.number, "paid")

    assert balances(running) == {}
    numbers = [line["number"] for line in given_back(running, payment)]
    assert len(numbers) == 2 and asked.number in numbers
    with pytest.raises(RefundDecided):
        give_back.again(running.parts, asked.number, by=LEAD)


def test_an_account_that_takes_no_money_waits_for_a_person(running, adult):
    payment = pay(running, Want(adult, MEDICAL))
    running.outside.fault("refund_abnormal")

    asked = agreed(running.parts, payment)
    run_refunds(running, asked.number, "abnormal")

    assert balances(running)["refunds:wechat"] == -32000, "owed to the payer until somebody found a way"
    sent = running.one("select reference, booked from refund_number where number = :n", n=asked.number)
    assert sent.reference and sent.booked is None, "theirs, by which their side is asked"


def test_what_is_not_there_is_said(running, adult):
    with pytest.raises(NoSuchPayment):
        steps.apply(running.parts, "YC2111050000000711111111AA", by=DESK)
    with pytest.raises(NoSuchRefund):
        steps.decide(running.parts, "YT2111050000000711111111AA", approved=True, by=LEAD)
    with pytest.raises(NoSuchRefund):
        steps.own(running.parts, "YT2111050000000711111111AA", by=CLERK)
    waiting = start(running, Want(adult, MEDICAL))
    with pytest.raises(NothingToGiveBack):
        steps.apply(running.parts, waiting.number, by=DESK)


ATTEMPTS = {
    "paid without an entry": "update refund set state = 'paying'; update refund set state = 'paid', paid_at = now()",
    "approved without an entry": "update refund set state = 'approved', decided_by = 'staff:x', decided_at = now()",
    "another amount": "update refund set amount = 1",
    "another payment": "update refund set reference = 'x'",
    "the same person": "update refund set state = 'rejected', decided_by = applied_by",
    "removed": "delete from refund",
    "a bill given back by hand": "update bill set state = 'refunded'",
    "made up": "insert into refund select * from refund",
    "its bills let go": "update refund_bill set live = false",
}


@pytest.mark.parametrize("attempt", ATTEMPTS)
def test_the_database_keeps_to_it_whatever_the_application_tries(running, adult, attempt):
    steps.apply(running.parts, pay(running, Want(adult, MEDICAL)), by=DESK)

    with pytest.raises(DBAPIError) as refused, running.parts.engine.begin() as connection:
        for statement in ATTEMPTS[attempt].split("; "):
            connection.execute(text(statement))

    assert refused.value.orig.sqlstate in ("LX005", "LX006", "42501", "23514")


def test_the_books_of_two_households_do_not_meet(running, adult):
    other = running.write(
        lambda connection: a_person(
            connection, id_number=an_id_number(sequence=9), household=a_household(connection, number="0002")
        )
    )
    kept = pay(running, Want(other, MEDICAL), key="other-key")

    asked = agreed(running.parts, pay(running, Want(adult, MEDICAL)))
    run_refunds(running, asked.number, "paid")

    assert state(running, kept) == "paid"
    with running.parts.engine.connect() as connection:
        assert balance(connection, "clearing:wechat") == 32000


@pytest.mark.parametrize("alive", [True, False])
def test_who_asked_for_a_dead_mans_money_hears_of_it(running, adult, alive):
    """B17: it was told to the dead man's phone only; who lives hears on his own."""
    payment = pay(running, Want(adult, MEDICAL))
    vault, now = running.parts.vault, utc_now()
    account, _ = running.write(lambda connection: accounts.of_phone(connection, vault, "13900000002", now=now))
    with running.office.engine.begin() as connection:
        in_a_files_name(connection)
        connection.execute(text("update person set alive = :alive where id = :p"), {"alive": alive, "p": adult})

    asked = steps.apply(running.parts, payment, by=f"account:{account}", why=Why.DIED)
    agree(running.parts, asked.number)
    run_refunds(running, asked.number, "paid")

    told = {row.kind: row.phone for row in rows(running, "select kind, phone from notice where kind like 'refund%'")}
    bound = f"notice.phone:refund:{asked.number}"
    assert set(told) == {"refund_asked", "refunded"}
    heard = {vault.open(bytes(phone), bound_to=bound) for phone in told.values()}
    assert heard == {"13800000000" if alive else "13900000002"}


def test_at_whose_counter_it_was_asked_for_is_told_at_the_door(running, adult):
    """B17"""
    payment = pay(running, Want(adult, MEDICAL))
    with running.office.engine.begin() as connection:
        in_a_files_name(connection)
        connection.execute(text("update person set alive = false where id = :p"), {"p": adult})

    steps.apply(running.parts, payment, by=DESK, why=Why.DIED)

    assert rows(running, "select phone from notice where kind = 'refund_asked'") == [(None,)]
