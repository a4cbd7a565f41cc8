"""A pension tier is raised once within the year by paying the difference; aid and back-payments have their bounds."""

from dataclasses import replace
from datetime import date

import pytest

from app.policy.answer import Part, Reason
from app.policy.facts import Decision, Determination, Insurance, SpecialCase
from app.policy.quote import quote
from app.policy.raising import Rise, quote_rise
from app.policy.tiers import Backpay
from app.policy.told import tell
from app.policy.year import BadPolicyYear, load_year_file, written_file
from tests.app.policy.files import HERE, file_of
from tests.app.policy.people import ORDINARY, lines, when
from tests.app.policy.test_places import PLACES

JINAN = load_year_file(PLACES / "jinan_pension_2024.toml")
PENSIONER = replace(ORDINARY, insurance=Insurance.RES_PENSION, already_paid=True)


def risen(paid, tier, at="2023-11-20 10:00", before=False, rules=JINAN, **facts):
    rise = Rise(paid, tier, before)
    return quote_rise(rules, replace(PENSIONER, **facts), rise, at=when(at), channel="self")


def test_who_raises_pays_the_difference_and_has_the_last_tiers_subsidy():
    """P28: 350 → 800 is 450 more, and the subsidy becomes 80."""
    quoted = risen(35000, 80000)

    assert (quoted.reason_code, quoted.tier, quoted.total, quoted.personal_due) == (Reason.OK, 80000, 45000, 45000)
    assert (quoted.gov_subsidy, quoted.account_credit) == (8000 - 4000, 49000)
    assert lines(quoted) == {(Part.PERSONAL, "resident"): 45000, (Part.GOV_SUBSIDY, "finance"): 4000}


def test_a_tier_of_the_same_subsidy_brings_no_more_of_it():
    quoted = risen(80000, 100000)

    assert (quoted.personal_due, quoted.gov_subsidy) == (20000, 0)
    assert lines(quoted) == {(Part.PERSONAL, "resident"): 20000}


def test_who_was_paid_for_pays_the_difference_himself():
    quoted = risen(10000, 35000, categories=frozenset({"TEKUN"}))

    assert (quoted.personal_due, quoted.gov_substitute, quoted.gov_subsidy) == (25000, 0, 1000)


@pytest.mark.parametrize(
    ("paid", "tier", "how", "reason"),
    [
        (35000, 80000, {"before": True}, Reason.ALREADY_PAID),
        (35000, 80000, {"at": "2025-01-01 00:00"}, Reason.ALREADY_PAID),
        (35000, 80000, {"rules": load_year_file(PLACES / "hebei_2024.toml")}, Reason.ALREADY_PAID),
        (80000, 80000, {}, Reason.TIER_ILLEGAL),
        (80000, 35000, {}, Reason.TIER_ILLEGAL),
        (35000, 90000, {}, Reason.TIER_ILLEGAL),
        (35000, None, {}, Reason.TIER_REQUIRED),
        (35000, 80000, {"alive": False}, Reason.DECEASED),
        (35000, 80000, {"birth_date": date(1963, 1, 1)}, Reason.PENSION_AGE_REACHED),
    ],
)
def test_what_cannot_be_raised_is_refused_by_its_reason(paid, tier, how, reason):
    quoted = risen(paid, tier, **how)

    assert (quoted.reason_code, quoted.lines) == (reason, ())


def test_a_raise_after_the_window_is_paid_to_the_last_day():
    quoted = risen(35000, 80000, at="2024-12-31 23:59")

    assert (quoted.reason_code, quoted.price_until) == (Reason.OK_OUT_OF_WINDOW, when("2025-01-01 00:00"))


def test_a_year_whose_subsidy_falls_has_no_raise(tmp_path):
    text = (PLACES / "jinan_pension_2024.toml").read_text(encoding="utf-8")
    falling = tmp_path / "falling.toml"
    falling.write_text(text.replace("subsidy = 90_00", "subsidy = 70_00", 1), encoding="utf-8")

    with pytest.raises(BadPolicyYear, match=r"pension\.raising_until: would take back subsidy"):
        load_year_file(falling)


def test_a_year_without_tiers_has_nothing_to_rise_to(tmp_path):
    text = (PLACES / "beijing_pension_2024.toml").read_text(encoding="utf-8")
    text = text.replace("join_age = 16", "join_age = 16\nraising_until = 2024-11-30", 1)
    (tmp_path / "any.toml").write_text(text, encoding="utf-8")

    with pytest.raises(BadPolicyYear, match=r"pension\.raising_until: has no tier to rise to"):
        load_year_file(tmp_path / "any.toml")


def test_aid_has_a_ceiling_and_days_of_its_own():
    aid = file_of("every_shape").rules.pension.aid

    for day, given, left in (
        (date(2026, 4, 14), 0, 0),
        (date(2026, 4, 15), 0, 50000),
        (date(2026, 12, 20), 49900, 100),
        (date(2026, 12, 20), 60000, 0),
        (date(2026, 12, 21), 0, 0),
    ):
        assert aid.left(given, day) == left


def test_missed_years_are_paid_at_the_tier_or_up_to_the_tier_of_the_year():
    agreed = Determination(Decision.APPROVED, years=(2021, 2022))
    facts = replace(PENSIONER, already_paid=False, special_case=SpecialCase.INTERRUPTED_BACKPAY, determination=agreed)
    at_one = replace(JINAN, has_pension=replace(JINAN.pension, backpay=Backpay(tier=50000)))
    up_to = replace(JINAN, has_pension=replace(JINAN.pension, backpay=Backpay(most=50000)))

    for rules, tier, answer in (
        (at_one, None, (Reason.BACKPAY_APPROVED, 100000)),
        (at_one, 50000, (Reason.BACKPAY_APPROVED, 100000)),
        (at_one, 35000, (Reason.TIER_ILLEGAL, None)),
        (up_to, None, (Reason.TIER_REQUIRED, None)),
        (up_to, 35000, (Reason.BACKPAY_APPROVED, 70000)),
        (up_to, 80000, (Reason.TIER_ILLEGAL, None)),
        (JINAN, 80000, (Reason.BACKPAY_APPROVED, 160000)),
    ):
        quoted = quote(rules, facts, at=when("2023-11-20 10:00"), channel="self", tier=tier)
        assert (quoted.reason_code, quoted.personal_due) == answer


def test_whoever_signs_reads_of_raises_aid_and_back_payments():
    jinan, other = (
        tell(written_file(path)) for path in (PLACES / "jinan_pension_2024.toml", HERE / "every_shape.toml")
    )
    told = [
        {row[0]: row[1] for table in each.tables if table.key == "pension" for row in table.rows}
        for each in (jinan, other)
    ]

    assert told[0]["当年交过以后，能补差价提高一次档次，最后一天"] == "2024年12月31日"
    assert told[1]["别人资助进个人账户，一年最多"] == "500元"
    assert told[1]["资助从哪天到哪天"] == "2026年4月15日到2026年12月20日"
    assert told[1]["资助的钱怎么给"] == "资助人直接交给社保经办机构，这里不收、不付"
    assert "资助的钱怎么给" not in told[0]
    assert told[1]["补缴的档次，最高"] == "300元"
