"""What holds for every person, moment, channel and tier, against prices written down a second time."""

from datetime import date, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from app.policy.answer import Eligible, Part, Quote
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
    SponsorMode,
    SponsorRule,
)
from app.policy.quote import accepts, quote, tier_choices
from app.policy.words import outlook, say, say_line
from core.clock import BEIJING
from tests.app.policy.people import RULES

AMOUNTS = ("total", "personal_due", "gov_substitute", "sponsor_share", "gov_subsidy", "couple_bonus", "account_credit")
TIERS = [None, 0, 10000, 20000, 30000, 30050, 50000, 60000, 80000, 100000, 150000, 200000, 250000, 300000, 400000]
EDGES = ["2021-10-01", "2021-10-20", "2021-12-21", "2022-01-01", "2022-12-01", "2023-01-01"]

sponsor = st.one_of(
    st.builds(SponsorRule, st.just(SponsorMode.ALL), st.just("A"), st.just("甲村"), covers_late=st.booleans()),
    st.builds(SponsorRule, st.just(SponsorMode.PCT), st.just("B"), st.just("乙社"), st.integers(0, 10000)),
    st.builds(SponsorRule, st.just(SponsorMode.FIX), st.just("C"), st.just("丙厂"), st.integers(0, 50000)),
)


def between(first: str, after: str):
    """Beijing moments of a half-open span, its edges and the edges inside it more often than chance would."""
    opens, closes = datetime.fromisoformat(first), datetime.fromisoformat(after)
    edges = [datetime.fromisoformat(day) for day in EDGES] + [opens, closes]
    around = [edge - step for edge in edges for step in (timedelta(0), timedelta(microseconds=1))]
    inside = st.sampled_from([moment for moment in around if opens <= moment < closes])
    anywhere = st.datetimes(opens, closes - timedelta(microseconds=1))
    return st.one_of(anywhere, inside).map(lambda moment: moment.replace(tzinfo=BEIJING))


moments = between("2021-09-25", "2023-01-05")
births = st.one_of(
    st.dates(date(1930, 1, 1), date(2022, 11, 30)),
    st.sampled_from([date(1951, 12, 31), date(1952, 1, 1), date(1961, 12, 31), date(1962, 1, 1), date(2004, 2, 29)]),
)
determinations = st.one_of(
    st.none(), st.builds(Determination, st.sampled_from(Decision), st.one_of(st.none(), st.integers(1, 900000)))
)


def rarely(strategy, usual):
    """Mostly the usual fact, so that most people get as far as a price."""
    return st.one_of(st.just(usual), st.just(usual), st.just(usual), strategy)


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
    categories=rarely(st.frozensets(st.sampled_from(Category), max_size=3), frozenset()),
    student=rarely(st.booleans(), False),
    employee_insured=rarely(st.sampled_from(Employment), Employment.NONE),
    insured_elsewhere=rarely(st.frozensets(st.sampled_from(Elsewhere), max_size=2), frozenset()),
    already_paid=rarely(st.booleans(), False),
    family_type=st.sampled_from(FamilyType),
    spouse_birth=st.one_of(st.none(), st.dates(date(1950, 1, 1), date(2000, 1, 1))),
    special_case=rarely(st.sampled_from(SpecialCase), SpecialCase.NONE),
    determination=determinations,
    sponsors=st.lists(sponsor, max_size=3).map(tuple),
)
channels = rarely(st.sampled_from(sorted(RULES.channels)), "self")
everything = settings(max_examples=300, deadline=None)


def part(quoted: Quote, *parts: Part) -> int:
    return sum(line.amount for line in quoted.lines if line.part in parts)


@everything
@given(people, moments, channels, st.sampled_from(TIERS))
def test_the_lines_add_up_and_a_person_without_a_price_has_none(facts, at, channel, tier):
    quoted = quote(RULES, facts, at=at, channel=channel, tier=tier)

    if quoted.eligible is not Eligible.YES:
        assert quoted.lines == () and quoted.price_until is None and quoted.price_basis == "none"
        assert all(getattr(quoted, amount) is None for amount in AMOUNTS)
        return
    assert all(line.amount > 0 and line.fund is facts.insurance and line.evidence for line in quoted.lines)
    assert part(quoted, Part.PERSONAL) == quoted.personal_due
    assert part(quoted, Part.GOV_SUBSTITUTE) == quoted.gov_substitute
    assert part(quoted, Part.SPONSOR) == quoted.sponsor_share
    assert part(quoted, Part.GOV_SUBSIDY) == quoted.gov_subsidy
    assert part(quoted, Part.COUPLE_BONUS) == (quoted.couple_bonus or 0)
    borne = quoted.personal_due + quoted.gov_substitute + quoted.sponsor_share
    if facts.insurance is Insurance.RES_PENSION:
        assert borne == quoted.total
        assert quoted.account_credit == quoted.total + quoted.gov_subsidy + quoted.couple_bonus
    else:
        assert borne + quoted.gov_subsidy == quoted.total
        assert quoted.reason_code == "BACKPAY_APPROVED" or quoted.total == 90000
    assert accepts(quoted, quoted.personal_due) and not accepts(quoted, quoted.personal_due + 1)
    assert quoted.price_until > at


@settings(max_examples=100, deadline=None)
@given(people, moments, channels, st.sampled_from(TIERS), st.floats(0, 1))
def test_a_price_stays_what_it_is_until_the_moment_it_names(facts, at, channel, tier, part_of_the_way):
    quoted = quote(RULES, facts, at=at, channel=channel, tier=tier)
    if quoted.price_until is None:
        return
    span = (quoted.price_until - at) // timedelta(microseconds=1) - 1
    later = at + timedelta(microseconds=int(span * part_of_the_way))

    for moment in (later, quoted.price_until - timedelta(microseconds=1)):
        again = quote(RULES, facts, at=moment, channel=channel, tier=tier)
        assert [getattr(again, amount) for amount in AMOUNTS] == [getattr(quoted, amount) for amount in AMOUNTS]
        assert {(line.payer, line.amount) for line in again.lines} == {
            (line.payer, line.amount) for line in quoted.lines
        }


@everything
@given(people, moments, channels, st.sampled_from(TIERS))
def test_there_is_a_sentence_for_every_answer_and_none_names_a_category(facts, at, channel, tier):
    quoted = quote(RULES, facts, at=at, channel=channel, tier=tier)
    sentences = [
        say(quoted, RULES),
        outlook(quoted, facts, RULES) or "",
        *(say_line(line, RULES) for line in quoted.lines),
    ]

    assert sentences[0] and not any("{" in sentence or "None" in sentence for sentence in sentences)
    if quoted.reason_code != "TIER_100_NOT_ALLOWED":
        hidden = ("低保", "残疾", "五保", "特困", "孤儿", "脱贫", "优抚", "因病")
        assert not any(word in sentence for word in hidden for sentence in sentences)


# The notice's medical prices once more, in yuan: period × help → personal, government, treasury.
MEDICAL = {
    ("normal", "none"): (320, 0, 580),
    ("normal", "half"): (160, 160, 580),
    ("normal", "all"): (0, 320, 580),
    ("late", "none"): (900, 0, 0),
    ("late", "half"): (900, 0, 0),
    ("late", "all"): None,
}
WAIVED = {"POVERTY", "WUBAO", "DIS1", "DIS2", "TEKUN", "DIBAO", "ORPHAN", "DFUC", "ILLNESS"}
PENSION = {300: 30, 500: 60, 600: 60, 800: 80, 1000: 80, 1500: 80, 2000: 80, 2500: 80, 3000: 80, 4000: 80, 5000: 80}
PENSION_POOR = {100: 30, **PENSION}
POOR = {"DIS1", "DIS2", "DIS3", "DIS4", "WUBAO", "TEKUN", "DIBAO", "YOUFU", "POVERTY"}
PAID_FOR = {"DIS1", "DIS2", "POVERTY", "DIBAO", "WUBAO", "TEKUN"}


def plain(insurance: Insurance, born: date, categories: frozenset[Category]) -> Facts:
    return Facts(
        insurance=insurance,
        birth_date=born,
        sex=Sex.F,
        residence=Residence.HUKOU,
        permit_to=None,
        parent_known=False,
        registered=True,
        alive=True,
        categories=categories,
        student=False,
        employee_insured=Employment.NONE,
        insured_elsewhere=frozenset(),
        already_paid=False,
    )


@everything
@given(births, st.frozensets(st.sampled_from(Category), max_size=2), between("2021-10-01", "2022-12-01"))
def test_the_medical_price_is_the_one_in_the_table(born, categories, at):
    period = "normal" if at.year == 2021 else "late"
    by_age = "all" if born.isoformat() < "1952" else "half" if born.isoformat() < "1962" else "none"
    expected = MEDICAL[period, "all" if categories & WAIVED else by_age]

    quoted = quote(RULES, plain(Insurance.RES_MEDICAL, born, categories), at=at, channel="self", tier=None)

    if expected is None:
        assert (quoted.eligible, quoted.reason_code) == ("review", "LATE_WAIVER_REVIEW")
    else:
        got = (quoted.personal_due, quoted.gov_substitute, quoted.gov_subsidy)
        assert got == tuple(100 * yuan for yuan in expected)


@everything
@given(
    st.dates(date(1963, 1, 1), date(2005, 1, 1)),
    st.frozensets(st.sampled_from(Category), max_size=2),
    between("2021-10-01", "2023-01-01"),
)
def test_the_pension_price_is_the_one_in_the_table(born, categories, at):
    facts = plain(Insurance.RES_PENSION, born, categories)
    table = PENSION_POOR if categories & POOR else PENSION
    government = 100 if categories & PAID_FOR else 0

    choices = tier_choices(RULES, facts, at, "self")

    assert {choice.tier: (choice.personal_due, choice.gov_subsidy) for choice in choices if choice.allowed} == {
        tier * 100: ((tier - government) * 100, subsidy * 100) for tier, subsidy in table.items()
    }
