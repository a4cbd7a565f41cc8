"""Every file reckoned a second time gives the same on every output: cases, worked examples, and people at its edges."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.policy.cases import questions
from app.policy.quote import quote
from app.policy.worked import OUTPUTS
from tests.app.policy.anew.answer import COLUMNS, answer
from tests.app.policy.files import HERE, NAMES, channel, file_of, moment, person

TABLES = [(path, path.stem) for path in sorted((HERE / "places").glob("*.csv"))]
TABLES += [(HERE / "policy_cases.csv", "2022"), (HERE / "zaozhuang_2025.csv", "2025")]


def both(file, facts, at, channel, tier, level, months):
    """(the program's answer, the second reckoning's), column by column."""
    quoted = quote(file.rules, facts, at=at, channel=channel, tier=tier, level=level, bought_months=months)
    got = {column: getattr(quoted, column) for column in (*COLUMNS, "bought_months")}
    got["other_funds"] = sum(fund.amount for fund in quoted.funds)
    return got, answer(file.text, facts, at, channel, tier, level=level, bought=months)


def test_the_second_reckoning_has_every_output():
    assert set(OUTPUTS) <= set(COLUMNS)


@pytest.mark.parametrize("name", NAMES)
def test_every_worked_example_is_reckoned_the_same(name):
    file = file_of(name)

    for each in file.examples:
        got, expected = both(file, each.facts, each.at, each.channel, each.tier, each.level, each.bought_months)
        assert got == expected, each.title


@pytest.mark.parametrize(("table", "name"), TABLES)
def test_every_case_is_reckoned_the_same(table, name):
    file = file_of(name)

    for facts, at, by, tier, level, months in questions(table, file.rules):
        got, expected = both(file, facts, at, by, tier, level, months)
        assert got == expected


@pytest.mark.parametrize("name", NAMES)
def test_anybody_at_the_edges_of_a_file_is_reckoned_the_same(name):
    file = file_of(name)

    @settings(max_examples=25, deadline=None)
    @given(st.randoms(use_true_random=True))
    def same(chance):
        for _ in range(10):
            facts, by = person(file, chance), channel(chance)
            at = moment(file, chance, facts.birth_date)
            tier, level, months = chance.choice(file.tiers), chance.choice(file.levels), chance.choice((0, 0, 1, 2, 9))
            got, expected = both(file, facts, at, by, tier, level, months)
            assert got == expected, (facts, at, by, tier, level, months)

    same()
