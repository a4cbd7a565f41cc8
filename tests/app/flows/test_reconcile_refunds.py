"""Refunds on a channel's list: found by every number they were ever sent under, booked only where they are done."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import text

from app.flows.pay.start import Want
from app.flows.reconcile.compare import Reconciled, reconcile_day, reconcile_due
from app.flows.refund import give_back
from app.flows.refund.give_back import Account, take_refund
from app.policy.facts import Insurance
from payments.gateways.base import Movement, Outcome, RefundOutcome, RefundWord, StatementLine
from payments.reconcile import day_books, statements
from payments.reconcile.discrepancies import remedies
from tests.builders import NEW_YEAR, NOON, a_paid_word, a_person, an_attempt, an_id_number
from tests.days import DAY, MORNING, book, differences, keep, keep_empty, line, paid
from tests.refunding import CLERK, LEAD, agreed, balances, given_back, pay, rows, run_refunds, state

MEDICAL = Insurance.RES_MEDICAL
ACCOUNT = Account("insured", "张示例", "6217000012345678", "建设银行", "R-1")
ONE = timedelta(days=1)


@pytest.fixture
def sibling(running, adult):
    """Another of the same household, whose refund is under way beside every other and never changes."""
    household = running.one("select household_id from person where id = :p", p=adult)[0]
    return running.write(
        lambda connection: a_person(connection, id_number=an_id_number(sequence=8), household=household)
    )


def refund_line(word: Outcome, number: str, reference: str, **also) -> StatementLine:
    made = StatementLine(
        1, Movement.REFUND, word.number, word.reference, 32000, 0, NOON + timedelta(hours=2), number, reference
    )
    return replace(made, **also)


def word_of(running, payment: str) -> Outcome:
    reference = running.one("select reference from payment where number = :n", n=payment).reference
    return replace(a_paid_word(an_attempt()), number=payment, reference=reference)


def open_ones(running) -> Sequence:
    return rows(running, "select * from discrepancy where state = 'open' order by id")


def by_transfer(running, number: str) -> None:
    give_back.ask_transfer(running.parts, number, ACCOUNT, by=CLERK)
    give_back.decide_transfer(running.parts, number, agreed=True, by=LEAD)


def failed_and_sent_again(running, adult) -> tuple[str, str]:
    """(payment, refund): its first attempt failed at the payer's account, the second is done."""
    payment = pay(running, Want(adult, MEDICAL))
    running.outside.fault("refund_fails", payment)
    number = agreed(running.parts, payment).number
    run_refunds(running, number, "failed")
    give_back.again(running.parts, number, by=LEAD)
    run_refunds(running, number, "paid")
    return payment, number


def test_a_first_attempt_that_failed_and_stands_on_their_list_is_not_money_that_moved_again(running, adult, sibling):
    """K3, L2: it was booked as made by hand, and the resident owed 320 for money that moved once."""
    kept = pay(running, Want(sibling, MEDICAL), key="sibling-key")
    payment, number = failed_and_sent_again(running, adult)
    before = balances(running)
    running.turn(MORNING)
    word, other = word_of(running, payment), word_of(running, kept)
    attempts = rows(running, "select sent_as, coalesce(reference, '') as theirs from refund_number order by booked")
    listed = [refund_line(word, one.sent_as, one.theirs, their_word="PROCESSING") for one in attempts]
    keep(running, "wechat", [line(word), line(other), *listed])

    for _ in range(2):
        reconcile_day(running.parts, "wechat", DAY)

    assert balances(running) == before and before.get("receivable:resident", 0) == 0
    [first] = open_ones(running)
    assert (first.kind, first.theirs, first.lacks, first.note) == ("MISSING_IN_LEDGER", 32000, 0, "not_done")
    assert remedies(first) == ["accept"], "nobody can book what did not move"
    with running.parts.engine.connect() as connection:
        [wechat] = day_books.channels(connection, DAY)
    assert (wechat.refunded, wechat.ours_refunded) == (64000, 32000)
    assert (
        running.one("select verdict from statement_match where cause = :c", c=f"refund:{number}:paid")[0] == "matched"
    )
    assert state(running, kept) == "paid"


def test_every_number_a_refund_was_sent_under_is_kept(running, adult, sibling):
    """K3: the row forgot the former number."""
    other = pay(running, Want(sibling, MEDICAL), key="sibling-key")
    beside = agreed(running.parts, other).number

    _, number = failed_and_sent_again(running, adult)

    last = running.one("select sent_as from refund where number = :n", n=number).sent_as
    known = rows(running, "select sent_as, booked from refund_number where number = :n order by ordered_at", n=number)
    assert [tuple(row) for row in known] == [(number, None), (last, f"refund:{number}:paid")]
    beside_it = rows(running, "select sent_as from refund_number where number = :n", n=beside)
    assert [one.sent_as for one in beside_it] == [beside], "the sibling's refund keeps its one number"


def test_a_former_number_that_was_done_after_all_is_money_that_left_twice(running, adult):
    """K3: a word about a former number was of nobody's refund."""
    payment, number = failed_and_sent_again(running, adult)
    said = RefundOutcome("wechat", number, RefundWord.DONE, payment=payment, reference="50000009", amount=32000)

    assert [take_refund(running.parts, said) for _ in range(2)] == ["twice", "again"]

    assert balances(running) == {"receivable:resident": 32000, "clearing:wechat": -32000}
    assert take_refund(running.parts, replace(said, word=RefundWord.FAILED)) == "again"


def test_a_former_number_that_failed_does_not_stop_the_one_under_way(running, adult):
    """K3: only the number it goes by now decides."""
    payment = pay(running, Want(adult, MEDICAL))
    running.outside.fault("refund_fails", payment)
    number = agreed(running.parts, payment).number
    run_refunds(running, number, "failed")
    give_back.again(running.parts, number, by=LEAD)
    failed = RefundOutcome("wechat", number, RefundWord.FAILED, payment=payment, amount=32000)

    assert take_refund(running.parts, failed) == "noted"
    assert state(running, number, "refund") == "paying"
    assert take_refund(running.parts, replace(failed, word=RefundWord.DONE)) == "paid"

    last = running.one("select sent_as from refund").sent_as
    assert take_refund(running.parts, replace(failed, number=last, word=RefundWord.DONE)) == "twice"


def test_a_refund_that_went_by_transfer_is_not_missed_on_the_channels_list(running, adult):
    """K5: each refund by transfer was MISSING_IN_BANK, and its remedy booked wrong money."""
    payment = pay(running, Want(adult, MEDICAL), gateway="unionpay")
    number = agreed(running.parts, payment).number
    running.turn(NEW_YEAR + timedelta(hours=12))
    run_refunds(running, number, "failed")
    by_transfer(running, number)
    running.turn(NEW_YEAR + timedelta(hours=36))
    keep_empty(running, "unionpay", NEW_YEAR.date())

    assert reconcile_day(running.parts, "unionpay", NEW_YEAR.date()) == Reconciled(0, 0)

    with running.parts.engine.connect() as connection:
        span = NEW_YEAR - ONE, NEW_YEAR + ONE
        assert statements.ours_between(connection, "unionpay", *span) == 0, "an empty list is right"


def test_one_on_the_list_that_went_by_transfer_is_named_and_not_matched(running, adult):
    """K5: the channel lists it, we paid it from the bank: somebody must look, and nothing wrong can be booked."""
    payment = pay(running, Want(adult, MEDICAL))
    running.outside.fault("refund_abnormal")
    number = agreed(running.parts, payment).number
    run_refunds(running, number, "abnormal")
    by_transfer(running, number)
    before = balances(running)
    running.turn(MORNING)
    word = word_of(running, payment)
    keep(running, "wechat", [line(word), refund_line(word, number, "50000001", their_word="PROCESSING")])

    reconcile_day(running.parts, "wechat", DAY)

    [found] = open_ones(running)
    assert (found.kind, found.note, found.lacks) == ("MISSING_IN_LEDGER", "not_done", 0)
    assert balances(running) == before


def test_one_that_left_by_the_channel_after_the_transfer_is_owed_back(running, adult):
    """K5: money left twice is a difference with its booking, and it is the refund desk's."""
    payment = pay(running, Want(adult, MEDICAL))
    running.outside.fault("refund_abnormal", count=1)
    number = agreed(running.parts, payment).number
    run_refunds(running, number, "abnormal")
    by_transfer(running, number)
    done = RefundOutcome("wechat", number, RefundWord.DONE, payment=payment, reference="50000001", amount=32000)
    assert take_refund(running.parts, done) == "twice"
    running.turn(MORNING)
    word = word_of(running, payment)
    keep(running, "wechat", [line(word), refund_line(word, number, "50000001")])

    reconcile_day(running.parts, "wechat", DAY)

    [found] = open_ones(running)
    assert (found.kind, found.owner, found.ours, found.lacks, found.note) == (
        *("MISSING_IN_LEDGER", "refund_desk", 32000, 0, "twice"),
    )


def test_a_refund_slower_than_a_day_is_one_refund(running, adult):
    """K9: the day it was asked for and the day it was done each had a false difference that offered to book."""
    payment = pay(running, Want(adult, MEDICAL))
    number = agreed(running.parts, payment).number
    running.write(lambda connection: connection.execute(text("update refund set state = 'paying'")))
    word = word_of(running, payment)
    asked_for = refund_line(word, number, "50000001", their_word="PROCESSING")
    keep(running, "wechat", [line(word), asked_for])
    running.turn(MORNING)
    reconcile_day(running.parts, "wechat", DAY)
    [waiting] = open_ones(running)
    assert (waiting.note, waiting.lacks, remedies(waiting)) == ("under_way", 0, ["accept"])

    running.turn(MORNING + 3 * ONE)
    done = RefundOutcome("wechat", number, RefundWord.DONE, payment=payment, amount=32000, happened_at=NOON + 3 * ONE)
    assert take_refund(running.parts, done) == "paid"
    for place in range(1, 5):
        keep_empty(running, "wechat", DAY + place * ONE)
    while reconcile_due(running.parts):
        pass

    assert open_ones(running) == []
    assert dict(rows(running, "select day, verdict from statement_match where row = 2")) == {DAY: "matched"}


def test_what_failed_while_nobody_looked_is_no_longer_under_way(running, adult):
    """K9: the note of a day went on saying that its refund was under way, though it had failed and gone out anew."""
    payment = pay(running, Want(adult, MEDICAL))
    number = agreed(running.parts, payment).number
    running.write(lambda connection: connection.execute(text("update refund set state = 'paying'")))
    word = word_of(running, payment)
    keep(running, "wechat", [line(word), refund_line(word, number, "50000001", their_word="PROCESSING")])
    running.turn(MORNING)
    assert reconcile_due(running.parts) == 1
    assert [one.note for one in open_ones(running)] == ["under_way"]
    assert reconcile_due(running.parts) == 0, "it still is"

    take_refund(running.parts, RefundOutcome("wechat", number, RefundWord.FAILED, payment=payment, amount=32000))
    give_back.again(running.parts, number, by=LEAD)

    assert reconcile_due(running.parts) == 1
    assert [one.note for one in open_ones(running)] == ["not_done"]
    assert reconcile_due(running.parts) == 0


def test_a_refund_made_by_hand_that_was_refused_is_nobodys_debt(running):
    """K3: a line of theirs is booked only where it is done."""
    words = paid(running, "wechat", 2, known=True)
    book(running, words)
    running.turn(MORNING)
    refused = refund_line(words[0], "", "50000001", their_word="FAIL")
    done = refund_line(words[1], "", "50000002", their_word="SUCCESS")
    keep(running, "wechat", [*(line(word) for word in words), refused, done])

    for _ in range(2):
        reconcile_day(running.parts, "wechat", DAY)

    assert [(one.subject, one.note, one.lacks) for one in open_ones(running)] == [
        ("50000001", "not_done", 0),
        ("50000002", "by_hand", 0),
    ]
    assert balances(running)["receivable:resident"] == 32000, "for the other payer's only"


def test_a_number_that_only_we_give_is_never_by_hand(running):
    """K3: a number of ours that no refund has is somebody's question, not the resident's debt."""
    words = paid(running, "wechat", 1, known=True)
    book(running, words)
    running.turn(MORNING)
    ours = words[0].number.replace("YC", "YT")
    keep(running, "wechat", [line(words[0]), refund_line(words[0], ours, "50000001", their_word="SUCCESS")])

    reconcile_day(running.parts, "wechat", DAY)

    assert "receivable:resident" not in balances(running)
    assert [(one.note, one.lacks) for one in open_ones(running)] == [("unknown_number", 0)]


def test_what_was_given_back_by_hand_is_asked_about_while_it_is_under_way(running):
    """K3: PROCESSING is no money; the gateway, asked, knows nothing of it here, so nothing is booked."""
    words = paid(running, "wechat", 1, known=True)
    book(running, words)
    running.turn(MORNING)
    under_way = refund_line(words[0], "BYHAND0001", "50000001", their_word="PROCESSING")
    keep(running, "wechat", [line(words[0]), under_way])

    reconcile_day(running.parts, "wechat", DAY)

    assert [one.note for one in open_ones(running)] == ["under_way"]
    assert given_back(running, words[0].number) == []
    assert differences(running) == [("MISSING_IN_LEDGER", "50000001", None, 32000)]


def test_a_refund_that_stands_on_their_list_twice_is_named_once(running, adult, sibling):
    """The second line has a name; the sibling's refund, there once, has none."""
    words, lines = [], []
    for payment in (pay(running, Want(adult, MEDICAL)), pay(running, Want(sibling, MEDICAL), key="sibling-key")):
        number = agreed(running.parts, payment).number
        run_refunds(running, number, "paid")
        [theirs] = rows(running, "select reference from refund_number where number = :n", n=number)
        words.append(word_of(running, payment))
        lines.append(refund_line(words[-1], number, theirs.reference))
    running.turn(MORNING)
    keep(running, "wechat", [*(line(word) for word in words), *lines, lines[0]])

    reconcile_day(running.parts, "wechat", DAY)

    [named] = open_ones(running)
    assert (named.kind, named.what, named.theirs) == ("DUPLICATE", "refund", 32000)
    assert named.subject.startswith(lines[0].refund_reference)


def test_a_refund_on_the_list_of_a_later_day_is_named_and_nothing_is_lacking(running, adult):
    """It is in the book as it is on the list: there is nothing to book."""
    payment = pay(running, Want(adult, MEDICAL))
    number = agreed(running.parts, payment).number
    run_refunds(running, number, "paid")
    [theirs] = rows(running, "select reference from refund_number where number = :n", n=number)
    later = DAY + 2 * ONE
    running.turn(MORNING + 2 * ONE)
    keep(running, "wechat", [refund_line(word_of(running, payment), number, theirs.reference)], day=later)

    reconcile_day(running.parts, "wechat", later)

    [named] = open_ones(running)
    assert (named.kind, named.what, named.lacks, remedies(named)) == ("DATE_DIFF", "refund", 0, ["accept"])


def test_a_payment_and_a_refund_that_their_list_lacks_are_named_both(running, adult, sibling):
    """Each missing one has a place of its own, though neither has a line."""
    payment = pay(running, Want(adult, MEDICAL))
    run_refunds(running, agreed(running.parts, payment).number, "paid")
    pay(running, Want(sibling, MEDICAL), key="sibling-key")
    running.turn(MORNING)
    keep(running, "wechat", [])

    reconcile_day(running.parts, "wechat", DAY)

    assert sorted((one.what, one.kind) for one in open_ones(running)) == [
        ("payment", "MISSING_IN_BANK"),
        ("payment", "MISSING_IN_BANK"),
        ("refund", "MISSING_IN_BANK"),
    ]


def test_what_a_book_has_of_one_gateway_says_nothing_of_another(running, adult, sibling):
    """An empty list of Alipay is believed although WeChat paid and gave back."""
    payment = pay(running, Want(adult, MEDICAL))
    run_refunds(running, agreed(running.parts, payment).number, "paid")
    begins = NOON - ONE

    with running.parts.engine.connect() as connection:
        counted = {
            gateway: statements.ours_between(connection, gateway, begins, NOON + ONE)
            for gateway in ("wechat", "alipay", "unionpay")
        }

    assert counted == {"wechat": 2, "alipay": 0, "unionpay": 0}
