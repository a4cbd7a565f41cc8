"""The pension: tiers, subsidies, and what others pay."""

from dataclasses import replace
from datetime import date

import pytest

from app.policy.facts import (
    Decision,
    Determination,
    FamilyType,
    Insurance,
    Sex,
    SpecialCase,
)
from app.policy.quote import exclusion
from tests.app.policy.people import ORDINARY, REJECTED, RULES, SUBSIDIES, lines, medical, pension


@pytest.mark.parametrize(("tier", "subsidy"), SUBSIDIES.items())
def test_every_tier_with_its_subsidy_for_payers_and_for_those_the_government_pays(tier, subsidy):
    paid_for = pension(tier * 100, categories=frozenset({"DIS2"}))
    assert (paid_for.personal_due, paid_for.gov_substitute) == (tier * 100 - 10000, 10000)
    assert paid_for.account_credit == (tier + subsidy) * 100

    ordinary = pension(tier * 100)
    assert (ordinary.personal_due, ordinary.gov_subsidy) == (
        (None, None) if tier == 100 else (tier * 100, subsidy * 100)
    )


@pytest.mark.parametrize("tier", [0, -1, 1, 9999, 20000, 70000, 30050, 500100])
def test_anything_but_a_tier_of_the_year_is_refused(tier):
    assert pension(tier, categories=frozenset({"DIBAO"})).reason_code == "TIER_ILLEGAL"


def test_without_a_choice_only_those_the_government_pays_have_a_tier():
    assert pension(None).reason_code == "TIER_REQUIRED"
    assert pension(None, categories=frozenset({"YOUFU"})).reason_code == "TIER_REQUIRED"
    assert pension(None, categories=frozenset({"DIS3"})).reason_code == "TIER_REQUIRED"
    assert pension(None, categories=frozenset({"POVERTY"})).tier == 10000


@pytest.mark.parametrize(
    ("born", "at", "reason"),
    [
        (date(2005, 11, 6), "2021-11-05 23:59", "UNDER_16"),
        (date(2005, 11, 6), "2021-11-06 00:00", "OK"),
        (date(2004, 2, 29), "2021-11-05 00:00", "OK"),
        (date(1961, 11, 6), "2021-11-05 23:59", "OK"),
        (date(1961, 11, 6), "2021-11-06 00:00", "PENSION_AGE_REACHED"),
        (date(1962, 2, 28), "2022-02-28 00:00", "PENSION_AGE_REACHED"),
        (date(1985, 1, 1), "2021-12-31 23:59", "OK"),
        (date(1985, 1, 1), "2022-01-01 00:00", "OK_OUT_OF_WINDOW"),
        (date(1985, 1, 1), "2022-12-31 23:59", "OK_OUT_OF_WINDOW"),
        (date(1985, 1, 1), "2023-01-01 00:00", "DETERMINATION_REQUIRED"),
        (date(1985, 1, 1), "2021-09-30 23:59", "WINDOW_NOT_OPEN"),
    ],
)
def test_pension_ages_and_windows_are_taken_on_the_day_of_payment(born, at, reason):
    assert pension(at=at, birth_date=born).reason_code == reason


def test_a_leap_day_child_turns_sixteen_on_its_own_day_or_the_first_of_march():
    leap = date(2008, 2, 29)

    assert (
        exclusion(RULES, replace(ORDINARY, insurance=Insurance.RES_PENSION, birth_date=leap), date(2024, 2, 29)) is None
    )
    common = replace(ORDINARY, insurance=Insurance.RES_PENSION, birth_date=date(1964, 2, 29))
    assert exclusion(RULES, replace(common, birth_date=date(1904, 2, 29)), date(1920, 2, 28)) == "UNDER_16"
    young = replace(RULES, has_pension=replace(RULES.pension, join_age=17))
    assert exclusion(young, replace(common, birth_date=leap), date(2025, 2, 28)) == "UNDER_16"
    assert exclusion(young, replace(common, birth_date=leap), date(2025, 3, 1)) is None


@pytest.mark.parametrize(
    ("sex", "born", "spouse", "family", "bonus", "pending"),
    [
        (Sex.F, date(1971, 12, 31), None, FamilyType.ONLY_CHILD, 30000, False),
        (Sex.F, date(1972, 1, 1), None, FamilyType.ONLY_CHILD, 0, False),
        (Sex.F, date(1971, 12, 31), date(1980, 1, 1), FamilyType.TWO_DAUGHTERS, 30000, False),
        (Sex.M, date(1980, 1, 1), date(1971, 12, 31), FamilyType.TWO_DAUGHTERS, 30000, False),
        (Sex.M, date(1963, 1, 1), date(1972, 1, 1), FamilyType.ONLY_CHILD, 0, False),
        (Sex.M, date(1963, 1, 1), None, FamilyType.ONLY_CHILD, 0, True),
        (Sex.F, date(1965, 1, 1), None, FamilyType.NONE, 0, False),
    ],
)
def test_the_couple_bonus_looks_at_the_wifes_age_and_never_lowers_the_bill(sex, born, spouse, family, bonus, pending):
    quoted = pension(30000, sex=sex, birth_date=born, spouse_birth=spouse, family_type=family)

    assert (quoted.couple_bonus, quoted.bonus_pending, quoted.personal_due) == (bonus, pending, 30000)
    assert quoted.account_credit == 33000 + bonus


def test_back_pay_is_what_the_bureau_determined_and_brings_nothing_else():
    case = {"special_case": SpecialCase.POLICY_BACKPAY, "categories": frozenset({"DIBAO"}), "sex": Sex.F}
    family = {"family_type": FamilyType.ONLY_CHILD, "birth_date": date(1965, 1, 1)}
    determined = Determination(Decision.APPROVED, amount=123400, years=(2018, 2019))

    quoted = pension(None, **case, **family, determination=determined)
    assert lines(quoted) == {("personal", "resident"): 123400}
    assert (quoted.reason_code, quoted.account_credit, quoted.couple_bonus) == ("BACKPAY_APPROVED", 123400, 0)
    by_tier = Determination(Decision.APPROVED, years=(2018, 2019))
    assert pension(30000, **case, **family, determination=by_tier).total == 60000
    assert pension(None, **case, determination=by_tier).reason_code == "TIER_REQUIRED"
    assert pension(30000, **case, determination=REJECTED).reason_code == "BACKPAY_REJECTED"
    assert medical(**case, determination=by_tier).reason_code == "DETERMINATION_REQUIRED"
    assert medical(**case, determination=determined).personal_due == 123400


def test_missing_years_that_hrss_approved_are_payable_after_sixty():
    old = {"birth_date": date(1960, 1, 1), "special_case": SpecialCase.INTERRUPTED_BACKPAY}

    assert pension(**old).reason_code == "PENSION_AGE_REACHED"
    assert pension(**old, determination=Determination(Decision.APPROVED, 300000)).reason_code == "BACKPAY_APPROVED"
