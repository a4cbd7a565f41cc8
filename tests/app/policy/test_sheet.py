"""The why-this-amount sheet of ten people, word for word, and what no resident's sheet may ever say."""

from dataclasses import astuple, replace
from datetime import date

import pytest

from app.policy.answer import Reason
from app.policy.facts import (
    Category,
    Elsewhere,
    Employment,
    FamilyType,
    Insurance,
    SpecialCase,
    SponsorMode,
    SponsorRule,
)
from app.policy.quote import quote
from app.policy.sheet import for_resident, for_staff
from app.policy.words import phrases
from app.policy.year import load_year
from tests.app.policy.people import APPROVED, ORDINARY, RULES, when
from tests.builders import DEPARTMENTS

NUMBER = "峄政办发〔2021〕12号第四条（一）居民医疗保险：“2022年标准为总额900元，个人缴纳320元，财政补助580元”"
PENSION = Insurance.RES_PENSION
FINANCE = ("财政补助 580 元（医保基金）", 58000, "政府出，进医保基金", "居民医疗保险财政补助标准")
NORMAL = "2022年1月1日起可以报销，到2022年12月31日为止，没有等待期。"
YEAR_END = "按现在的情况，这个数到2021年12月31日（含当天）不变。"
PENSION_END = "按现在的情况，这个数到2022年12月31日（含当天）不变。"


def one(amount, evidence="居民医疗保险个人缴费标准"):
    return (f"个人缴纳 {amount} 元", amount * 100, "您自己出，进医保基金", evidence)


def tier(amount):
    return (f"个人缴纳 {amount} 元", amount * 100, "您自己出，进养老个人账户", "居民养老保险缴费档次")


def added(amount):
    words = f"政府再补 {amount} 元进您的个人账户"
    return (words, amount * 100, "政府出，进养老个人账户", "居民养老保险缴费补贴标准")


def government(amount, note, evidence):
    return (f"政府代缴 {amount} 元{note}", amount * 100, "政府出，进医保基金", evidence)


def whose(*codes):
    return {"categories": frozenset(map(Category, codes))}


def both(at="2021-11-05 10:00", chosen=None, **facts):
    """The resident's sheet and the staff's."""
    person = replace(ORDINARY, **facts)
    quoted = quote(RULES, person, at=when(at), channel="self", tier=chosen)
    return for_resident(quoted, person, RULES), for_staff(quoted, person, RULES, departments=DEPARTMENTS)


def said(sheet):
    """Every text of a sheet in one."""
    return str(
        [sheet.title, sheet.answer, sheet.behind, sheet.change, sheet.waiting, sheet.benefits, sheet.valid]
    ) + str([astuple(line) for line in sheet.lines])


TEN = {
    "ordinary": (
        {},
        "应交 320 元。交了从 2022年1月1日 起可以报销。",
        [one(320), FINANCE],
        (NORMAL, YEAR_END, "最晚12月31日交。过了这天要交 900 元，还要等30天才能报销。"),
    ),
    "60": (
        {"birth_date": date(1961, 12, 31)},
        "应交 160 元。交了从 2022年1月1日 起可以报销。",
        [one(160), government(160, "（60–69岁减半）", "2021年12月31日满60周岁"), FINANCE],
        (NORMAL, YEAR_END, "最晚12月31日交。过了这天要交 900 元，还要等30天才能报销。"),
    ),
    "69": (
        {"birth_date": date(1952, 1, 1)},
        "应交 160 元。交了从 2022年1月1日 起可以报销。",
        [one(160), government(160, "（60–69岁减半）", "2021年12月31日满69周岁"), FINANCE],
        (NORMAL, YEAR_END, "到2022年12月31日就满70岁了，下一年按现在的标准不用交。"),
    ),
    "70": (
        {"birth_date": date(1951, 12, 31)},
        "不用交钱，政府替您交。",
        [government(320, "（70岁及以上）", "2021年12月31日满70周岁"), FINANCE],
        (NORMAL, YEAR_END, None),
    ),
    "disabled 1": (
        whose("DIS1"),
        "不用交钱，政府替您交。",
        [government(320, "", "政府名单"), FINANCE],
        (NORMAL, YEAR_END, None),
    ),
    "disabled 3": (
        {**whose("DIS3"), "insurance": PENSION, "chosen": 10000},
        "应交 100 元。政府再补 30 元，进您的个人账户。",
        [tier(100), added(30)],
        ("记进2022年的养老个人账户，一共 130 元。", PENSION_END, None),
    ),
    "优抚 with tier 100": (
        {**whose("YOUFU"), "insurance": PENSION, "chosen": 10000},
        "应交 100 元。政府再补 30 元，进您的个人账户。",
        [tier(100), added(30)],
        ("记进2022年的养老个人账户，一共 130 元。", PENSION_END, None),
    ),
    "substitute payment with tier 2000": (
        {**whose("DIBAO"), "insurance": PENSION, "chosen": 200000},
        "应交 1900 元。政府再补 80 元，进您的个人账户。",
        [tier(1900), ("政府代缴 100 元", 10000, "政府出，进养老个人账户", "政府名单"), added(80)],
        ("记进2022年的养老个人账户，一共 2080 元。", PENSION_END, None),
    ),
    "couple bonus": (
        {
            "insurance": PENSION,
            "chosen": 50000,
            "birth_date": date(1965, 3, 12),
            "family_type": FamilyType.TWO_DAUGHTERS,
            "spouse_birth": date(1970, 5, 1),
        },
        "应交 500 元。政府再补 60 元，进您的个人账户。",
        [
            tier(500),
            added(60),
            (
                "计划生育家庭奖励 300 元进您的个人账户",
                30000,
                "政府出，进养老个人账户",
                "卫健部门名单；女方2021年12月31日满51周岁",
            ),
        ],
        ("记进2022年的养老个人账户，一共 860 元。", PENSION_END, None),
    ),
    "late payer in January": (
        {"at": "2022-01-15 12:00"},
        "集中缴费已结束。现在交要900元（本来320元，另外580元政府补助也要自己出），"
        "交完30天后才能报销：今天交，2022年2月15日起能用。",
        [("个人缴纳 900 元（含各级政府补助部分）", 90000, "您自己出，进医保基金", "12月31日后参保，全额缴纳")],
        (
            "2022年2月15日起可以报销，到2022年12月31日为止。按今天交费算；晚交一天，就晚一天。",
            "按现在的情况，这个数到2022年11月30日（含当天）不变。",
            None,
        ),
    ),
    "newborn": (
        {
            "at": "2022-03-01 10:00",
            "birth_date": date(2022, 2, 10),
            "special_case": SpecialCase.NEWBORN,
            "determination": APPROVED,
        },
        "新生儿应交 320 元。交了从 2022年2月10日 起可以报销。",
        [("个人缴纳 320 元（新生儿）", 32000, "您自己出，进医保基金", "医保局新生儿核定"), FINANCE],
        (
            "2022年2月10日起可以报销，到2022年12月31日为止，没有等待期。",
            "按现在的情况，这个数到2022年8月10日（含当天）不变。",
            None,
        ),
    ),
}


@pytest.mark.parametrize("who", TEN)
def test_the_sheet_of_ten_people_is_right_and_plain(who):
    facts, answer, lines, (benefits, valid, change) = TEN[who]

    sheet, _ = both(**facts)

    told = [(line.text, line.amount, f"{line.payer_words}，{line.fund_words}", line.evidence) for line in sheet.lines]
    assert (sheet.answer, told) == (answer, lines)
    assert (sheet.benefits, sheet.valid, sheet.change) == (benefits, valid, change)
    assert all(line.clause_words.startswith("峄政办发〔2021〕12号第") for line in sheet.lines)


def test_the_title_says_what_is_asked():
    titles = [
        both()[0].title,
        both(insurance=PENSION, chosen=50000)[0].title,
        both("2021-09-20 10:00")[0].title,
        both("2022-01-15 10:00", **whose("DIBAO"))[0].title,
    ]
    assert titles == [
        "2022年居民医保：为什么是这个数",
        "2022年居民养老（500元档）：为什么是这个数",
        "2022年居民医保：为什么不能交",
        "2022年居民医保：现在怎么办",
    ]


def test_a_clause_is_where_it_stands_and_what_it_says():
    sheet, _ = both()
    assert [line.clause_words for line in sheet.lines] == [NUMBER, NUMBER]
    assert RULES.cite("D28") == "区里的办理口径：“新生儿出生6个月内交费，按正常标准交，从出生起可以报销”"


def test_a_late_payer_reads_the_waiting_days_and_their_rule():
    sheet, _ = both("2022-01-15 12:00")
    assert sheet.waiting == "交费当天不算，2022年1月16日到2022年2月14日是等待期，共30天，看病不能报销。"
    assert sheet.behind == ("峄政办发〔2021〕12号第四条（二）集中征缴时间：“缴费满30日后方可享受居民基本医疗保险待遇”",)


@pytest.mark.parametrize(
    ("facts", "department", "evidence"),
    [
        (whose("DIS1"), "残联", "重度残疾人名单，一级（残联），按2021年11月5日的名单"),
        (whose("DIBAO"), "民政", "低保名单（民政），按2021年11月5日的名单"),
        ({"birth_date": date(1951, 12, 31)}, "卫健", "2021年12月31日满70周岁"),
        (
            {**whose("YOUFU"), "insurance": PENSION, "chosen": 10000},
            "本人",
            "居民养老保险缴费档次；2021年11月5日的名单上有：优抚，可以选100元档",
        ),
    ],
)
def test_staff_read_the_list_and_the_department(facts, department, evidence):
    _, sheet = both(**facts)
    assert (sheet.lines[0].payer_words, sheet.lines[0].evidence) == (department, evidence)


@pytest.mark.parametrize("at", ["2021-09-20 10:00", "2021-11-05 10:00", "2022-01-15 10:00", "2022-12-05 10:00"])
@pytest.mark.parametrize("category", Category)
def test_no_residents_sheet_names_a_category(category, at):
    forbidden = {
        *phrases("categories").values(),
        "残疾",
        "贫困",
        "脱贫",
        "扶贫",
        "孤儿",
        "困难",
        "民政",
        "残联",
        "乡村振兴",
    }
    forbidden |= set(Category) | {step.payer for ground in RULES.medical.grounds for step in ground.steps} - {"finance"}
    for insurance in Insurance:
        for chosen in (None, *RULES.pension.tiers):
            for more in ({}, {"birth_date": date(1950, 1, 1)}, {"determination": APPROVED}):
                sheet, _ = both(at, chosen, insurance=insurance, **whose(category), **more)
                if sheet.reason_code is Reason.TIER_100_NOT_ALLOWED:
                    continue  # the notice's own rule, said only to those who stand on none of the lists
                assert [word for word in forbidden if word in said(sheet)] == []


@pytest.mark.parametrize(
    ("facts", "behind"),
    [
        ({"employee_insured": Employment.MEDICAL}, "第三条 参保对象和范围"),
        ({"insured_elsewhere": frozenset({Elsewhere.MEDICAL_OUTSIDE_ZZ})}, "不得在峄城区重复缴纳"),
        ({"insured_elsewhere": frozenset({Elsewhere.MEDICAL_INSIDE_ZZ})}, "区里的办理口径"),
        ({"at": "2021-09-20 10:00"}, "2021年10月1日—12月20日"),
        ({"at": "2022-12-05 10:00"}, "2022年11月30日为止"),
        ({**whose("DIBAO"), "at": "2022-01-15 10:00"}, "核实前不收钱"),
    ],
)
def test_a_no_has_its_rule_too(facts, behind):
    sheet, _ = both(**facts)
    assert sheet.lines == () and sheet.valid is None
    assert behind in "".join(sheet.behind)


def test_a_sponsor_is_named_as_who_pays():
    sheet, staff = both(sponsors=(SponsorRule(SponsorMode.PCT, "V1", "示例村集体", 5000),))
    assert (sheet.lines[1].payer_words, sheet.lines[1].evidence) == ("示例村集体出", "示例村集体资助50%")
    assert staff.lines[1].payer_words == "资助方（V1）"


def test_who_missed_years_reads_which_and_what_can_be_done():
    """2025: three months, one more for each of four missed years after the first, six in all at least."""
    rules, at = load_year(2025), when("2025-03-10 10:00")
    sheets = {}
    for years in ({2020}, {2020, 2024}, set(), None):
        person = replace(ORDINARY, enrolled=None if years is None else frozenset(years))
        quoted = quote(rules, person, at=at, channel="self", tier=None)
        sheets[str(years)] = quoted.benefit_start, quoted.gap_months, for_resident(quoted, person, rules).record

    start, months, record = sheets.pop("{2020}")
    assert (start, months) == (date(2025, 9, 10), 3)
    assert record == (
        "等这么久，是因为断过保：按登记，最近一次参加居民医保是2020年，2021、2022、2023、2024年没有参加，为此多等3个月。",
        "登记得不对的，可以请医保局核对；医保局认定参过保的年度算进去以后，等待会按新的算。",
        "多等的月数，有的可以补钱缩短。这里还不能交这笔钱，要补的请先问医保局。",
    )
    assert set(sheets.values()) == {(date(2025, 6, 10), 0, ())}


def test_who_missed_years_and_pays_in_time_waits_from_the_years_first_day():
    rules = load_year(2025)
    gap = replace(rules.medical.gap, in_window=True)
    rules = replace(rules, has_medical=replace(rules.medical, gap=gap))
    person = replace(ORDINARY, enrolled=frozenset({2021}))

    quoted = quote(rules, person, at=when("2024-11-10 10:00"), channel="self", tier=None)

    sheet = for_resident(quoted, person, rules)
    assert (quoted.benefit_start, quoted.gap_months) == (date(2025, 6, 1), 5)
    assert (
        sheet.benefits == "2025年6月1日起可以报销。" and "2022、2023、2024年没有参加，为此多等5个月" in sheet.record[0]
    )
