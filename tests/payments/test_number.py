"""A number carries its household, and what cannot be ours carries none."""

from datetime import date

import pytest

from payments.number import REFUND, household_of, new_number


@pytest.mark.parametrize("household", [0, 1, 31, 32, 2**40 - 1])
def test_a_number_carries_its_household(household):
    assert household_of(new_number(household, date(2021, 11, 5))) == household
    assert household_of(new_number(household, date(2021, 11, 5), kind=REFUND)) == household


@pytest.mark.parametrize("odd", ["", "YC", "XX2111050000000711111111AA", "YC211105000000UI11111111AA", "YC" + "0" * 40])
def test_what_cannot_be_ours_carries_none(odd):
    assert household_of(odd) == 0
