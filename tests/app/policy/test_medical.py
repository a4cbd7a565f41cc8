"""The medical premium: who pays how much, when, and why not."""

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from app.policy.facts import (
    SpecialCase,
    SponsorMode,
    SponsorRule,
)
from app.policy.quote import quote
from app.policy.worked import sponsors_of
from app.policy.year import UnknownChannel
from tests.app.policy.people import APPROVED, ORDINARY, REJECTED, RULES, lines, medical, pension, when


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
