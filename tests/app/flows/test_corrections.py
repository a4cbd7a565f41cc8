"""Lists and files that come anew with other facts, and money that somebody moved without asking: what was booked stays
right, or somebody is told."""

from dataclasses import replace
from datetime import date, timedelta

import pytest

from app.flows.pay.start import Want
from app.flows.reconcile.clear_difference import clear, confirm
from app.flows.reconcile.compare import reconcile_day, watch_differences
from app.flows.refund import steps
from app.flows.suspense import solve
from app.policy.facts import Insurance
from payments.reconcile.discrepancies import DifferenceEnded, remedies
from payments.reconcile.outside_files import BadOutsideFile
from payments.taking import find as find_money
from tests.app.flows.test_import_outside import BUREAU, POS, TREASURY, a_file, a_pos_line, take
from tests.builders import NOON, a_household, a_paid_word, a_person, an_attempt, an_id_number
from tests.days import DAY, MORNING, book, differences, keep, line, paid
from tests.refunding import CLERK, DESK, LEAD, agreed, balances, pay, rows, run_refunds, start

MEDICAL = Insurance.RES_MEDICAL
ONE = timedelta(days=1)


def booked_by_two(running, key: int) -> None:
    clear(running.parts, key, "book", "查过了", by=CLERK)
    confirm(running.parts, key, agreed=True, by=LEAD)


def the_open(running):
    return rows(running, "select * from discrepancy where state = 'open' order by id")


@pytest.fixture
def two(running):
    """Two premiums of DAY; the list of the next morning lacks the second, and two people have booked that."""
    words = paid(running, "wechat", 2, known=True)
    book(running, words)
    running.turn(MORNING + timedelta(hours=2))
    keep(running, "wechat", [line(words[0])])
    reconcile_day(running.parts, "wechat", DAY)
    watch_differences(running.parts)
    [missing] = the_open(running)
    booked_by_two(running, missing.id)
    assert balances(running)["receivable:resident"] == 32000
    return words


def test_what_was_booked_for_a_difference_that_is_no_more_is_told_and_can_be_booked_back(running, two):
    """K16: the corrected list agreed with the book again, the booking stayed, and nobody was told."""
    for _ in range(2):
        keep(running, "wechat", [line(word) for word in two])
        reconcile_day(running.parts, "wechat", DAY)
    [told] = the_open(running)
    assert (told.note, told.ours, told.lacks, remedies(told)) == ("vanished", -32000, 32000, ["accept", "book"])
    assert watch_differences(running.parts) == 1

    booked_by_two(running, told.id)
    reconcile_day(running.parts, "wechat", DAY)

    assert the_open(running) == []
    assert balances(running)["clearing:wechat"] == 64000 and "receivable:resident" not in balances(running)


def test_a_booked_difference_whose_facts_are_there_again_needs_nobody(running, two):
    """K16: what was told goes by itself when the list says again what was booked."""
    keep(running, "wechat", [line(word) for word in two])
    reconcile_day(running.parts, "wechat", DAY)
    keep(running, "wechat", [line(two[0])])

    reconcile_day(running.parts, "wechat", DAY)

    assert the_open(running) == []
    assert balances(running)["clearing:wechat"] == 32000


@pytest.fixture
def held_too_much(running):
    """Ten yuan that the first list had and the corrected one has not, in suspense: (its key, what tells of it)."""
    words = paid(running, "wechat", 2, known=True)
    book(running, words)
    running.turn(MORNING)
    keep(running, "wechat", [line(words[0]), line(words[1], amount=33000)])
    reconcile_day(running.parts, "wechat", DAY)
    booked_by_two(running, the_open(running)[0].id)
    keep(running, "wechat", [line(word) for word in words])
    reconcile_day(running.parts, "wechat", DAY)
    [told] = the_open(running)
    [held] = rows(running, "select cause from suspense")
    return solve.key_of(running.parts, held.cause), told


def test_what_was_held_for_a_difference_that_is_no_more_is_booked_back(running, held_too_much):
    """K16: ten yuan that never existed lay in suspense, whose only ends were to apply them or to give them back."""
    _, told = held_too_much
    assert (told.note, told.lacks, remedies(told)) == ("vanished", -1000, ["accept", "book"])

    booked_by_two(running, told.id)

    assert balances(running)["clearing:wechat"] == 64000 and "suspense:wechat" not in balances(running)
    assert rows(running, "select solution, solved_by from suspense") == [("never_there", LEAD)]
    assert [row.word for row in rows(running, "select word from suspense_step")] == ["never_there"]


def test_what_was_held_and_is_asked_back_is_not_booked_back_as_well(running, held_too_much):
    """K16: real money would go out of what is gone; whoever agreed after the other is refused."""
    key, told = held_too_much
    clear(running.parts, told.id, "book", "查过了", by=CLERK)
    asked = solve.give_back(running.parts, key, by=DESK)
    with pytest.raises(DifferenceEnded):
        confirm(running.parts, told.id, agreed=True, by=LEAD)

    steps.decide(running.parts, asked.number, approved=True, by=LEAD)
    keep(running, "wechat", [])
    reconcile_day(running.parts, "wechat", DAY)

    with pytest.raises(DifferenceEnded):
        confirm(running.parts, told.id, agreed=True, by=LEAD)
    assert running.one("select solution from suspense").solution == "given_back"


@pytest.fixture
def unheard(running):
    """Two payments that only their list has, under numbers that are not ours: one person has proposed to book each."""
    words = [
        replace(a_paid_word(an_attempt()), number=f"SHOP{place}", reference=f"4200099{place}", amount=16000)
        for place in range(2)
    ]
    running.turn(MORNING)
    keep(running, "wechat", [line(word) for word in words])
    reconcile_day(running.parts, "wechat", DAY)
    for one in the_open(running):
        clear(running.parts, one.id, "book", "查过了", by=CLERK)
    return words, [row.id for row in rows(running, "select id from discrepancy order by id")]


def test_what_has_come_otherwise_is_not_booked_for_a_difference(running, unheard):
    """K7: the callback came between the proposal and the second person; the booking was an unhandled LX001."""
    words, keys = unheard
    assert book(running, [words[0]]) == ["suspense"]

    with pytest.raises(DifferenceEnded):
        confirm(running.parts, keys[0], agreed=True, by=LEAD)
    confirm(running.parts, keys[1], agreed=True, by=LEAD)

    assert balances(running) == {"clearing:wechat": 32000, "suspense:wechat": -32000}
    assert [row.state for row in rows(running, "select state from discrepancy order by id")] == ["proposed", "cleared"]
    reconcile_day(running.parts, "wechat", DAY)
    gone = "select state, remedy from discrepancy where id = :id"
    assert [tuple(row) for row in rows(running, gone, id=keys[0])] == [("cleared", "gone")]


def test_nothing_is_booked_for_a_list_that_is_there_anew(running, unheard):
    """K7: what was seen is compared with what is there now, before money moves."""
    words, keys = unheard
    keep(running, "wechat", [line(words[1])])

    with pytest.raises(DifferenceEnded):
        confirm(running.parts, keys[1], agreed=True, by=LEAD)
    reconcile_day(running.parts, "wechat", DAY)
    confirm(running.parts, keys[1], agreed=True, by=LEAD)

    assert balances(running) == {"clearing:wechat": 16000, "suspense:wechat": -16000}


def test_money_a_difference_booked_goes_back_by_transfer_under_their_true_reference(running):
    """K19: the gateway was asked to give back of a trade called "booked"."""
    words = paid(running, "wechat", 2, known=True)
    book(running, words)
    running.turn(MORNING)
    keep(running, "wechat", [line(words[0]), line(words[1]), line(words[1])])
    reconcile_day(running.parts, "wechat", DAY)
    booked_by_two(running, the_open(running)[0].id)
    [held] = rows(running, "select cause from suspense")

    asked = solve.give_back(running.parts, solve.key_of(running.parts, held.cause), by=DESK)
    steps.decide(running.parts, asked.number, approved=True, by=LEAD)
    run_refunds(running, asked.number, "failed")

    [row] = rows(running, "select reference, their_word, queries from refund")
    assert (row.reference, row.their_word) == (words[1].reference, "no_way_back")


def confirmed(serial: str, sequence: int, amount: str, day: date = DAY, act: str = "PAY") -> str:
    number = an_id_number(sequence=sequence)
    return f"{serial},RES_MEDICAL,2022,{number},{amount},{day},{day + ONE},{act}"


def test_who_pays_nothing_is_right_with_a_line_of_nothing_and_without_one(running, adult):
    """K13: each was MISSING_IN_BANK, and 0.00 was refused."""
    waived = running.write(
        lambda connection: a_person(
            connection, id_number=an_id_number(sequence=5), categories=("DIBAO",), insurances=("RES_MEDICAL",)
        )
    )
    pay(running, Want(adult, MEDICAL))
    start(running, Want(waived, MEDICAL), key="waived-key")
    assert running.one("select count(*) from bill where state = 'settled' and personal_due = 0")[0] == 1
    running.turn(MORNING)

    take(running, "bureau", a_file(BUREAU, confirmed("R1", 7, "320.00"), total="320.00"))
    assert differences(running) == []
    take(running, "bureau", a_file(BUREAU, confirmed("R2", 5, "0.00"), total="0.00"))

    assert differences(running) == []
    assert running.one("select verdict from outside_row where serial = 'R2'")[0] == "matched"
    take(running, "bureau", a_file(BUREAU, confirmed("R3", 5, "0.00"), total="0.00"))
    assert [(kind, subject) for kind, subject, *_ in differences(running)] == [("DUPLICATE", "R3")]


def test_pay_and_refund_and_pay_again_is_confirmed_line_by_line(running, both):
    """K13: the second payment was a DUPLICATE of the one that had been given back."""
    mine, _ = both
    run_refunds(running, agreed(running.parts, mine).number, "paid")
    person = running.one("select person_id from bill where state = 'refunded'")[0]
    pay(running, Want(person, MEDICAL), key="again-key")
    running.turn(MORNING)
    lines = [
        confirmed("R1", 7, "320.00"),
        confirmed("R2", 7, "320.00", act="REVERSE"),
        confirmed("R3", 7, "320.00"),
        confirmed("R4", 8, "320.00"),
    ]

    take(running, "bureau", a_file(BUREAU, *lines, total="1280.00"))

    assert differences(running) == []
    assert {row.verdict for row in rows(running, "select verdict from outside_row")} == {"matched"}
    take(running, "bureau", a_file(BUREAU, confirmed("R5", 7, "320.00"), total="320.00"))
    assert [(kind, subject) for kind, subject, *_ in differences(running)] == [("DUPLICATE", "R5")]


def test_a_day_on_which_more_went_back_than_came_is_booked_by_the_treasury(running, both):
    """K24: our book has -320 for that day, and no line of a file could say so."""
    mine, _ = both
    running.turn(NOON + 2 * ONE)
    run_refunds(running, agreed(running.parts, mine).number, "paid")
    running.turn(NOON + 6 * ONE)
    lines = [
        f"T1,2021-11-08,{DAY},RES_MEDICAL,2022,保费,640.00",
        f"T2,2021-11-10,{DAY + 2 * ONE},RES_MEDICAL,2022,保费,-320.00",
    ]

    take(running, "treasury", a_file(TREASURY, *lines, total="320.00"))

    assert differences(running) == []
    assert balances(running)["treasury:RES_MEDICAL:2022"] == 32000


def test_only_premiums_go_back_from_the_treasury(running):
    """K24: a subsidy of less than nothing is a mistake of the file."""
    wrong = f"T1,2021-11-08,{DAY},RES_MEDICAL,2022,财政补贴,-580.00"

    with pytest.raises(BadOutsideFile):
        take(running, "treasury", a_file(TREASURY, wrong, total="-580.00"))


@pytest.fixture
def three(running, adult):
    """The adult (number 7), a sibling (8), and somebody of another household (9)."""
    household = running.one("select household_id from person where id = :p", p=adult)[0]
    running.write(lambda connection: a_person(connection, id_number=an_id_number(sequence=8), household=household))
    running.write(
        lambda connection: a_person(
            connection, id_number=an_id_number(sequence=9), household=a_household(connection, number="0002")
        )
    )
    running.turn(MORNING + 3 * ONE)


def a_card(running, sequence: int, **also: str):
    return take(running, "pos", a_file(POS, a_pos_line(who=an_id_number(sequence=sequence), **also), total="320.00"))


def paid_for(running) -> list[int]:
    settled = "select person_id from bill where state = 'settled' order by settled_at"
    return [row.person_id for row in rows(running, settled)]


@pytest.mark.parametrize("named", [8, 9, 99], ids=["a sibling", "another household", "nobody"])
def test_a_corrected_file_that_names_another_takes_the_place_of_the_first(running, three, named):
    """K8: it was booked twice, then refused by a key; nobody could ever correct it."""
    a_card(running, 7)
    [first] = paid_for(running)

    assert a_card(running, named).taken

    assert paid_for(running) == [first], "what was settled is given back by two people, not by a file"
    assert balances(running)["clearing:ccb_pos"] == 32000, "one card, booked once"
    [told] = the_open(running)
    assert (told.kind, told.note, told.lacks, remedies(told)) == ("UNKNOWN_PERSON", "elsewhere", 0, ["accept"])
    running.write(lambda connection: reconcile_again(running))
    assert len(the_open(running)) == 1

    content = a_file(POS, a_pos_line(who=an_id_number(sequence=7)), a_pos_line("000002", "1.00"), total="321.00")
    take(running, "pos", content)
    assert [one.subject for one in the_open(running)] == ["T0001-000002"], "the first name was right after all"


def reconcile_again(running) -> None:
    reconcile_day(running.parts, "ccb_pos", DAY)


def test_a_trace_that_a_terminal_counts_anew_is_another_payment(running, three):
    """K8: the same terminal and trace on another day was taken for the first, and the money was nowhere."""
    a_card(running, 7)
    for _ in range(2):
        a_card(running, 8, at="2021-11-06 10:00:00")
    a_card(running, 9, at="2021-11-07 10:00:00")

    assert balances(running)["clearing:ccb_pos"] == 3 * 32000
    assert len(set(paid_for(running))) == 3
    assert differences(running) == []


def test_a_receipt_is_found_by_its_bill(running, three):
    """K8: a line that comes again for the same person changes nothing."""
    a_card(running, 7)
    with running.parts.engine.connect() as connection:
        [row] = rows(running, "select household_id, id from bill where state = 'settled'")
        bill, _ = find_money.bill_with_lines(connection, row.household_id, row.id)
    content = a_file(POS, a_pos_line(who=an_id_number(sequence=7), item=str(bill.id)), total="320.00")

    assert take(running, "pos", content).open == 0

    assert balances(running)["clearing:ccb_pos"] == 32000
