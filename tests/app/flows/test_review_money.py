"""What a stranger found in the money's paths: lists that come anew, money given back by hand, two hands at once."""

from threading import Thread

from app.flows.clear_difference import clear
from app.flows.reconcile import reconcile_day
from payments import discrepancies
from payments.invariants import EVERYBODY, INVARIANTS, pieces
from tests.builders import a_bill
from tests.days import DAY, MORNING, book, keep, line, paid
from tests.refunding import CLERK, LEAD, rows
from tests.system import eventually


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
