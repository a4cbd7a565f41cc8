"""Every answer of the rules has words that a villager understands."""

from dataclasses import replace
from datetime import date

import pytest

from app.policy.answer import Reason
from app.policy.facts import Employment, FamilyType, Insurance, SponsorMode, SponsorRule
from app.policy.prices import Charge, Price
from app.policy.quote import quote
from app.policy.waits import Wait
from app.policy.who import Who
from app.policy.words import free_until, outlook, say, say_line
from app.policy.year import load_year
from tests.app.policy.people import ORDINARY, RULES, medical, pension, when


def ahead(at="2021-11-05 10:00", channel="self", tier=30000, **facts):
    person = replace(ORDINARY, **facts)
    return outlook(quote(RULES, person, at=when(at), channel=channel, tier=tier), person, RULES)


@pytest.mark.parametrize(
    ("quoted", "sentence"),
    [
        (medical(), "应交 320 元。交了从 2022年1月1日 起可以报销。"),
        (medical(categories=frozenset({"DIBAO"})), "不用交钱，政府替您交。"),
        (
            medical("2022-01-15 12:00"),
            "集中缴费已结束。现在交要900元（本来320元，另外580元政府补助也要自己出），"
            "交完30天后才能报销：今天交，2022年2月15日起能用。",
        ),
        (
            medical("2022-01-15 12:00", birth_date=date(1956, 2, 2)),  # 160 was hers
            "集中缴费已结束。现在交要900元（本来160元，另外740元政府补助也要自己出），"
            "交完30天后才能报销：今天交，2022年2月15日起能用。",
        ),
        (medical("2021-09-01 12:00"), "还没开始，10月1日起可以交。"),
        (
            medical("2021-12-25 12:00", "agent_cash"),
            "村里代收12月20日结束了。您还可以用手机、银行或办税大厅交，12月31日前价钱不变。",
        ),
        (medical("2022-01-25 12:00", "agent_cash"), "村里代收12月20日结束了。您还可以用手机、银行或办税大厅交。"),
        (
            medical(sponsors=(SponsorRule(SponsorMode.ALL, "V1", "示例村集体"),)),
            "不用交钱，示例村集体替您交了。",
        ),
        (pension(50000), "应交 500 元。政府再补 60 元，进您的个人账户。"),
        (pension(10000), "100元这一档只给残疾、五保、低保、优抚、扶贫户。请选300元或以上。"),
        (pension(employee_insured=Employment.PENSION), "您已参加职工养老，不用再交居民养老。"),
    ],
)
def test_a_quote_is_said_in_one_plain_sentence(quoted, sentence):
    assert say(quoted, RULES) == sentence


POOR = {"categories": frozenset({"DIBAO"})}


@pytest.mark.parametrize(
    ("quoted", "sentence"),
    [
        (medical(**POOR), "最晚2021年12月31日点。过了这天，要先由医保局核实，核实好了才能报销。"),
        (pension(None, **POOR), "最晚2022年12月31日点。过了这天，政府就不能替您交这一年的了。"),
        (
            medical(sponsors=(SponsorRule(SponsorMode.ALL, "V1", "示例村集体"),)),
            "最晚2021年12月31日点。过了这天就要自己交。",
        ),
        (medical(), None),
        (pension(50000, **POOR), None),
        (medical("2022-01-15 12:00", **POOR), None),
    ],
)
def test_who_pays_nothing_hears_his_last_day_and_what_comes_after(quoted, sentence):
    """R3: 点一下就办好了 said neither; the day is the price's own end."""
    assert free_until(quoted) == sentence


def test_lines_are_said_with_their_amount_and_what_may_be_told():
    half = [say_line(line, RULES) for line in medical(birth_date=date(1956, 2, 2)).lines]
    bonus = pension(
        50000, birth_date=date(1970, 1, 1), family_type=FamilyType.ONLY_CHILD, spouse_birth=date(1970, 1, 1)
    )

    assert half == ["个人缴纳 160 元", "政府代缴 160 元（60–69岁减半）", "财政补助 580 元（医保基金）"]
    assert [say_line(line, RULES) for line in bonus.lines] == [
        "个人缴纳 500 元",
        "政府再补 60 元进您的个人账户",
        "计划生育家庭奖励 300 元进您的个人账户",
    ]


@pytest.mark.parametrize(
    ("facts", "sentence"),
    [
        ({"birth_date": date(1962, 12, 31)}, "到2022年12月31日就满60岁了，下一年按现在的标准只交 160 元。"),
        ({"birth_date": date(1952, 1, 1)}, "到2022年12月31日就满70岁了，下一年按现在的标准不用交。"),
        ({"birth_date": date(1963, 1, 1)}, "最晚12月31日交。过了这天要交 900 元，还要等30天才能报销。"),
        ({"at": "2022-09-20 10:00"}, "今年只剩 72 天可以报销，交之前请想好。"),
        (
            {"at": "2022-03-01 10:00", "birth_date": date(2022, 2, 10)},
            "宝宝出生6个月内（到2022年8月10日）不用交这么多，请先找医保局核定。",
        ),
        ({"categories": frozenset({"DIBAO"})}, None),
        (
            {"insurance": Insurance.RES_PENSION, "birth_date": date(2005, 11, 6)},
            "满16岁那天（2021年11月6日）起可以交。",
        ),
        (
            {"insurance": Insurance.RES_PENSION, "family_type": FamilyType.ONLY_CHILD},
            "您家的 300 元奖励，等卫健部门核对好女方的出生日期后补发。",
        ),
        ({"insurance": Insurance.RES_PENSION}, None),
    ],
)
def test_the_outlook_says_what_would_change_the_answer(facts, sentence):
    assert ahead(**facts) == sentence


def test_every_reason_code_has_a_sentence():
    asked = {insurance: {"insurance": insurance, "day": date(2021, 11, 5)} for insurance in Insurance}
    unsaid = []
    for reason in Reason:
        said = 0
        for insurance in Insurance:
            try:
                said += bool(say(replace(medical(), reason_code=reason, **asked[insurance]), RULES))
            except KeyError:
                continue
        unsaid += [] if said else [reason]

    assert unsaid == []


def a_late_year(**changed):
    """2022 with other terms for everybody who comes late."""
    *named, late = RULES.medical.late
    return replace(RULES, has_medical=replace(RULES.medical, late=(*named, replace(late, **changed))))


@pytest.mark.parametrize(
    ("changed", "before", "after"),
    [
        ({}, "过了这天要交 900 元，还要等30天才能报销", "交完30天后才能报销"),
        ({"wait": Wait(months=3)}, "过了这天要交 900 元，还要等3个月才能报销", "交完3个月后才能报销"),
        ({"charge": Charge.PERSONAL}, "过了这天再交，要等30天才能报销", "还是 320 元，但要等"),
        ({"charge": Charge.PERSONAL, "wait": Wait(months=3)}, "过了这天再交，要等几个月才", "还是 320 元，但要等"),
    ],
)
def test_what_is_said_of_the_last_day_is_what_the_year_asks_of_late_payers(changed, before, after):
    rules = a_late_year(**changed)

    in_time, late = (
        quote(rules, ORDINARY, at=when(at), channel="self", tier=None)
        for at in ("2021-12-25 12:00", "2022-01-15 12:00")
    )

    assert before in outlook(in_time, ORDINARY, rules) and after in say(late, rules)


def test_who_has_a_price_of_his_own_reads_his_own_late_price():
    own = Price(Who(to_age=60), 70000, 20000, 50000)
    rules = replace(RULES, has_medical=replace(RULES.medical, prices=(own,)))
    quoted = quote(rules, ORDINARY, at=when("2021-12-25 12:00"), channel="self", tier=None)

    assert "过了这天要交 700 元" in outlook(quoted, ORDINARY, rules)


def test_who_waits_longer_than_the_year_reads_that_no_day_is_left():
    rules = load_year(2025)
    long_gone = replace(ORDINARY, enrolled=frozenset({2018}))
    quoted = quote(rules, long_gone, at=when("2025-06-25 10:00"), channel="self", tier=None)

    said = outlook(quoted, long_gone, rules)

    assert quoted.benefit_start == date(2026, 2, 25) and "0天" in said.replace(" ", "") and "-" not in said


def test_a_day_that_is_long_past_is_told_with_its_year():
    """In October 2022 nobody takes the end of last year's weeks for that of this one's."""
    soon, long_past = (say(medical(at, channel="agent_cash"), RULES) for at in ("2022-01-15 12:00", "2022-10-08 12:00"))

    assert "村里代收12月20日结束了" in soon and "村里代收2021年12月20日结束了" in long_past
