"""What the code of money that came twice says of it: it goes back, has gone back, or pays for somebody else today."""

import pytest

from app.flows.pay.start import Want
from app.flows.prove.check import check
from app.flows.reconcile.compare import reconcile_day
from app.flows.refund import steps
from app.flows.refund.give_back import Account, ask_transfer, decide_transfer
from app.flows.suspense import solve
from app.flows.suspense.desk import doubt, proposal
from app.policy.facts import Insurance
from payments.gateways.base import Movement, StatementLine
from payments.refunds.kept import Fate
from tests.builders import NOON, a_household, a_person, an_id_number
from tests.days import DAY, MORNING, keep
from tests.refunding import CLERK, DESK, LEAD, agree, agreed, balances, pay, rows, run_refunds, start, state
from tests.system import eventually

MEDICAL = Insurance.RES_MEDICAL


@pytest.fixture
def surplus(running, adult):
    """Two of one household whose money came twice: the payments that came second."""
    household = running.one("select household_id from person where id = :p", p=adult)[0]
    sibling = running.write(
        lambda connection: a_person(connection, id_number=an_id_number(sequence=8), household=household)
    )
    return [_twice(running, person) for person in (adult, sibling)]


def _twice(running, person):
    first = start(running, Want(person, MEDICAL), key=f"first-{person}")
    running.outside.fault("late_success", first.number)
    pay(running, Want(person, MEDICAL), key=f"second-{person}", gateway="alipay")
    running.outside.pay(first.checkout.code_url)
    eventually(lambda: state(running, first.number) == "surplus")
    return first.number


def fates(running, numbers):
    codes = {
        row.number: row.check_code
        for row in rows(running, "select number, check_code from payment where number = any (:n)", n=numbers)
    }
    return [check(running.parts, codes[number], network="10.0.0.1").fate for number in numbers]


def by_hand(running, number, fen):
    """Of a payment so much went back by hand, as their list says."""
    reference = running.one("select reference from payment where number = :n", n=number).reference
    running.turn(MORNING)
    hand = StatementLine(1, Movement.REFUND, number, reference, fen, 0, NOON, "", "50000001", "SUCCESS")
    keep(running, "wechat", [hand])
    reconcile_day(running.parts, "wechat", DAY)


def test_surplus_of_which_a_part_went_back_by_hand_has_not_gone_back(running, surplus):
    """Row of the review: a tenth went back, and the page said that all of it had."""
    by_hand(running, surplus[0], 3200)

    assert fates(running, surplus) == [Fate.SURPLUS, Fate.SURPLUS]

    asked = agreed(running.parts, surplus[0])
    run_refunds(running, asked.number, "paid")
    assert fates(running, surplus) == [Fate.SURPLUS_BACK, Fate.SURPLUS]


def test_surplus_that_went_back_by_hand_has_gone_back(running, surplus):
    by_hand(running, surplus[0], 32000)

    assert fates(running, surplus) == [Fate.SURPLUS_BACK, Fate.SURPLUS]


def used_for_another(running, number):
    """Two people settle somebody's premium with it: his bill."""
    other = running.write(
        lambda connection: a_person(
            connection, id_number=an_id_number(sequence=9), household=a_household(connection, number="0002")
        )
    )
    [lies] = rows(running, "select cause from suspense where number = :n", n=number)
    key = solve.key_of(running.parts, lies.cause)
    solve.propose(running.parts, key, [Want(other, MEDICAL)], by=CLERK)
    found, _, proposed = doubt(running.parts, key)
    solve.settle(running.parts, key, proposal(found, proposed), by=LEAD)
    return rows(running, "select * from bill where person_id = :p", p=other)[0]


def asked_back(running, bill):
    """The number of a refund of that bill that everybody has agreed to."""
    with running.parts.engine.begin() as connection:
        asked = steps.ask_for_bill(running.parts, connection, bill, steps.Why.TWICE, by=DESK)
    agree(running.parts, asked.number)
    return asked.number


def test_surplus_that_pays_for_somebody_else_does_not_go_back(running, surplus):
    """Row of the review: two people had settled somebody's premium with it, and its code said for ever that it would
    go back."""
    bill = used_for_another(running, surplus[0])

    assert fates(running, surplus) == [Fate.SURPLUS_USED, Fate.SURPLUS]

    run_refunds(running, asked_back(running, bill), "paid")
    assert fates(running, surplus) == [Fate.SURPLUS_BACK, Fate.SURPLUS]


def test_what_had_gone_back_of_the_bill_it_paid_counts_when_it_goes_by_hand_too(running, surplus):
    """Row of the review: it went by transfer, of another household's bill, and by hand; it left twice, and nobody was
    told that the payer has it twice."""
    bill = used_for_another(running, surplus[0])
    running.outside.fault("refund_abnormal")
    number = asked_back(running, bill)
    run_refunds(running, number, "abnormal")
    account = Account("insured", "张示例", "6217000012345678", "建设银行", "R-1")
    ask_transfer(running.parts, number, account, by=CLERK)
    decide_transfer(running.parts, number, agreed=True, by=LEAD)

    by_hand(running, surplus[0], 32000)

    assert [row.beyond for row in rows(running, "select beyond from unasked_refund")] == [32000]
    assert [row.note for row in rows(running, "select note from discrepancy where what = 'refund'")] == [
        "by_hand_beyond"
    ]
    assert balances(running)["receivable:resident"] == 32000
    assert balances(running)["surplus:wechat"] == -32000, "the sibling's lies as before"
