"""What holds under every year's file, real or not, for anybody at any moment."""

from dataclasses import replace
from datetime import timedelta
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.policy.answer import Eligible, Part, PriceBasis
from app.policy.facts import Insurance, SpecialCase
from app.policy.quote import quote
from tests.app.policy.anew.asking import WHO, Asking
from tests.app.policy.files import DAY, NAMES, channel, file_of, moment, person

AMOUNTS = ("total", "personal_due", "gov_substitute", "sponsor_share", "gov_subsidy", "couple_bonus", "account_credit")
ANSWERS = (*AMOUNTS, "eligible", "reason_code", "price_basis", "waiting_end", "benefit_start", "benefit_end", "lines")
INSTANT = timedelta(microseconds=1)
AGED = ("from_age", "to_age", "born_from", "born_to")
MEDICAL = [name for name in NAMES if file_of(name).rules.has_medical]
REAL = [name for name in NAMES if name != "every_shape"]  # its late terms do not stand in the order of what they cost


def asked(file, facts, at, **chosen):
    """The answer to somebody who pays himself, if nothing else is said."""
    return quote(file.rules, facts, at=at, **{"channel": "self", "tier": None, **chosen})


def for_anybody(name, check, *, insurance=None, asks=12, examples=8):
    """Puts people of a file to a check: (file, facts, moment, chance)."""
    file = file_of(name)

    @settings(max_examples=examples, deadline=None)
    @given(st.randoms(use_true_random=True))
    def holds(chance: Random):
        for _ in range(asks):
            facts = person(file, chance)
            facts = replace(facts, insurance=insurance) if insurance else facts
            check(file, facts, moment(file, chance, facts.birth_date), chance)

    holds()


@pytest.mark.parametrize("name", NAMES)
def test_the_lines_add_up_and_nobody_pays_a_negative(name):
    def check(file, facts, at, chance):
        choice = {"channel": channel(chance), "tier": chance.choice(file.tiers), "level": chance.choice(file.levels)}
        quoted = asked(file, facts, at, bought_months=chance.choice((0, 1, 9)), **choice)
        if quoted.eligible is not Eligible.YES:
            assert quoted.lines == () and all(getattr(quoted, amount) is None for amount in AMOUNTS)
            return
        own = [line for line in quoted.lines if line.fund == facts.insurance]
        of = {part: sum(line.amount for line in own if line.part is part) for part in Part}
        assert all(line.amount > 0 for line in quoted.lines)
        assert (of[Part.PERSONAL], of[Part.GOV_SUBSTITUTE]) == (quoted.personal_due, quoted.gov_substitute)
        assert (of[Part.SPONSOR], of[Part.GOV_SUBSIDY]) == (quoted.sponsor_share, quoted.gov_subsidy)
        assert of[Part.COUPLE_BONUS] == (quoted.couple_bonus or 0)
        borne = of[Part.PERSONAL] + of[Part.GOV_SUBSTITUTE] + of[Part.SPONSOR]
        if facts.insurance is Insurance.RES_PENSION:
            assert (borne, borne + quoted.gov_subsidy + quoted.couple_bonus) == (quoted.total, quoted.account_credit)
        else:
            assert borne + quoted.gov_subsidy == quoted.total
        assert quoted.to_pay == quoted.personal_due + sum(fund.amount for fund in quoted.funds) >= 0
        mine = sum(line.amount for line in quoted.lines if line.part is Part.PERSONAL)
        assert (quoted.to_pay, quoted.whole) == (
            mine,
            quoted.total + sum(line.amount for line in set(quoted.lines) - set(own)),
        )

    for_anybody(name, check)


@pytest.mark.parametrize("name", NAMES)
def test_a_price_changes_at_the_moment_that_it_names_and_not_before(name):
    def check(file, facts, at, chance):
        choice = {"channel": channel(chance), "tier": chance.choice(file.tiers), "level": chance.choice(file.levels)}
        quoted = asked(file, facts, at, **choice)
        if quoted.price_until is None or quoted.reason_code == "BACKPAY_APPROVED":
            return
        before, then = (
            asked(file, facts, when, **choice) for when in (quoted.price_until - INSTANT, quoted.price_until)
        )
        assert [getattr(before, amount) for amount in AMOUNTS] == [getattr(quoted, amount) for amount in AMOUNTS]
        if name in REAL:  # elsewhere the days of a rule that stands behind another one end there too
            assert [getattr(then, each) for each in ANSWERS] != [getattr(before, each) for each in ANSWERS]
        assert at < quoted.price_until

    for_anybody(name, check)


@pytest.mark.parametrize("name", MEDICAL)
def test_who_pays_later_at_one_price_is_not_covered_earlier_and_never_without_a_day_of_it(name):
    def check(file, facts, at, chance):
        quoted = asked(file, facts, at)
        if quoted.price_until is None or quoted.reason_code == "BACKPAY_APPROVED":
            return
        days = (quoted.price_until - at) // DAY
        later = asked(file, facts, at + DAY * chance.randint(0, days))
        if (later.reason_code, later.price_until) == (quoted.reason_code, quoted.price_until):
            assert quoted.benefit_start <= later.benefit_start
        assert facts.enrolled is not None or quoted.benefit_start <= quoted.benefit_end

    for_anybody(name, check, insurance=Insurance.RES_MEDICAL)


@pytest.mark.parametrize("name", MEDICAL)
def test_a_longer_gap_is_no_shorter_wait_and_a_bought_month_no_longer_one(name):
    def check(file, facts, at, chance):
        missed, months = chance.randint(1, 7), chance.randint(0, 7)
        gaps = [replace(facts, enrolled=frozenset({file.rules.year - 1 - each})) for each in (missed, missed + 1)]
        shorter, longer = (asked(file, each, at) for each in gaps)
        fewer, more = (asked(file, gaps[0], at, bought_months=each) for each in (months, months + 1))
        if shorter.eligible is not Eligible.YES or shorter.reason_code == "BACKPAY_APPROVED":
            assert longer.eligible is shorter.eligible and more.eligible is shorter.eligible
            return
        assert shorter.benefit_start <= longer.benefit_start
        assert more.benefit_start <= fewer.benefit_start <= shorter.benefit_start
        assert more.personal_due - fewer.personal_due in (
            0,
            (more.personal_due - shorter.personal_due) // max(more.bought_months, 1),
        )
        assert fewer.bought_months <= months and more.bought_months - fewer.bought_months in (0, 1)

    for_anybody(name, check, insurance=Insurance.RES_MEDICAL)


@pytest.mark.parametrize("name", REAL)
def test_one_more_group_never_costs_more(name):
    def check(file, facts, at, chance):
        more = replace(facts, categories=facts.categories | {chance.choice(file.groups or ("TEKUN",))})
        choice = {"tier": chance.choice(file.tiers), "level": chance.choice(file.levels)}
        plain, helped = asked(file, facts, at, **choice), asked(file, more, at, **choice)
        if plain.eligible is Eligible.YES and helped.eligible is Eligible.YES:
            assert helped.personal_due <= plain.personal_due

    for_anybody(name, check)


@pytest.mark.parametrize("name", MEDICAL)
def test_an_age_changes_nothing_where_the_file_names_none(name):
    def side(file, facts, at):
        """On which side of every age and span that the medical insurance names somebody stands."""
        case = Asking(file.text, facts, at.date(), "self", None, None, 0)
        return [[WHO[key](said, case, False) for key in AGED for said in file.turns.get(key, ())]]

    def check(file, facts, at, chance):
        facts = replace(facts, special_case=SpecialCase.NONE)
        other = replace(facts, birth_date=person(file, chance).birth_date)
        if side(file, facts, at) == side(file, other, at):
            level = chance.choice(file.levels)
            one, two = (asked(file, each, at, level=level) for each in (facts, other))
            assert [getattr(one, each) for each in ANSWERS[:-1]] == [getattr(two, each) for each in ANSWERS[:-1]]

    for_anybody(name, check, insurance=Insurance.RES_MEDICAL)


@pytest.mark.parametrize("name", NAMES)
def test_the_same_facts_get_the_same_answer(name):
    def check(file, facts, at, chance):
        choice = {"tier": chance.choice(file.tiers), "level": chance.choice(file.levels)}
        again = replace(facts, categories=frozenset(sorted(facts.categories, reverse=True)))
        assert asked(file, facts, at, **choice) == asked(file, again, at, **choice)

    for_anybody(name, check, asks=4, examples=4)


@pytest.mark.parametrize("name", MEDICAL)
def test_who_comes_in_the_window_never_pays_more_than_who_comes_after_it(name):
    """The own part and bought months aside, being late is never cheaper, but where months are paid for."""

    def check(file, facts, at, chance):
        facts = replace(facts, special_case=SpecialCase.NONE, sponsors=(), late_waiver=None)
        late = asked(file, facts, at)
        in_time = asked(file, facts, file.examples[0].at)
        charges = {rule["charge"] for rule in file.text["medical"].get("late", [])}
        if late.price_basis is PriceBasis.LATE and "months_left" not in charges and in_time.eligible is Eligible.YES:
            assert late.personal_due >= in_time.personal_due

    for_anybody(name, check, insurance=Insurance.RES_MEDICAL)
