"""A quote as a whole: windows, prices and how long they hold."""

from dataclasses import replace
from datetime import date

import pytest

from app.policy.facts import (
    Elsewhere,
    Employment,
    Insurance,
    Residence,
    SpecialCase,
    SponsorMode,
    SponsorRule,
)
from app.policy.quote import Part, accepts, tier_choices
from tests.app.policy.people import ORDINARY, RULES, SUBSIDIES, medical, pension, when

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


@pytest.mark.parametrize("tier", [None, 1, 10000, 30000])
def test_after_the_persons_standing_come_window_channel_and_tier(tier):
    """U3, U4: before the opening every tier was kept for the disabled; after the agents' weeks none was chosen."""
    assert pension(tier, "2021-09-01 00:00", "agent_cash").reason_code == "WINDOW_NOT_OPEN"
    assert pension(tier, "2021-10-10 00:00", "agent_cash").reason_code == "AGENT_NOT_STARTED"
    assert pension(tier, "2021-12-21 00:00", "agent_cash").reason_code == "AGENT_WINDOW_CLOSED"
    refused = {None: "TIER_REQUIRED", 1: "TIER_ILLEGAL", 10000: "TIER_100_NOT_ALLOWED", 30000: "OK"}
    assert pension(tier, "2021-11-05 00:00", "agent_cash").reason_code == refused[tier]


def test_employee_schemes_and_duplicates_bar_only_their_own_insurance():
    assert medical(employee_insured=Employment.PENSION).reason_code == "OK"
    assert pension(employee_insured=Employment.MEDICAL).reason_code == "OK"
    assert medical(insured_elsewhere=frozenset({Elsewhere.DRAWING_PENSION})).reason_code == "OK"
    assert pension(insured_elsewhere=frozenset({Elsewhere.MEDICAL_OUTSIDE_ZZ})).reason_code == "OK"


def test_a_permit_counts_to_its_last_day_and_so_does_its_price():
    """B8"""
    child = {"residence": Residence.PERMIT_CHILD, "parent_known": True, "birth_date": date(2004, 2, 2)}
    last = {"permit_to": date(2021, 11, 5)}

    for quoted in (medical, pension):
        for by_permit in ({"residence": Residence.PERMIT}, child):
            good = quoted(at="2021-11-05 23:59", **by_permit, **last)
            assert (good.reason_code, good.price_until) == ("OK_RESIDENCE_PERMIT", when("2021-11-06 00:00"))
            assert quoted(**by_permit, permit_to=date(2021, 11, 4)).reason_code == "PERMIT_ENDED"
            assert quoted(**by_permit).reason_code == "OK_RESIDENCE_PERMIT"
        assert quoted(**child | {"parent_known": False}).reason_code == "PARENT_UNKNOWN"
        assert quoted(residence=Residence.HUKOU, permit_to=date(2019, 1, 1)).reason_code == "OK"


def test_a_permit_is_named_only_where_nothing_weightier_is_to_say():
    assert medical(residence=Residence.PERMIT).reason_code == "OK_RESIDENCE_PERMIT"
    assert medical(residence=Residence.PERMIT, birth_date=date(1940, 1, 1)).reason_code == "OK_WAIVED"
    assert medical("2022-02-01 00:00", residence=Residence.PERMIT).reason_code == "LATE_FULL_PRICE"
    assert pension(residence=Residence.PERMIT_CHILD, parent_known=True).reason_code == "OK_RESIDENCE_PERMIT"
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
