"""The judge of sponsors by itself: a share that is left out, doubled or given to somebody else is noticed. Pure."""

from datetime import date

from tests.simulate.owed import MEDICAL, Item
from tests.simulate.pledges import Bill, Pledge, added_up, chain, fitting, off, strays

DAY = date(2021, 11, 5)
HALF = Pledge(1, "ZZ1", 2022, "PCT", 5000, 100_00, None, None, frozenset(), DAY)
FIFTY = Pledge(2, "ZZ2", 2022, "FIX", 50_00, 100_00, None, None, frozenset(), DAY)
ALL = Pledge(3, "ZZ3", 2022, "ALL", 0, 400_00, None, None, frozenset(), DAY)


def a_bill(number: int, due: int, *, settled: bool = True) -> Bill:
    return Bill(number, Item(number, MEDICAL, 2022), due, settled, (), None)


def test_each_pays_of_what_those_before_it_left() -> None:
    assert chain([HALF, FIFTY], 320_00) == (110_00, {1: 160_00, 2: 50_00})
    assert chain([FIFTY, ALL], 320_00) == (0, {2: 50_00, 3: 270_00})
    assert chain([HALF], 320_00, most={1: 100_00}) == (320_00, {}), "in the place of another bill it gives no more"


def test_what_a_resident_paid_says_which_of_two_reckonings_it_was() -> None:
    before, after = (320_00, {}), (160_00, {1: 160_00})

    assert list(fitting(a_bill(1, 160_00), [before, after])) == [{1: 160_00}]
    assert list(fitting(a_bill(1, 200_00), [before, after])) == []


def test_a_share_left_out_of_a_settled_bill_doubled_or_anothers_is_noticed() -> None:
    bill, other = a_bill(1, 160_00), a_bill(2, 320_00)
    reckoned: dict[int, dict[int, int]] = {1: {1: 160_00}, 2: {}}

    assert off([(bill, {1: 160_00}, reckoned[1]), (other, {}, reckoned[2])]) == []
    for lines, others in (({}, {}), ({1: 320_00}, {}), ({2: 160_00}, {}), ({1: 160_00}, {1: 160_00})):
        assert off([(bill, lines, reckoned[1]), (other, others, reckoned[2])])


def test_of_a_pledge_what_is_being_paid_is_reserved_and_what_is_settled_is_used() -> None:
    bills = [(a_bill(1, 160_00), {1: 160_00}), (a_bill(2, 270_00, settled=False), {2: 50_00, 1: 10_00})]

    spoken = added_up(bills)

    assert (dict(spoken.reserved), dict(spoken.used)) == ({2: 50_00, 1: 10_00}, {1: 160_00})
    assert spoken.own[1, 1] == 160_00 and spoken.own[1, 2] == 10_00


def test_a_share_that_stays_used_at_a_bill_that_went_back_is_noticed() -> None:
    assert strays({1: {1: 160_00}}, {1, 2}) == []
    assert len(strays({1: {1: 160_00}, 7: {1: 320_00}}, {1, 2})) == 1
