from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from app.policy.facts import (
    Decision,
    Determination,
    Elsewhere,
    Employment,
    FamilyType,
    Insurance,
    Residence,
    Sex,
    SpecialCase,
    SponsorMode,
    SponsorRule,
)
from app.policy.quote import Part, accepts, exclusion, quote, tier_choices
from app.policy.worked import sponsors_of
from app.policy.year import UnknownChannel
from tests.app.policy.people import ORDINARY, RULES, medical, pension, when

APPROVED, REJECTED = Determination(Decision.APPROVED), Determination(Decision.REJECTED)


def lines(quoted):
    return {(line.part.value, line.payer): line.amount for line in quoted.lines}


@pytest.mark.parametrize(
    ("born", "due"),
    [
        (date(1962, 1, 1), 32000),
        (date(1961, 12, 31), 16000),
        (date(1952, 1, 1), 16000),
        (date(1951, 12, 31), 0),
        (date(1952, 2, 29), 16000),
        (date(2021, 10, 31), 32000),
    ],
)
def test_the_price_by_age_is_taken_on_the_last_day_of_2021(born, due):
    for at in ("2021-10-01 00:00", "2021-12-31 23:59:59"):
        assert medical(at, birth_date=born).personal_due == due


@pytest.mark.parametrize(
    ("at", "channel", "reason"),
    [
        ("2021-09-30 23:59:59.999999", "self", "WINDOW_NOT_OPEN"),
        ("2021-09-30 23:59:59", "agent", "WINDOW_NOT_OPEN"),
        ("2021-10-01 00:00", "self", "OK"),
        ("2021-10-19 23:59:59", "agent_cash", "AGENT_NOT_STARTED"),
        ("2021-10-20 00:00", "agent_cash", "OK"),
        ("2021-12-20 23:59:59", "ccb_pos", "OK"),
        ("2021-12-21 00:00", "ccb_pos", "AGENT_WINDOW_CLOSED"),
        ("2021-12-21 00:00", "agent_qr", "OK"),
        ("2021-12-31 23:59:59.999999", "wechat", "OK"),
        ("2022-01-01 00:00", "wechat", "LATE_FULL_PRICE"),
        ("2022-01-01 00:00", "agent_cash", "AGENT_WINDOW_CLOSED"),
        ("2022-11-30 23:59:59", "tax_counter", "LATE_FULL_PRICE"),
        ("2022-12-01 00:00", "tax_counter", "LATE_WINDOW_CLOSED"),
    ],
)
def test_medical_windows_are_half_open_in_beijing(at, channel, reason):
    assert medical(at, channel).reason_code == reason


def test_the_business_day_is_beijings_whatever_the_zone_of_the_moment():
    last, first = datetime(2021, 12, 31, 15, 59, 59, tzinfo=UTC), datetime(2021, 12, 31, 16, tzinfo=UTC)

    assert quote(RULES, ORDINARY, at=last, channel="self", tier=None).personal_due == 32000
    assert quote(RULES, ORDINARY, at=first, channel="self", tier=None).personal_due == 90000


def test_a_naive_moment_or_an_unknown_channel_is_a_mistake():
    with pytest.raises(ValueError, match="time zone"):
        quote(RULES, ORDINARY, at=datetime(2021, 11, 5), channel="self", tier=None)  # noqa: DTZ001
    with pytest.raises(UnknownChannel):
        medical(channel="pigeon")


def test_the_last_late_payer_is_covered_for_exactly_one_day():
    quoted = medical("2022-11-30 12:00")

    assert (quoted.waiting_end, quoted.benefit_start) == (date(2022, 12, 30), date(2022, 12, 31))


@pytest.mark.parametrize(
    ("category", "payer"),
    [
        ("TEKUN", "civil"),
        ("WUBAO", "civil"),
        ("ORPHAN", "civil"),
        ("DFUC", "civil"),
        ("DIBAO", "civil"),
        ("POVERTY", "rural"),
        ("DIS1", "cdpf"),
        ("DIS2", "cdpf"),
        ("ILLNESS", "hsa"),
    ],
)
def test_each_waiver_is_paid_by_its_department(category, payer):
    quoted = medical(categories=frozenset({category}))

    assert quoted.reason_code == "OK_WAIVED"
    assert lines(quoted) == {("gov_substitute", payer): 32000, ("gov_subsidy", "finance"): 58000}


@pytest.mark.parametrize("category", ["DIS3", "DIS4", "YOUFU"])
def test_lesser_disability_and_entitled_groups_pay_the_medical_premium(category):
    assert medical(categories=frozenset({category})).personal_due == 32000


def test_several_identities_are_one_payment_by_the_fixed_order():
    quoted = medical(categories=frozenset({"ILLNESS", "DIS1", "POVERTY"}), birth_date=date(1940, 1, 1))

    assert (quoted.gov_substitute, quoted.ground, quoted.lines[0].payer) == (32000, "POVERTY", "rural")


@pytest.mark.parametrize(
    ("sponsors", "born", "share", "due", "reason"),
    [
        (["ALL"], date(1985, 1, 1), 32000, 0, "OK_SPONSORED"),
        (["ALL"], date(1956, 1, 1), 16000, 0, "OK_SPONSORED"),
        (["ALL"], date(1949, 1, 1), 0, 0, "OK_WAIVED"),
        (["PCT:33.33"], date(1985, 1, 1), 10666, 21334, "OK"),
        (["FIX:400"], date(1985, 1, 1), 32000, 0, "OK_SPONSORED"),
        (["FIX:0.01", "PCT:50"], date(1985, 1, 1), 1 + 16000, 15999, "OK"),
        (["PCT:50", "FIX:100"], date(1985, 1, 1), 26000, 6000, "OK"),
        (["PCT:0"], date(1985, 1, 1), 0, 32000, "OK"),
        (["ALL", "FIX:5"], date(1985, 1, 1), 32000, 0, "OK_SPONSORED"),
    ],
)
def test_sponsors_follow_the_government_in_order_and_half_a_fen_goes_up(sponsors, born, share, due, reason):
    quoted = medical(birth_date=born, sponsors=sponsors_of(sponsors))

    assert (quoted.sponsor_share, quoted.personal_due, quoted.reason_code) == (share, due, reason)


def test_sponsors_stop_with_2021_unless_their_rule_covers_late_payers():
    village = SponsorRule(SponsorMode.FIX, "V1", "示例村", 10000)

    assert medical("2022-01-01 00:00", sponsors=(village,)).personal_due == 90000
    late = medical("2022-01-01 00:00", sponsors=(replace(village, covers_late=True),))
    assert lines(late) == {("personal", "resident"): 80000, ("sponsor", "sponsor:V1"): 10000}


def test_sponsors_give_nothing_for_the_pension():
    assert pension(50000, sponsors=sponsors_of(["ALL"])).personal_due == 50000


def test_a_late_half_price_lapses_but_a_late_waiver_goes_to_the_bureau():
    at, dibao = "2022-01-20 10:00", frozenset({"DIBAO"})

    assert medical(at, birth_date=date(1956, 1, 1)).personal_due == 90000
    assert medical(at, categories=dibao).reason_code == "LATE_WAIVER_REVIEW"
    approved = medical(at, "dept_batch", categories=dibao, determination=APPROVED)
    assert (approved.price_basis, approved.benefit_start, approved.waiting_end) == ("special", date(2022, 1, 20), None)
    assert medical(at, categories=dibao, determination=REJECTED).personal_due == 90000
    assert medical(at, determination=APPROVED).personal_due == 90000


@pytest.mark.parametrize(
    ("born", "at", "reason", "start"),
    [
        (date(2022, 2, 10), "2022-08-10 23:59:59", "NEWBORN_OK", date(2022, 2, 10)),
        (date(2022, 2, 10), "2022-08-11 00:00", "LATE_FULL_PRICE", date(2022, 9, 11)),
        (date(2021, 8, 31), "2022-02-28 23:59", "NEWBORN_OK", date(2022, 1, 1)),
        (date(2021, 8, 31), "2022-03-01 00:00", "LATE_FULL_PRICE", date(2022, 4, 1)),
        (date(2021, 7, 1), "2022-01-01 00:00", "NEWBORN_OK", date(2022, 1, 1)),
        (date(2021, 6, 30), "2022-01-01 00:00", "LATE_FULL_PRICE", date(2022, 2, 1)),
        (date(2021, 3, 1), "2021-11-05 00:00", "OK", date(2022, 1, 1)),
        (date(2022, 12, 5), "2022-12-20 00:00", "NEWBORN_OK", date(2022, 12, 5)),
    ],
)
def test_a_newborn_pays_the_normal_price_for_six_months(born, at, reason, start):
    quoted = medical(at, birth_date=born, special_case=SpecialCase.NEWBORN, determination=APPROVED)

    assert (quoted.reason_code, quoted.benefit_start) == (reason, start)


def test_a_newborn_waits_for_the_bureau_and_pays_like_others_if_rejected():
    baby = {"birth_date": date(2022, 2, 10), "special_case": SpecialCase.NEWBORN, "at": "2022-03-01 10:00"}

    assert medical(**baby).reason_code == "DETERMINATION_REQUIRED"
    assert medical(**baby, determination=REJECTED).reason_code == "LATE_FULL_PRICE"


def test_a_bureaus_word_on_a_newborn_is_no_word_on_a_waiver():
    grown = {"birth_date": date(2022, 2, 10), "special_case": SpecialCase.NEWBORN, "categories": frozenset({"DIBAO"})}

    for determination in (APPROVED, REJECTED):
        quoted = medical("2022-09-01 10:00", **grown, determination=determination)
        assert quoted.reason_code == "LATE_WAIVER_REVIEW"


def test_a_child_born_after_the_year_is_no_newborn_of_it():
    born = {"birth_date": date(2023, 1, 10), "special_case": SpecialCase.NEWBORN, "determination": APPROVED}

    assert medical("2023-02-01 10:00", **born).reason_code == "LATE_WINDOW_CLOSED"


def test_a_newborns_price_holds_six_months_but_a_sponsors_part_only_as_long_as_sponsors_pay():
    baby = {"birth_date": date(2021, 11, 1), "special_case": SpecialCase.NEWBORN, "determination": APPROVED}

    assert medical("2021-12-01 10:00", **baby).price_until == when("2022-05-02 00:00")
    sponsored = medical("2021-12-01 10:00", **baby, sponsors=sponsors_of(["FIX:100"]))
    assert sponsored.price_until == when("2022-01-01 00:00")


SUBSIDIES = {100: 30, 300: 30, 500: 60, 600: 60, 800: 80, 1000: 80, 1500: 80, 2000: 80, 2500: 80, 3000: 80}
SUBSIDIES |= {4000: 80, 5000: 80}


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
    young = replace(RULES, pension=replace(RULES.pension, join_age=17))
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


WRONG = [
    ({"alive": False}, "DECEASED"),
    ({"residence": Residence.NONLOCAL}, "NOT_RESIDENT"),
    ({"employee_insured": Employment.BOTH}, "EMPLOYEE_PENSION"),
    ({"birth_date": date(2010, 1, 1)}, "UNDER_16"),
    ({"student": True}, "STUDENT"),
    ({"birth_date": date(1960, 1, 1)}, "PENSION_AGE_REACHED"),
    ({"insured_elsewhere": frozenset({Elsewhere.DRAWING_PENSION, Elsewhere.PENSION_ELSEWHERE})}, "DRAWING_PENSION"),
    ({"insured_elsewhere": frozenset({Elsewhere.PENSION_ELSEWHERE})}, "DUP_PENSION_ELSEWHERE"),
    ({"registered": False}, "NOT_REGISTERED"),
    ({"already_paid": True}, "ALREADY_PAID"),
    ({"special_case": SpecialCase.POLICY_BACKPAY}, "DETERMINATION_REQUIRED"),
]


@pytest.mark.parametrize("first", range(len(WRONG)))
def test_the_first_failure_in_the_fixed_order_is_the_reason(first):
    facts = {}
    for wrong, _ in reversed(WRONG[first:]):
        facts |= wrong

    assert pension(1, "2021-09-01 00:00", "agent_cash", **facts).reason_code == WRONG[first][1]


def test_after_the_persons_standing_come_tier_window_and_channel():
    assert pension(1, "2021-09-01 00:00", "agent_cash").reason_code == "TIER_ILLEGAL"
    assert pension(10000, "2021-09-01 00:00", "agent_cash").reason_code == "TIER_100_NOT_ALLOWED"
    assert pension(30000, "2021-09-01 00:00", "agent_cash").reason_code == "WINDOW_NOT_OPEN"
    assert pension(30000, "2021-10-10 00:00", "agent_cash").reason_code == "AGENT_NOT_STARTED"


def test_employee_schemes_and_duplicates_bar_only_their_own_insurance():
    assert medical(employee_insured=Employment.PENSION).reason_code == "OK"
    assert pension(employee_insured=Employment.MEDICAL).reason_code == "OK"
    assert medical(insured_elsewhere=frozenset({Elsewhere.DRAWING_PENSION})).reason_code == "OK"
    assert pension(insured_elsewhere=frozenset({Elsewhere.MEDICAL_OUTSIDE_ZZ})).reason_code == "OK"


def test_a_permit_is_named_only_where_nothing_weightier_is_to_say():
    assert medical(residence=Residence.PERMIT).reason_code == "OK_RESIDENCE_PERMIT"
    assert medical(residence=Residence.PERMIT, birth_date=date(1940, 1, 1)).reason_code == "OK_WAIVED"
    assert medical("2022-02-01 00:00", residence=Residence.PERMIT).reason_code == "LATE_FULL_PRICE"
    assert pension(residence=Residence.PERMIT_CHILD).reason_code == "OK_RESIDENCE_PERMIT"
    assert pension(at="2022-02-01 00:00", residence=Residence.PERMIT).reason_code == "OK_OUT_OF_WINDOW"


@pytest.mark.parametrize(
    ("quoted", "until"),
    [
        (medical(), "2022-01-01 00:00"),
        (medical(channel="agent_cash"), "2021-12-21 00:00"),
        (medical("2022-03-01 00:00"), "2022-12-01 00:00"),
        (pension(), "2023-01-01 00:00"),
        (pension(birth_date=date(1962, 3, 1)), "2022-03-01 00:00"),
    ],
)
def test_a_quote_says_until_when_its_price_is_in_force(quoted, until):
    assert quoted.price_until == when(until)


def test_only_exactly_what_is_due_is_accepted():
    assert [accepts(medical(), offered) for offered in (31999, 32000, 32001)] == [False, True, False]
    assert not accepts(medical(categories=frozenset({"DIBAO"})), 32000)
    assert not accepts(medical(alive=False), 32000)


def test_the_tier_list_shows_every_tier_as_this_person_may_choose_it():
    person = replace(ORDINARY, insurance=Insurance.RES_PENSION)
    choices = tier_choices(RULES, person, when("2021-11-05 10:00"), "self")

    assert [choice.tier for choice in choices] == [tier * 100 for tier in SUBSIDIES]
    assert [choice.gov_subsidy for choice in choices] == [subsidy * 100 for subsidy in SUBSIDIES.values()]
    assert [choice.tier for choice in choices if not choice.allowed] == [10000]
    assert choices[1].personal_due == 30000
    assert tier_choices(RULES, ORDINARY, when("2021-11-05 10:00"), "self") == ()


def test_every_line_names_its_clause_evidence_and_fund():
    quoted = medical(birth_date=date(1956, 2, 2), sponsors=(SponsorRule(SponsorMode.PCT, "V1", "示例村", 5000),))

    assert [(line.part, line.payer, line.amount, line.clause) for line in quoted.lines] == [
        (Part.PERSONAL, "resident", 8000, "R16"),
        (Part.GOV_SUBSTITUTE, "health", 8000 * 2, "R19"),
        (Part.SPONSOR, "sponsor:V1", 8000, "R20"),
        (Part.GOV_SUBSIDY, "finance", 58000, "R16"),
    ]
    assert quoted.lines[1].evidence == "2021年12月31日满65周岁"
    assert quoted.lines[2].evidence == "示例村资助50%"
