"""Money that somebody gave back on the gateway's own page without asking us: it counts for its receipt, no refund of
ours gives it back again, and one that was under way ends with it."""

from dataclasses import replace
from datetime import timedelta

import pytest

from app.flows.pay.follow import Phase, follow
from app.flows.pay.start import Want
from app.flows.prove.papers import MoneyWentBack, confirm
from app.flows.reconcile.compare import reconcile_day
from app.flows.refund import give_back, steps
from app.flows.refund.give_back import Account
from app.policy.facts import Insurance
from app.policy.refunds import Why
from payments.errors import NothingToGiveBack, RefundDecided
from payments.gateways.base import Movement, StatementLine
from payments.refunds import find as find_refunds
from payments.truths.invariants import INVARIANTS, look
from tests.builders import NOON, a_paid_word, a_person, an_attempt, an_id_number
from tests.days import DAY, MORNING, book, keep, line
from tests.refunding import CLERK, DESK, LEAD, agree, agreed, balances, pay, rows, run_refunds, state

ONE = timedelta(days=1)
ACCOUNT = Account("insured", "张示例", "6217000012345678", "建设银行", "R-1")


def speaks(running, number):
    with running.parts.engine.connect() as connection:
        [found] = look(connection, [INVARIANTS[number]], wall=running.parts.clocks.wall() + ONE, today=DAY)
    return found.sample


def given_by_hand(running, *payments: str, of: str) -> None:
    """Their list has these payments and a refund of one of them that nobody asked us for."""
    words = [
        replace(
            a_paid_word(an_attempt()),
            number=row.number,
            reference=row.reference,
            amount=row.amount,
        )
        for row in rows(running, "select number, reference, amount from payment where number = any (:n)", n=[*payments])
    ]
    back = next(word for word in words if word.number == of)
    hand = StatementLine(
        1, Movement.REFUND, of, back.reference, 32000, 0, NOON + 2 * ONE / 24, "", "50000001", "SUCCESS"
    )
    running.turn(MORNING)
    keep(running, "wechat", [*(line(word) for word in words), hand])
    reconcile_day(running.parts, "wechat", DAY)


@pytest.fixture
def failed(running, both):
    """The refunds of both are agreed to, and neither account can take the money: (payment, payment, [refunds])."""
    refunds_of_both = []
    for payment in both:
        running.outside.fault("refund_abnormal")
        refunds_of_both.append(agreed(running.parts, payment).number)
        run_refunds(running, refunds_of_both[-1], "abnormal")
    return *both, refunds_of_both


def test_what_was_given_back_by_hand_is_not_given_back_again(running, both):
    """K12: 640 went back of 320, and INV-11 was silent."""
    mine, others = both
    given_by_hand(running, mine, others, of=mine)
    assert [row.amount for row in rows(running, "select amount from unasked_refund")] == [32000]

    with pytest.raises(NothingToGiveBack):
        steps.apply(running.parts, mine, by=DESK, why=Why.TWICE)

    assert agreed(running.parts, others).amount == 32000, "the sibling's receipt is whole"


def test_a_refund_asked_for_before_somebody_gave_it_back_by_hand_is_not_agreed_to(running, both):
    """K12: the list came between the wish and the approval."""
    mine, others = both
    asked = [steps.apply(running.parts, one, by=DESK, why=Why.TWICE).number for one in both]
    given_by_hand(running, mine, others, of=mine)

    with pytest.raises(NothingToGiveBack):
        agree(running.parts, asked[0])
    agree(running.parts, asked[1])

    assert state(running, asked[0], "refund") == "reviewed"
    assert state(running, asked[1], "refund") == "approved"
    steps.decide(running.parts, asked[0], approved=False, reason="已由渠道退回", by="staff:other")
    assert state(running, asked[0], "refund") == "rejected"
    assert state(running, asked[1], "refund") == "approved"


def test_surplus_that_was_given_back_by_hand_asks_for_nothing_more(running, both):
    """K12: money beyond what was due asks for its own way back, once; the other's asks as ever."""
    surplus = [
        replace(
            a_paid_word(an_attempt()),
            number=one,
            reference=f"42000TWICE{place}",
            merchant=running.parts.gateways["wechat"].merchant,
            app=running.parts.gateways["wechat"].app,
        )
        for place, one in enumerate(both)
    ]
    assert book(running, surplus) == ["surplus", "surplus"]
    hand = StatementLine(1, Movement.REFUND, both[0], surplus[0].reference, 32000, 0, NOON, "", "50000001", "SUCCESS")
    running.turn(MORNING)
    keep(running, "wechat", [*(line(word) for word in surplus), hand])
    reconcile_day(running.parts, "wechat", DAY)

    with running.parts.engine.connect() as connection:
        held = [find_refunds.held_receipts(connection, one) for one in both]
    assert [[row.cause for row in of_one] for of_one in held] == [[], ["receipt:wechat:42000TWICE1"]]
    assert steps.ask_for_surplus(running.parts) == 1
    assert steps.ask_for_surplus(running.parts) == 0

    [asked] = rows(running, "select receipt from refund")
    assert asked.receipt == "receipt:wechat:42000TWICE1"
    with running.parts.engine.connect() as connection:
        soon = running.parts.clocks.wall() + ONE
        [twelve] = look(connection, [INVARIANTS["INV-12"]], wall=soon, today=DAY)
    assert twelve.rows == 0


def test_a_refund_of_money_that_went_back_by_hand_ends_with_it(running, failed):
    """The gateway said no because all of it had gone back by hand; its list says so a day later."""
    mine, others, refunds_of_both = failed
    with pytest.raises(NothingToGiveBack):
        give_back.went_by_hand(running.parts, refunds_of_both[0], by=CLERK)
    given_by_hand(running, mine, others, of=mine)

    with pytest.raises(NothingToGiveBack):
        give_back.ask_transfer(running.parts, refunds_of_both[0], ACCOUNT, by=CLERK)
    with pytest.raises(NothingToGiveBack):
        give_back.went_by_hand(running.parts, refunds_of_both[1], by=CLERK)  # that of the other
    give_back.went_by_hand(running.parts, refunds_of_both[0], by=CLERK)
    with pytest.raises(RefundDecided):
        give_back.went_by_hand(running.parts, refunds_of_both[0], by=CLERK)

    assert [state(running, one, "refund") for one in refunds_of_both] == ["paid", "abnormal"]
    assert balances(running)["refunds:wechat"] == -32000, "the other is owed as before"
    assert balances(running).get("receivable:resident", 0) == 0
    assert speaks(running, "INV-11") == []
    give_back.ask_transfer(running.parts, refunds_of_both[1], ACCOUNT, by=CLERK)
    give_back.decide_transfer(running.parts, refunds_of_both[1], agreed=True, by=LEAD)
    assert balances(running).get("refunds:wechat", 0) == 0
    assert speaks(running, "INV-11") == []


@pytest.mark.parametrize("decided", [True, False])
def test_money_that_went_by_transfer_and_by_hand_is_owed_and_has_a_name(running, failed, decided):
    """The slip was written before their list told of the other way: it left twice, the payer owes it, and no truth is
    broken."""
    mine, others, refunds_of_both = failed
    give_back.ask_transfer(running.parts, refunds_of_both[0], ACCOUNT, by=CLERK)
    if decided:
        give_back.decide_transfer(running.parts, refunds_of_both[0], agreed=True, by=LEAD)
    given_by_hand(running, mine, others, of=mine)
    if not decided:
        with pytest.raises(RefundDecided):  # it goes by transfer
            give_back.went_by_hand(running.parts, refunds_of_both[0], by=CLERK)
        give_back.decide_transfer(running.parts, refunds_of_both[0], agreed=True, by=LEAD)

    assert balances(running)["receivable:resident"] == 32000
    assert [row.beyond for row in rows(running, "select beyond from unasked_refund")] == [32000]
    [named] = rows(running, "select note from discrepancy where what = 'refund'")
    assert named.note == "by_hand_beyond"
    assert state(running, refunds_of_both[1], "refund") == "abnormal"
    assert speaks(running, "INV-11") == []


def test_what_was_written_as_a_transfer_and_never_left_ends_with_what_went_by_hand(running, failed):
    mine, others, refunds_of_both = failed
    give_back.ask_transfer(running.parts, refunds_of_both[0], ACCOUNT, by=CLERK)
    given_by_hand(running, mine, others, of=mine)
    give_back.decide_transfer(running.parts, refunds_of_both[0], agreed=False, by=LEAD)

    give_back.went_by_hand(running.parts, refunds_of_both[0], by=CLERK)

    assert balances(running).get("receivable:resident", 0) == 0
    assert speaks(running, "INV-11") == []


def test_what_went_back_by_hand_for_one_leaves_the_others_premium_paid(running, adult):
    """One payment for two: the money of one went back by hand, the other's premium stands and has its paper."""
    household = running.one("select household_id from person where id = :p", p=adult)[0]
    sibling = running.write(
        lambda connection: a_person(connection, id_number=an_id_number(sequence=8), household=household)
    )
    payment = pay(running, *(Want(one, Insurance.RES_MEDICAL) for one in (adult, sibling)))
    [bill] = rows(running, "select id from bill where person_id = :p", p=adult)
    running.outside.fault("refund_abnormal")
    asked = agreed(running.parts, payment, bills=[bill.id])
    run_refunds(running, asked.number, "abnormal")
    given_by_hand(running, payment, of=payment)
    with pytest.raises(MoneyWentBack):
        confirm(running.parts, payment)  # nobody has said whose it was
    give_back.went_by_hand(running.parts, asked.number, by=CLERK)

    followed = follow(running.parts, payment)

    assert (followed.phase, followed.partly_back) == (Phase.PAID, True)
    assert [item.person_id for item in followed.items if item.benefit_start] == [sibling]
    [paper] = rows(running, "select bills from proof where code = :c", c=confirm(running.parts, payment).code)
    [its_bill] = rows(running, "select id from bill where person_id = :p", p=sibling)
    assert paper.bills == [its_bill.id]


def test_what_went_back_by_hand_is_not_sent_again_from_a_page_that_is_old(running, both):
    """Row of the review: a page from before the list came still had its button, and the gateway was asked to give
    back what it had given; the other's refund goes out again as ever."""
    refunds_of_both = []
    for payment in both:
        running.outside.fault("refund_fails")
        refunds_of_both.append(agreed(running.parts, payment).number)
        run_refunds(running, refunds_of_both[-1], "failed")
    given_by_hand(running, *both, of=both[0])

    with pytest.raises(NothingToGiveBack):
        give_back.again(running.parts, refunds_of_both[0], by=CLERK)
    give_back.again(running.parts, refunds_of_both[1], by=CLERK)

    assert [state(running, one, "refund") for one in refunds_of_both] == ["failed", "paying"]
