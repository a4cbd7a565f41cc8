"""What a stranger found in the money's paths: lists that come anew, money given back by hand, two hands at once."""

from payments.invariants import EVERYBODY, INVARIANTS, pieces
from tests.builders import a_bill


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
