"""Who proposed something takes it back before anybody agreed; nobody else does, and never afterwards."""

import pytest

from app.flows.pay.start import Want
from app.flows.reconcile import clear_difference
from app.flows.reconcile.compare import reconcile_day
from app.flows.refund import steps as refund
from app.flows.refund.follow import TAKEN_BACK, follow
from app.flows.suspense import solve
from app.policy.facts import Insurance
from payments.errors import NothingProposed, NotYoursToWithdraw, RefundDecided
from payments.reconcile.discrepancies import DifferenceEnded
from tests.app.flows.test_suspense import unknown
from tests.days import DAY, MORNING, book, keep, line, paid
from tests.refunding import CLERK, DESK, LEAD, agree, rows, state, to_the_approval

MEDICAL, PENSION = Insurance.RES_MEDICAL, Insurance.RES_PENSION


def test_a_wish_is_taken_back_by_who_asked_until_somebody_agreed(running, both):
    """No way to take back one's own refund wish."""
    own, other = both
    number = refund.apply(running.parts, own, by=DESK).number
    sibling = refund.apply(running.parts, other, by=DESK).number
    to_the_approval(running.parts, number)

    with pytest.raises(NotYoursToWithdraw):
        refund.withdraw(running.parts, number, by=CLERK)
    refund.withdraw(running.parts, number, by=DESK)

    found = follow(running.parts, number)
    assert (found.words, found.steps[-1].by, found.is_over, found.taken_back) == (TAKEN_BACK, DESK, True, True)
    assert state(running, sibling, "refund") == "applied", "the other one stays"
    live = rows(running, "select live from refund_bill order by number = :n", n=number)
    assert [row.live for row in live] == [True, False]
    with pytest.raises(RefundDecided):
        refund.withdraw(running.parts, number, by=DESK)
    again = refund.apply(running.parts, own, by=DESK).number
    agree(running.parts, again)
    with pytest.raises(RefundDecided):
        refund.withdraw(running.parts, again, by=DESK)
    assert state(running, again, "refund") == "approved"


def test_what_money_was_meant_for_is_taken_back(running, adult):
    """No way to take back one's own proposal (suspense)."""
    key, sibling = unknown(running, 32000), unknown(running, 50000, reference="ANOTHER")
    solve.propose(running.parts, key, [Want(adult, MEDICAL)], by=CLERK)
    solve.propose(running.parts, sibling, [Want(adult, PENSION, 50000)], by=CLERK)

    with pytest.raises(NotYoursToWithdraw):
        solve.withdraw(running.parts, key, by=LEAD)
    solve.withdraw(running.parts, key, by=CLERK)
    with pytest.raises(NothingProposed):
        solve.withdraw(running.parts, key, by=CLERK)

    found = rows(running, "select bills, proposed_by, owner from suspense order by amount")
    assert (found[0].bills, found[0].proposed_by, found[0].owner) == (None, None, CLERK)
    assert len(found[1].bills) == 1 and found[1].proposed_by == CLERK
    steps = rows(running, "select word, by from suspense_step where cause = :cause order by step", cause=key.cause)
    assert [tuple(step) for step in steps] == [("proposed", CLERK), ("withdrawn", CLERK)]
    solve.propose(running.parts, key, [Want(adult, MEDICAL)], by=LEAD)


def test_what_was_to_be_booked_for_a_difference_is_taken_back(running):
    """No way to take back one's own proposal (difference); a proposal that was refused left no trace."""
    words = paid(running, "wechat", 3)
    book(running, words)
    running.turn(MORNING)
    keep(running, "wechat", [line(words[0])])
    reconcile_day(running.parts, "wechat", DAY)
    first, sibling = [row.id for row in rows(running, "select id from discrepancy order by id")]
    for key in (first, sibling):
        clear_difference.clear(running.parts, key, "book", "渠道没有这一笔", by=CLERK)

    with pytest.raises(NotYoursToWithdraw):
        clear_difference.withdraw(running.parts, first, by=LEAD)
    clear_difference.withdraw(running.parts, first, by=CLERK)
    with pytest.raises(DifferenceEnded):
        clear_difference.withdraw(running.parts, first, by=CLERK)
    clear_difference.confirm(running.parts, sibling, agreed=True, by=LEAD)

    assert [row.state for row in rows(running, "select state from discrepancy order by id")] == ["open", "cleared"]
    assert [row.cause for row in rows(running, "select cause from entry where cause like 'discrepancy:%'")] == [
        f"discrepancy:{sibling}:booked"
    ]
    steps = rows(running, "select word, by from discrepancy_step order by discrepancy, step")
    assert [tuple(step) for step in steps] == [
        ("proposed", CLERK),
        ("withdrawn", CLERK),
        ("proposed", CLERK),
        ("booked", LEAD),
    ]
