"""What a stranger found in the money's paths: lists that come anew, money given back by hand, two hands at once."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from threading import Event, Thread

import pytest

from app.flows.pay.start import Want
from app.flows.reconcile.clear_difference import clear, confirm
from app.flows.reconcile.compare import reconcile_day
from app.flows.refund import steps
from app.flows.refund.give_back import take_refund
from app.flows.suspense import solve
from app.policy.facts import Insurance
from app.policy.refunds import Why
from payments.errors import NothingToGiveBack, RefundChanged, SuspenseUnfit
from payments.gateways.base import Movement, Outcome, RefundOutcome, RefundWord, StatementLine, Word
from payments.reconcile import discrepancies
from payments.refunds import find as find_refunds
from payments.truths.invariants import EVERYBODY, INVARIANTS, look, pieces
from tests.app.flows.test_pay import FORMER, moved, payer, places, sibling, start
from tests.app.flows.test_reconcile_at_once import nameless
from tests.app.flows.test_reconcile_refunds import failed_and_sent_again, refund_line, word_of
from tests.app.flows.test_suspense import agreed_to, unknown
from tests.builders import NOON, a_bill, a_household, a_paid_word, a_person, an_attempt, an_id_number
from tests.days import DAY, MORNING, book, keep, line, paid
from tests.refunding import CLERK, DESK, LEAD, agree, balances, pay, rows, state
from tests.rosters import in_force
from tests.system import eventually

__all__ = ["moved", "places", "sibling"]
MEDICAL = Insurance.RES_MEDICAL


def test_a_few_bills_of_high_households_are_one_piece(running):
    """K25: the first two payments of a season made thirty thousand pieces, each asked for all truths."""
    for household in (100_000, 100_002):
        running.write(lambda connection, home=household: a_bill(connection, household_id=home, person_id=home))

    with running.parts.engine.connect() as connection:
        found = list(pieces(connection))

    assert found == [(0, EVERYBODY[1])]


def test_a_truth_of_the_whole_book_is_asked_once(running):
    """K25: INV-53 names a column like one of the sums, and was asked again for each piece of the book."""
    whole = {"INV-03", "INV-52", "INV-53", "INV-54"}

    assert {number for number in whole if INVARIANTS[number].by_household} == set()


def test_whoever_agrees_and_whoever_compares_come_one_after_the_other(running):
    """K16: the corrected list was compared while somebody agreed to a difference of the former one: what he booked
    stayed, and nobody was told (only INV-54)."""
    words = paid(running, "wechat", 2, known=True)
    book(running, words)
    running.turn(MORNING)
    keep(running, "wechat", [line(words[0])])
    reconcile_day(running.parts, "wechat", DAY)
    [missing] = rows(running, "select * from discrepancy where state = 'open'")
    clear(running.parts, missing.id, "book", "查过了", by=CLERK)

    def anew():
        keep(running, "wechat", [line(word) for word in words])
        reconcile_day(running.parts, "wechat", DAY)

    comparer, now = Thread(target=anew), running.parts.clocks.now()
    with running.parts.engine.begin() as agreeing:
        discrepancies.confirm(agreeing, missing.id, agreed=True, by=LEAD, now=now, booked_on=now.date())
        comparer.start()
        eventually(lambda: running.one("select count(*) from pg_locks where not granted")[0] >= 1, 5)
    comparer.join(10)

    [told] = rows(running, "select note, lacks from discrepancy where state = 'open'")
    assert tuple(told) == ("vanished", 32000)


@pytest.fixture
def twice(running, adult):
    """Two of one household who each paid twice, on their list: (payment of the adult, payment of his sibling)."""
    household = running.one("select household_id from person where id = :p", p=adult)[0]
    sibling = running.write(
        lambda connection: a_person(connection, id_number=an_id_number(sequence=8), household=household)
    )
    numbers = pay(running, Want(adult, MEDICAL)), pay(running, Want(sibling, MEDICAL), key="sibling-key")
    gateway = running.parts.gateways["wechat"]
    words = [
        replace(
            a_paid_word(an_attempt()),
            number=number,
            reference=f"42000TWICE{place}",
            merchant=gateway.merchant,
            app=gateway.app,
        )
        for place, number in enumerate(numbers)
    ]
    assert book(running, words) == ["surplus", "surplus"]
    running.turn(MORNING)
    return words


def by_hand(running, words, fen):
    """Of the first so much went back by hand, as their list says; compared twice."""
    hand = StatementLine(
        1, Movement.REFUND, words[0].number, words[0].reference, fen, 0, NOON, "", "50000001", "SUCCESS"
    )
    for _ in range(2):
        keep(running, "wechat", [*(line(word) for word in words), hand])
        reconcile_day(running.parts, "wechat", DAY)
    return [solve.key_of(running.parts, f"receipt:wechat:{word.reference}") for word in words]


def test_surplus_that_went_back_by_hand_is_at_its_end(running, twice):
    """K12: it stayed in doubt for ever: nobody could give it back any more, and it could pay for somebody as well."""
    mine, siblings = by_hand(running, twice, 32000)

    found = {row.cause: row.solution for row in rows(running, "select cause, solution from suspense")}
    assert found == {mine.cause: "given_back", siblings.cause: None}
    assert balances(running)["surplus:wechat"] == -32000 and "receivable:resident" not in balances(running)
    notes = [row.note for row in rows(running, "select note from discrepancy where what = 'refund'")]
    assert notes == ["by_hand_held"]


def test_the_rest_of_a_surplus_asks_for_its_own_way_back(running, twice):
    """K12: after a part went back by hand the rest was refused each minute, and INV-12 spoke for ever."""
    mine, siblings = by_hand(running, twice, 10000)
    other = running.write(
        lambda connection: a_person(
            connection, id_number=an_id_number(sequence=9), household=a_household(connection, number="0002")
        )
    )
    with pytest.raises(SuspenseUnfit):
        solve.propose(running.parts, mine, [Want(other, MEDICAL)], by=CLERK)

    assert steps.ask_for_surplus(running.parts) == 2
    asked = {row.receipt: row for row in rows(running, "select * from refund")}
    assert {cause: row.amount for cause, row in asked.items()} == {mine.cause: 22000, siblings.cause: 32000}
    agree(running.parts, asked[mine.cause].number)

    assert balances(running)["surplus:wechat"] == -32000 and balances(running)["refunds:wechat"] == -22000
    assert state(running, asked[siblings.cause].number, "refund") == "applied"


def test_surplus_asked_for_and_then_given_back_by_hand_goes_back_once(running, twice):
    """K12: the wish cannot be agreed to any more; saying no to it leaves nothing behind."""
    steps.ask_for_surplus(running.parts)
    mine, _ = by_hand(running, twice, 32000)
    number = running.one("select number from refund where receipt = :r", r=mine.cause).number

    with pytest.raises(NothingToGiveBack):
        agree(running.parts, number)
    steps.decide(running.parts, number, approved=False, reason="已由渠道退回", by=LEAD)

    assert balances(running)["surplus:wechat"] == -32000
    assert running.one("select solution from suspense where cause = :c", c=mine.cause).solution == "given_back"


def test_a_debit_without_numbers_is_booked_once_whatever_row_it_stands_in(running):
    """K6: in the corrected list another stands above it; it was booked again, and nothing named the first booking."""
    running.turn(MORNING)
    first = [nameless(32000, Movement.REFUND), nameless(32000, Movement.REFUND)]
    for listed in (first, [nameless(50000, Movement.REFUND), *first]):
        keep(running, "unionpay", listed)
        for _ in range(2):
            reconcile_day(running.parts, "unionpay", DAY)

    assert balances(running) == {"clearing:unionpay": -114000, "receivable:resident": 114000}
    assert len(rows(running, "select 1 from unasked_refund")) == 3


def test_an_agents_code_for_two_is_not_the_code_for_the_one_who_stayed(running, adult, sibling, moved, places):
    """M1: row level security hid the one who moved from his former agent, who was handed the code of 640 for 320."""
    agent = payer(actor=f"agent:{in_force(running)[FORMER]}")
    both = start(running, Want(adult, MEDICAL), Want(sibling, MEDICAL), by=agent)
    moved(adult)
    places(FORMER)

    hers = start(running, Want(sibling, MEDICAL), by=agent, key="key-0002")

    assert hers.number != both.number and (both.amount, hers.amount) == (64000, 32000)
    assert state(running, both.number) == "closed"


def test_who_proposes_and_who_agrees_never_lock_each_other(running, adult, monkeypatch):
    """K14: one held the bill and waited for the money, the other held the money and waited for the bill."""
    key = unknown(running, 32000)
    solve.propose(running.parts, key, [Want(adult, MEDICAL)], by=CLERK)
    met, meet = Event(), solve.meet

    def met_and_waiting(connection, people):
        meet(connection, people)
        met.set()
        eventually(lambda: running.one("select count(*) from pg_locks where not granted")[0] >= 1, 5)

    monkeypatch.setattr(solve, "meet", met_and_waiting)
    with ThreadPoolExecutor(2) as threads:
        again = threads.submit(solve.propose, running.parts, key, [Want(adult, MEDICAL)], by="staff:other")
        assert met.wait(5)
        agreed = threads.submit(agreed_to, running, key, by=LEAD)
        again.result()
        agreed.result()

    assert running.one("select solution from suspense").solution == "applied"


def test_two_numbers_of_one_refund_that_their_list_lacks_are_two_differences(running, adult):
    """K3: both were named by the refund's first number and made one difference, which lacked half the money."""
    payment, number = failed_and_sent_again(running, adult)
    last = running.one("select sent_as from refund").sent_as
    said = RefundOutcome("wechat", number, RefundWord.DONE, payment=payment, reference="50000009", amount=32000)
    assert take_refund(running.parts, said) == "twice"
    running.turn(MORNING)
    keep(running, "wechat", [line(word_of(running, payment))])

    reconcile_day(running.parts, "wechat", DAY)

    missing = rows(running, "select subject, number, lacks from discrepancy where kind = 'MISSING_IN_BANK'")
    assert {tuple(one) for one in missing} == {(number, number, 32000), (last, last, 32000)}


def test_what_left_twice_in_our_book_alone_is_booked_back_where_it_was_booked(running, adult):
    """K3: the second time made the payer owe it; its remedy left him owing and owed him the money as well."""
    payment, number = failed_and_sent_again(running, adult)
    said = RefundOutcome("wechat", number, RefundWord.DONE, payment=payment, reference="50000009", amount=32000)
    assert take_refund(running.parts, said) == "twice"
    running.turn(MORNING)
    last = refund_line(word_of(running, payment), running.one("select sent_as from refund").sent_as, "")
    keep(running, "wechat", [line(word_of(running, payment)), last])
    reconcile_day(running.parts, "wechat", DAY)
    [missing] = rows(running, "select * from discrepancy where state = 'open'")
    before = balances(running)
    assert (missing.subject, before["receivable:resident"]) == (number, 32000)

    clear(running.parts, missing.id, "book", "渠道没有退第二次", by=CLERK)
    confirm(running.parts, missing.id, agreed=True, by=LEAD)

    assert {"receivable:resident", "refunds:wechat"} & set(balances(running)) == set()


def test_money_known_from_the_list_alone_settles_the_bill_of_who_moved(running, adult, moved, monkeypatch):
    """M1: his payment holds the bill in the former household; the money could only go back."""
    started = start(running, Want(adult, MEDICAL))
    word = Outcome(
        "wechat", started.number, Word.PAID, reference="42000001", amount=32000, happened_at=NOON + timedelta(minutes=1)
    )
    running.turn(MORNING)
    monkeypatch.setattr("app.flows.reconcile.compare._heal", lambda *_: 0)
    keep(running, "wechat", [line(word)])
    reconcile_day(running.parts, "wechat", DAY)
    [one] = rows(running, "select * from discrepancy where state = 'open'")
    clear(running.parts, one.id, "book", "查过了", by=CLERK)
    confirm(running.parts, one.id, agreed=True, by=LEAD)
    moved(adult)
    key = solve.key_of(running.parts, "receipt:wechat:42000001")

    solve.propose(running.parts, key, [Want(adult, MEDICAL)], by=CLERK)
    agreed_to(running, key, by=LEAD)

    assert running.one("select state from bill").state == "settled"


def test_the_rest_of_a_bill_of_which_a_part_went_back_by_hand_goes_back(running, adult, sibling):
    """K12: a hundred yuan went back at the gateway; the other 220 could never be given back."""
    mine, hers = pay(running, Want(adult, MEDICAL)), pay(running, Want(sibling, MEDICAL), key="sibling-key")
    partly_by_hand(running, mine)
    with running.parts.engine.connect() as connection:
        offered = {one.person_id: one.back for one in find_refunds.giveable(connection, [adult, sibling])}
    assert offered == {adult: 22000, sibling: 32000}

    with pytest.raises(RefundChanged):
        steps.apply(running.parts, mine, by=DESK, expected=32000)
    asked = [steps.apply(running.parts, mine, by=DESK, expected=22000), steps.apply(running.parts, hers, by=DESK)]
    assert [one.amount for one in asked] == [22000, 32000]
    agree(running.parts, asked[0].number)

    left = {"refunds:wechat": -22000, "clearing:wechat": 54000, "fund:RES_MEDICAL:2022": -90000}
    assert left.items() <= balances(running).items() and "receivable:resident" not in balances(running)
    bills = rows(running, "select person_id, state from bill")
    assert {tuple(bill) for bill in bills} == {(adult, "refunded"), (sibling, "settled")}
    with pytest.raises(NothingToGiveBack):
        steps.apply(running.parts, mine, by=DESK)


def test_of_two_bills_of_one_receipt_the_last_bears_what_went_back_by_hand(running, adult, sibling):
    """K12: whatever is asked for first, the receipt gives back what it took, and nobody owes anything in the end."""
    both = pay(running, Want(adult, MEDICAL), Want(sibling, MEDICAL))
    partly_by_hand(running, both)
    bills = [row.id for row in rows(running, "select id from bill order by person_id")]

    first, last = (steps.apply(running.parts, both, by=DESK, bills=[bill]) for bill in bills)
    agree(running.parts, first.number)
    assert (first.amount, last.amount, balances(running)["receivable:resident"]) == (32000, 22000, 10000)
    agree(running.parts, last.number)

    assert balances(running) == {"refunds:wechat": -54000, "clearing:wechat": 54000}


def test_what_was_applied_after_a_part_went_back_by_hand_goes_back_whole(running, adult):
    """K12: 420 were held, 100 went back by hand, 320 settled a bill: its refund counted the hundred once more."""
    key = unknown(running, 42000)
    partly_by_hand(running, running.one("select number from suspense").number, "4200009")
    solve.propose(running.parts, key, [Want(adult, MEDICAL)], by=CLERK)
    agreed_to(running, key, by=LEAD)

    with running.parts.engine.begin() as connection:
        [bill] = find_refunds.giveable(connection, [adult])
        asked = steps.ask_for_bill(running.parts, connection, bill, Why.TWICE, by=DESK, expected=bill.back)
    agree(running.parts, asked.number)

    assert balances(running) == {"refunds:wechat": -32000, "clearing:wechat": 32000}


def partly_by_hand(running, number, reference=""):
    """A hundred yuan of a payment went back at the gateway, as the day's list says."""
    reference = reference or running.one("select reference from payment where number = :n", n=number).reference
    hand = StatementLine(1, Movement.REFUND, number, reference, 10000, 0, NOON, "", "50000001", "SUCCESS")
    running.turn(MORNING)
    keep(running, "wechat", [hand])
    reconcile_day(running.parts, "wechat", DAY)


def listed(running, *lines):
    """Their list of the day, compared twice; what stands open of its refunds."""
    keep(running, "wechat", list(lines))
    for _ in range(2):
        reconcile_day(running.parts, "wechat", DAY)
    return rows(running, "select * from discrepancy where state = 'open' and what = 'refund' order by id")


def booked_as_they_say(running, one):
    """Two people agree that a difference is booked."""
    clear(running.parts, one.id, "book", "查过了", by=CLERK)
    confirm(running.parts, one.id, agreed=True, by=LEAD)


def refunded(word, fen=32000, number="50000001"):
    """The line of a refund that somebody made at the gateway."""
    return StatementLine(1, Movement.REFUND, word.number, word.reference, fen, 0, NOON, "", number, "SUCCESS")


def broken(running):
    """The truths that speak now."""
    with running.parts.engine.connect() as connection:
        found = look(connection, list(INVARIANTS.values()), wall=running.parts.clocks.wall(), today=DAY)
    return {one.number for one in found if one.rows}


def test_a_refund_by_hand_that_a_corrected_list_no_longer_has_is_named(running, adult, sibling):
    """K16: booked from the list; the corrected list had no such line: nobody was told, the debt and the gap stayed."""
    payments = pay(running, Want(adult, MEDICAL)), pay(running, Want(sibling, MEDICAL), key="sibling-key")
    mine, hers = (word_of(running, one) for one in payments)
    running.turn(MORNING)
    both = [refunded(mine), refunded(hers, number="50000002")]
    listed(running, line(mine), line(hers), *both)

    missing, siblings = sorted(listed(running, line(mine), line(hers), both[1]), key=lambda one: one.subject)
    assert (missing.kind, missing.subject, missing.number, missing.lacks) == (
        "MISSING_IN_BANK",
        "50000001",
        mine.number,
        32000,
    )
    assert broken(running) == set()
    booked_as_they_say(running, missing)

    assert (balances(running)["receivable:resident"], balances(running)["clearing:wechat"]) == (32000, 32000)
    assert steps.apply(running.parts, mine.number, by=DESK).amount == 32000
    with pytest.raises(NothingToGiveBack):
        steps.apply(running.parts, hers.number, by=DESK)
    left = listed(running, line(mine), line(hers), both[1])
    assert [one.id for one in left] == [siblings.id] and broken(running) == set()


def test_a_refund_by_hand_that_the_list_has_again_is_owed_again(running, adult):
    """K16: there, not there, there: the payer owes it in the end, and it counts for its receipt."""
    mine = word_of(running, pay(running, Want(adult, MEDICAL)))
    running.turn(MORNING)
    listed(running, line(mine), refunded(mine))
    booked_as_they_say(running, listed(running, line(mine))[0])

    told = {one.note: one for one in listed(running, line(mine), refunded(mine))}
    booked_as_they_say(running, told["vanished"])

    assert balances(running)["receivable:resident"] == 32000 and "clearing:wechat" not in balances(running)
    with pytest.raises(NothingToGiveBack):
        steps.apply(running.parts, mine.number, by=DESK)
    assert broken(running) == set()


def test_what_was_set_off_against_a_refund_that_never_was_is_money_in_doubt(running, adult):
    """K16: the bill went back less the hundred that their list has no more: the payer is to get them after all."""
    mine = word_of(running, pay(running, Want(adult, MEDICAL)))
    running.turn(MORNING)
    listed(running, line(mine), refunded(mine, 10000))
    agree(running.parts, steps.apply(running.parts, mine.number, by=DESK).number)

    booked_as_they_say(running, listed(running, line(mine))[0])

    assert balances(running) == {"refunds:wechat": -22000, "suspense:wechat": -10000, "clearing:wechat": 32000}
    assert running.one("select amount from suspense where solved_at is null").amount == 10000
    assert broken(running) == set()


def test_a_wish_that_sets_off_what_never_went_back_is_not_agreed_to(running, adult):
    """K16: booked back between the wish and the approval; asked for anew, all of it goes back."""
    mine = word_of(running, pay(running, Want(adult, MEDICAL)))
    running.turn(MORNING)
    listed(running, line(mine), refunded(mine, 10000))
    number = steps.apply(running.parts, mine.number, by=DESK).number
    booked_as_they_say(running, listed(running, line(mine))[0])

    with pytest.raises(NothingToGiveBack):
        agree(running.parts, number)
    steps.decide(running.parts, number, approved=False, reason="请重新申请", by=LEAD)

    assert steps.apply(running.parts, mine.number, by=DESK).amount == 32000


def test_surplus_that_never_went_back_by_hand_waits_again(running, twice):
    """K16: solved as given back at the gateway, whose list has no such refund now: it asks for its own way back."""
    mine, siblings = by_hand(running, twice, 32000)
    [missing] = listed(running, *(line(word) for word in twice))
    booked_as_they_say(running, missing)

    assert balances(running)["surplus:wechat"] == -64000
    assert {row.cause for row in rows(running, "select cause from suspense where solved_at is null")} == {
        mine.cause,
        siblings.cause,
    }
    assert [row.word for row in rows(running, "select word from suspense_step order by step")] == [
        "given_back",
        "there_again",
    ]
    assert steps.ask_for_surplus(running.parts) == 2 and broken(running) == set()


def test_an_amount_that_was_booked_and_corrected_again_ends_at_what_the_list_says(running):
    """K16: 330 was booked for 320, then the list said 340 and 330 again: clearing had 350, and money that never was."""
    words = paid(running, "wechat", 2, known=True)
    book(running, words)
    running.turn(MORNING)
    for fen in (33000, 34000, 33000, 32000, 34000):
        keep(running, "wechat", [line(words[0], amount=fen), line(words[1], amount=32500)])
        reconcile_day(running.parts, "wechat", DAY)
        for one in rows(running, "select * from discrepancy where state = 'open' order by id"):
            booked_as_they_say(running, one)

        assert balances(running)["clearing:wechat"] == fen + 32500
        held = rows(running, "select amount from suspense where solved_at is null order by amount")
        assert sum(row.amount for row in held) == fen + 32500 - 64000 and held[0].amount == 500
        assert broken(running) == set()


def test_surplus_that_went_back_by_hand_after_all_is_at_its_end_again(running, twice):
    """K16: there, not there, there: what waited again is given back, and nothing is taken from the sibling's."""
    mine, siblings = by_hand(running, twice, 32000)
    booked_as_they_say(running, listed(running, *(line(word) for word in twice))[0])
    by_hand(running, twice, 32000)
    [told] = rows(running, "select * from discrepancy where state = 'open' and note = 'vanished'")
    booked_as_they_say(running, told)

    found = {row.cause: row.solution for row in rows(running, "select cause, solution from suspense")}
    assert found == {mine.cause: "given_back", siblings.cause: None}
    assert balances(running)["surplus:wechat"] == -32000 and broken(running) == set()
