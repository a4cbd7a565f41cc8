"""What real rules need beyond this district's: whom a rule means, waits and gaps, payers after each other, levels."""

from dataclasses import replace
from datetime import date
from itertools import product
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.policy.answer import Eligible, Part, Reason
from app.policy.facts import Decision, Determination, Insurance, Residence, School, Sex, SpecialCase
from app.policy.payers import givers, payers
from app.policy.prices import Charge, Ground, Price, Step
from app.policy.quote import accepts, quote, tier_choices
from app.policy.strict import BadPolicyYear
from app.policy.waits import Gap, Wait
from app.policy.who import Asked, History, Who, history, missed_years
from app.policy.words import free_until, outlook, say, say_funds, say_line
from app.policy.year import load_year, load_year_file
from tests.app.policy.people import ORDINARY, when
from tests.app.policy.test_places import PLACES

ASKED = Asked(day=date(2025, 3, 10), reference=date(2024, 12, 31), year=2025, level=2)
BOTH = Who(groups=frozenset({"DIBAO"}), also=frozenset({"DIS1"}))
GAP = Gap(months_each=1, free_years=1, most=None, long_years=4, long_months=6, buys=True, in_window=True)


@pytest.mark.parametrize(
    ("who", "facts", "meant"),
    [
        (Who(), {}, True),
        (Who(groups=frozenset({"DIBAO", "TEKUN"})), {"categories": frozenset({"TEKUN"})}, True),
        (Who(groups=frozenset({"DIBAO"})), {"categories": frozenset({"TEKUN"})}, False),
        (Who(groups=frozenset({"DIBAO"}), also=frozenset({"DIS1"})), {"categories": frozenset({"DIBAO"})}, False),
        (
            Who(groups=frozenset({"DIBAO"}), also=frozenset({"DIS1"})),
            {"categories": frozenset({"DIBAO", "DIS1"})},
            True,
        ),
        (Who(from_age=60), {"birth_date": date(1964, 12, 31)}, True),
        (Who(from_age=60), {"birth_date": date(1965, 1, 1)}, False),
        (Who(to_age=17), {"birth_date": date(2007, 1, 1)}, True),
        (Who(to_age=17), {"birth_date": date(2006, 12, 31)}, False),
        (Who(born_from=date(2000, 1, 1), born_to=date(2000, 12, 31)), {"birth_date": date(2000, 12, 31)}, True),
        (Who(born_from=date(2000, 1, 1), born_to=date(2000, 12, 31)), {"birth_date": date(2001, 1, 1)}, False),
        (Who(paid_from=date(2025, 3, 10)), {}, True),
        (Who(paid_to=date(2025, 3, 9)), {}, False),
        (Who(schools=frozenset({School.PUPIL})), {"school": School.PUPIL}, True),
        (Who(schools=frozenset({School.PUPIL})), {"school": School.UNIVERSITY}, False),
        (Who(sex=Sex.F), {}, False),
        (Who(residences=frozenset({Residence.PERMIT})), {}, False),
        (Who(levels=frozenset({2})), {}, True),
        (Who(levels=frozenset({1})), {}, False),
        (Who(history=History.GAP), {"enrolled": frozenset({2022})}, True),
        (Who(history=History.GAP), {"enrolled": None}, False),
        (Who(waived=True), {}, False),
    ],
)
def test_whom_a_rule_means(who, facts, meant):
    assert who.fits(replace(ORDINARY, **facts), ASKED) is meant


def test_a_gap_is_counted_from_the_last_year_that_there_was():
    for enrolled, named, missed in (
        (None, History.UNBROKEN, 0),
        ({2024}, History.UNBROKEN, 0),
        ({2020, 2024}, History.UNBROKEN, 0),
        ({2023}, History.GAP, 1),
        ({2017, 2022}, History.GAP, 2),
        (set(), History.NEVER, 0),
        ({2025}, History.NEVER, 0),  # this year's own enrolment is no history
    ):
        facts = replace(ORDINARY, enrolled=None if enrolled is None else frozenset(enrolled))
        assert (history(facts, 2025), missed_years(facts, 2025)) == (named, missed), enrolled


@pytest.mark.parametrize(
    ("wait", "paid", "more", "start"),
    [
        (Wait(days=30), date(2022, 1, 1), 0, date(2022, 2, 1)),
        (Wait(months=3), date(2025, 3, 10), 0, date(2025, 6, 10)),
        (Wait(months=3), date(2025, 11, 30), 0, date(2026, 2, 28)),
        (Wait(months=3), date(2025, 3, 10), 1, date(2025, 7, 10)),
        (Wait(calendar_months=3), date(2027, 1, 1), 0, date(2027, 4, 1)),
        (Wait(calendar_months=3), date(2027, 1, 31), 0, date(2027, 4, 1)),
        (Wait(calendar_months=1), date(2024, 12, 5), 0, date(2025, 1, 1)),
    ],
)
def test_how_long_somebody_waits(wait, paid, more, start):
    assert wait.start(paid, more) == start


@pytest.mark.parametrize(
    ("missed", "bought", "left"),
    [(0, 0, 0), (1, 0, 0), (2, 0, 1), (2, 1, 0), (2, 9, 0), (3, 1, 1), (4, 0, 3), (4, 3, 3), (8, 0, 7), (8, 7, 3)],
)
def test_a_long_gap_cannot_be_bought_away(missed, bought, left):
    """P03: after four missed years the sum with the fixed three months stays six or more."""
    assert GAP.left(missed, bought, 3) == left


def test_what_cannot_be_bought_is_not_charged():
    assert replace(GAP, buys=False).bought(3, 2) == 0 and GAP.bought(3, 9) == 2


@given(
    st.integers(min_value=0, max_value=100_000),
    st.lists(
        st.one_of(
            st.builds(lambda bp: {"share_bp": bp}, st.integers(1, 10_000)),
            st.builds(lambda fen: {"fixed": fen}, st.integers(1, 50_000)),
            st.builds(lambda fen: {"leaves": fen}, st.integers(0, 50_000)),
        ),
        min_size=1,
        max_size=3,
    ),
)
def test_payers_after_each_other_never_pay_more_than_there_is(personal, ways):
    ground = Ground("G", Who(), tuple(Step("finance", "R01", "", "", **way) for way in ways))

    paid = ground.paid(personal)

    assert all(amount > 0 for _, amount in paid)
    assert sum(amount for _, amount in paid) + ground.leaves(personal) == personal and ground.leaves(personal) >= 0
    if "leaves" in ways[-1]:
        assert ground.leaves(personal) <= ways[-1]["leaves"]


def test_two_payers_of_one_waiver_are_two_lines():
    """P15: 150 by medical aid, the other 200 by the district."""
    rules = load_year_file(PLACES / "linyi_2023.toml")
    facts = replace(ORDINARY, categories=frozenset({"DIBAO"}))

    quoted = quote(rules, facts, at=when("2022-11-05 10:00"), channel="self", tier=None)

    lines = [(line.payer, line.amount) for line in quoted.lines if line.part is Part.GOV_SUBSTITUTE]
    assert lines == [("hsa", 15000), ("finance", 20000)]


def test_another_fund_is_paid_with_the_premium_and_is_no_part_of_it():
    rules = load_year_file(PLACES / "hohhot_2023.toml")
    facts = replace(ORDINARY, categories=frozenset({"TEKUN"}))

    quoted = quote(rules, facts, at=when("2022-11-05 10:00"), channel="self", tier=None)

    assert (quoted.personal_due, quoted.to_pay, [fund.amount for fund in quoted.funds]) == (0, 1000, [1000])
    assert accepts(quoted, 1000) and not accepts(quoted, 0)
    assert [(line.part, line.payer, line.fund, line.amount) for line in quoted.lines if line.fund != "RES_MEDICAL"] == [
        ("personal", "resident", "LONG_TERM_CARE", 1000)
    ]
    assert (quoted.total + 1000, say_funds(quoted)) == (quoted.whole, ["只有长期护理保险"])
    assert outlook(quoted, facts, rules) == "最晚2022年12月31日交。过了这天，要先由医保局核实，核实好了才能报销。"
    assert say(quoted, rules) == "医保费政府替您交，您只交长期护理保险 10 元。交了从 2023年1月1日 起可以报销。"
    assert say_line(quoted.lines[-1], rules) == "长期护理保险 10 元" and free_until(quoted) is None


def test_a_department_pays_another_fund_in_somebodys_place():
    """Whoever is spared the fund alone pays the premium; by the list, by age, by half."""
    rules = load_year_file(Path(__file__).with_name("every_shape.toml"))

    def found(**facts):
        quoted = quote(rules, replace(ORDINARY, **facts), at=when("2025-10-20 10:00"), channel="self", tier=None)
        assert {
            ("gov_substitute", "civil", "LONG_TERM_CARE"),
            ("gov_substitute", "finance", "LONG_TERM_CARE"),
        } <= payers(rules)
        care = [(line.payer, line.amount) for line in quoted.lines if line.fund == "LONG_TERM_CARE"]
        return care, quoted.to_pay - quoted.personal_due

    assert found() == ([("resident", 3000)], 3000)
    assert found(categories=frozenset({"WUBAO"})) == ([("civil", 3000)], 0)
    assert found(birth_date=date(1940, 1, 1)) == ([("resident", 1500), ("finance", 1500)], 1500)
    assert found(birth_date=date(2015, 1, 1)) == ([], 0)
    assert givers(rules)["WUBAO"] >= {"civil"} and "finance" in givers(rules)["AGE80"], "who belongs is theirs to say"


@pytest.mark.parametrize(
    ("old", "new", "wrong"),
    [
        ('code = "LONG_TERM_CARE"', 'code = "RES_PENSION"', "not the name of another fund"),
        ('code = "LONG_TERM_CARE"', 'code = "long care"', "not the name of another fund"),
        ('code = "ACCIDENT"', 'code = "LONG_TERM_CARE"', "has two names"),
        ('clause = "R01"\nevidence = "特困名单', 'clause = "R77"\nevidence = "特困名单', "R77 is used by a line"),
    ],
)
def test_a_fund_that_no_book_could_keep_is_refused(tmp_path, old, new, wrong):
    text = Path(__file__).with_name("every_shape.toml").read_text(encoding="utf-8")
    assert old in text
    path = tmp_path / "2026.toml"
    path.write_text(text.replace(old, new, 1), encoding="utf-8")

    with pytest.raises(BadPolicyYear, match=wrong):
        load_year_file(path)


def test_an_insurance_that_a_place_does_not_collect_is_not_asked_for():
    pensions, medical = (load_year_file(PLACES / f"{name}.toml") for name in ("hebei_2024", "heze_2025"))

    for rules, insurance in ((pensions, Insurance.RES_MEDICAL), (medical, Insurance.RES_PENSION)):
        facts = replace(ORDINARY, insurance=insurance)
        quoted = quote(rules, facts, at=when("2024-11-05 10:00"), channel="self", tier=None)
        assert (quoted.eligible, quoted.reason_code) == (Eligible.NO, Reason.NOT_OFFERED)
        assert tier_choices(rules, facts, when("2024-11-05 10:00"), "self") == ()


def test_students_covered_from_september_have_a_last_day_of_their_own():
    rules = load_year_file(PLACES / "chongqing_2024.toml")
    for school, ends in ((School.UNIVERSITY, date(2024, 8, 31)), (School.NONE, date(2024, 12, 31))):
        facts = replace(ORDINARY, school=school)
        quoted = quote(rules, facts, at=when("2023-11-05 10:00"), channel="self", tier=None)
        assert quoted.benefit_end == ends


@pytest.mark.parametrize("year", [2022, 2023, 2024, 2025, 2026])
def test_the_lines_of_every_answer_of_every_own_year_add_up(year):
    rules = load_year(year)
    moments = [f"{year - 1}-11-05 10:00", f"{year}-03-10 10:00", f"{year}-10-05 10:00"]
    born = [
        date(year, 1, 20),
        date(year - 10, 5, 5),
        date(year - 40, 5, 5),
        date(year - 65, 5, 5),
        date(year - 80, 5, 5),
    ]
    groups = ["TEKUN", "DIBAO_EDGE", "RELAPSED", "DIS3", "VETERAN", "YOUFU"]
    for at, birth_date, group, history_of in product(moments, born, [None, *groups], [None, {year - 3}]):
        facts = replace(
            ORDINARY,
            birth_date=birth_date,
            categories=frozenset({group} if group else ()),
            enrolled=frozenset(history_of) if history_of else None,
        )
        quoted = quote(rules, facts, at=when(at), channel="self", tier=None)
        if quoted.eligible is not Eligible.YES:
            continue
        assert sum(line.amount for line in quoted.lines) == quoted.total
        parts = (quoted.personal_due, quoted.gov_substitute, quoted.sponsor_share, quoted.gov_subsidy)
        assert sum(part or 0 for part in parts) == quoted.total


def year_of_2022(**changed):
    rules = load_year(2022)
    return replace(rules, has_medical=replace(rules.medical, **changed))


def asked_at(rules, moment, **facts):
    return quote(rules, replace(ORDINARY, **facts), at=when(moment), channel="self", tier=None)


def test_a_price_ends_with_the_days_of_its_rule():
    """Else whoever holds its code at midnight pays it on the next day, or is late for a lower one."""
    early = Price(Who(paid_to=date(2021, 11, 10)), 80000, 30000, 50000)
    later = Price(Who(paid_from=date(2021, 12, 1)), 90000, 40000, 50000)
    children = Price(Who(to_age=10, paid_to=date(2021, 11, 5)), 70000, 20000, 50000)
    rules = year_of_2022(prices=(children, early, later))

    for moment, personal, until in (
        ("2021-11-10 23:50", 30000, "2021-11-11 00:00"),
        ("2021-11-11 00:00", 32000, "2021-12-01 00:00"),
        ("2021-12-01 00:00", 40000, "2022-01-01 00:00"),
    ):
        quoted = asked_at(rules, moment)
        assert (quoted.personal_due, quoted.price_until) == (personal, when(until)), moment
    assert asked_at(rules, "2021-11-05 10:00").price_until == when("2021-11-11 00:00"), "the children's is not his"


def test_a_price_by_months_ends_with_the_month():
    months = replace(load_year(2022).medical.late[1], charge=Charge.MONTHS_LEFT, wait=None)
    rules = year_of_2022(late=(months,))

    quoted = asked_at(rules, "2022-01-31 23:50")

    assert quoted.price_until == when("2022-02-01 00:00")
    assert asked_at(rules, "2022-02-01 00:00").personal_due < quoted.personal_due


def test_a_newborns_price_ends_while_it_still_buys_cover():
    """D27: eight months old in December, covered from next month, would pay for a year that is over."""
    rules = load_year_file(PLACES / "heze_2025.toml")
    approved = Determination(Decision.APPROVED)
    newborn = {"birth_date": date(2025, 4, 10), "special_case": SpecialCase.NEWBORN, "determination": approved}

    for moment, answer in (
        ("2025-10-11 10:00", (Reason.NEWBORN_OK, date(2025, 11, 1), when("2025-12-01 00:00"))),
        ("2025-11-30 23:59", (Reason.NEWBORN_OK, date(2025, 12, 1), when("2025-12-01 00:00"))),
        ("2025-12-01 00:00", (Reason.LATE_WINDOW_CLOSED, None, None)),
    ):
        quoted = asked_at(rules, moment, **newborn)
        assert (quoted.reason_code, quoted.benefit_start, quoted.price_until) == answer, moment


def test_a_newborn_of_the_year_before_is_not_covered_before_the_year():
    """Ten months old in October 2024 and covered from next month: of 2025 that is 1 January."""
    rules = load_year_file(PLACES / "heze_2025.toml")
    approved = Determination(Decision.APPROVED)

    for born in (date(2024, 1, 20), date(2024, 9, 1)):
        quoted = asked_at(
            rules, "2024-10-10 10:00", birth_date=born, special_case=SpecialCase.NEWBORN, determination=approved
        )
        assert (quoted.reason_code, quoted.benefit_start) == (Reason.NEWBORN_OK, date(2025, 1, 1))


def test_months_are_counted_to_the_end_of_a_cover_that_is_no_calendar_year():
    rules = load_year_file(PLACES / "zhongshan_2024.toml")
    school_year = replace(rules.dates, benefit_from=date(2024, 9, 1), benefit_to=date(2025, 8, 31))

    quoted = asked_at(replace(rules, dates=school_year), "2024-10-10 10:00")

    assert (quoted.benefit_start, quoted.total, quoted.personal_due) == (date(2024, 11, 1), 85000, 31667)


def test_a_pension_price_ends_with_the_days_of_its_rule():
    rules = load_year_file(PLACES / "extra_by_degree_2024.toml")
    extra = replace(rules.pension.extras[0], who=Who(groups=frozenset({"DIS1"}), paid_to=date(2023, 12, 31)))
    rules = replace(rules, has_pension=replace(rules.pension, extras=(extra,)))

    for categories, until in (({"DIS1"}, "2024-01-01 00:00"), (set(), "2025-01-01 00:00")):
        facts = replace(ORDINARY, insurance=Insurance.RES_PENSION, categories=frozenset(categories))
        quoted = quote(rules, facts, at=when("2023-11-05 10:00"), channel="self", tier=50000)
        assert quoted.price_until == when(until)


def test_cover_may_begin_on_a_day_that_the_year_names():
    """P40: a student's cover runs from 1 September, whichever day of the window he pays on."""
    rules = load_year_file(PLACES / "chongqing_2024.toml")

    for moment in ("2023-10-12 10:00", "2023-12-31 23:59"):
        quoted = asked_at(rules, moment, school=School.UNIVERSITY)
        assert (quoted.benefit_start, quoted.benefit_end) == (date(2023, 9, 1), date(2024, 8, 31))


def test_who_is_from_elsewhere_pays_where_the_year_lets_him():
    """P54: 990 without a permit; elsewhere nobody without one pays."""
    hohhot, heze = (load_year_file(PLACES / f"{name}.toml") for name in ("hohhot_2023", "heze_2025"))

    quoted = asked_at(hohhot, "2022-11-05 10:00", residence=Residence.NONLOCAL)

    assert (quoted.reason_code, quoted.personal_due, quoted.gov_subsidy) == (Reason.OK, 99000, 0)
    assert asked_at(heze, "2024-11-05 10:00", residence=Residence.NONLOCAL).reason_code is Reason.NOT_RESIDENT
