"""Two implementations, one written from the notice as tables, agree on every output of the whole input space."""

from dataclasses import replace
from datetime import date
from itertools import combinations, product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.policy.cases import questions
from app.policy.facts import (
    Category,
    Decision,
    Determination,
    Elsewhere,
    Employment,
    Facts,
    FamilyType,
    Insurance,
    Residence,
    Sex,
    SpecialCase,
)
from app.policy.quote import quote
from app.policy.worked import OUTPUTS
from tests.app.policy.people import ORDINARY, RULES, when
from tests.app.policy.second import COLUMNS, answer
from tests.app.policy.test_cases import TABLE
from tests.app.policy.test_properties import between, rarely, sponsor

TIERS = [None, -1, 0, 20000, 30050, 70000, 500100, *RULES.pension.tiers]
NEAR_EDGES = ["1951-12-31", "1952-01-01", "1961-12-31", "1962-01-01", "1961-11-05", "1962-12-31", "2004-02-29"]
NEAR_EDGES += ["2005-11-05", "2006-12-31", "1960-02-29", "1964-02-29", "2021-08-31", "2022-05-31", "2021-07-01"]
births = st.one_of(
    st.dates(date(1920, 1, 1), date(2023, 2, 1)),
    st.dates(date(2021, 6, 1), date(2022, 12, 31)),
    st.dates(date(1961, 9, 1), date(2006, 12, 31)),
    st.sampled_from([date.fromisoformat(day) for day in NEAR_EDGES]),
)
wives = st.one_of(
    st.none(), st.dates(date(1950, 1, 1), date(2000, 1, 1)), st.sampled_from([date(1971, 12, 31), date(1972, 1, 1)])
)
determinations = st.one_of(
    st.none(),
    st.builds(
        Determination,
        st.sampled_from(Decision),
        st.one_of(st.none(), st.integers(1, 900000)),
        st.lists(st.integers(2010, 2022), max_size=3, unique=True).map(tuple),
        st.one_of(st.none(), st.dates(date(2022, 1, 1), date(2022, 12, 31))),
    ),
)
people = st.builds(
    Facts,
    insurance=st.sampled_from(Insurance),
    birth_date=births,
    sex=st.sampled_from(Sex),
    residence=rarely(st.sampled_from(Residence), Residence.HUKOU),
    permit_to=st.one_of(st.none(), st.dates(date(2021, 10, 1), date(2023, 1, 31))),
    parent_known=st.booleans(),
    registered=rarely(st.booleans(), True),
    alive=rarely(st.booleans(), True),
    categories=st.one_of(st.just(frozenset()), st.frozensets(st.sampled_from(Category), max_size=3)),
    student=rarely(st.booleans(), False),
    employee_insured=rarely(st.sampled_from(Employment), Employment.NONE),
    insured_elsewhere=rarely(st.frozensets(st.sampled_from(Elsewhere), max_size=2), frozenset()),
    already_paid=rarely(st.booleans(), False),
    family_type=st.sampled_from(FamilyType),
    spouse_birth=wives,
    special_case=st.one_of(st.just(SpecialCase.NONE), st.sampled_from(SpecialCase)),
    determination=determinations,
    sponsors=st.lists(sponsor, max_size=3).map(tuple),
)


def test_both_speak_of_the_same_columns():
    assert COLUMNS == OUTPUTS


@settings(max_examples=1000, deadline=None)
@given(people, between("2021-09-01", "2023-02-02"), st.sampled_from(sorted(RULES.channels)), st.sampled_from(TIERS))
def test_the_second_reckoning_gives_the_same_on_every_column(facts, at, channel, tier):
    quoted = quote(RULES, facts, at=at, channel=channel, tier=tier)

    assert {column: getattr(quoted, column) for column in OUTPUTS} == answer(facts, at, channel, tier)


@pytest.mark.parametrize("insurance", Insurance)
@pytest.mark.parametrize("day", ["2021-11-05", "2021-12-31", "2022-01-01", "2022-11-30", "2022-12-31", "2023-01-01"])
def test_the_second_reckoning_gives_the_same_for_every_one_and_every_pair_of_categories(insurance, day):
    groups = [frozenset(group) for size in (0, 1, 2) for group in combinations(Category, size)]
    born = [date.fromisoformat(born) for born in ("1951-12-31", "1952-01-01", "1962-01-01", "1985-06-15", "2004-02-29")]
    for categories, birth_date, tier in product(groups, born, (None, 10000, 30000, 60000, 500000)):
        facts = replace(ORDINARY, insurance=insurance, birth_date=birth_date, categories=categories)
        at = when(f"{day} 12:00")

        quoted = quote(RULES, facts, at=at, channel="self", tier=tier)

        assert {column: getattr(quoted, column) for column in OUTPUTS} == answer(facts, at, "self", tier), facts


@pytest.mark.parametrize("asked", list(questions(TABLE, RULES)))
def test_the_second_reckoning_gives_the_same_on_the_golden_cases(asked):
    facts, at, channel, tier, *_ = asked

    quoted = quote(RULES, facts, at=at, channel=channel, tier=tier)

    assert {column: getattr(quoted, column) for column in OUTPUTS} == answer(facts, at, channel, tier)
