"""Real rules of other places and years are files in one language, and their worked cases come true."""

from dataclasses import replace
from datetime import datetime, time
from pathlib import Path

import pytest

from app.policy.answer import Reason
from app.policy.cases import Difference, differences
from app.policy.facts import Insurance
from app.policy.quote import quote
from app.policy.sheet import for_resident
from app.policy.year import load_year, load_year_file
from core.clock import BEIJING
from tests.app.policy.people import ORDINARY

PLACES = Path(__file__).with_name("places")
OWN = Path(__file__).with_name("zaozhuang_2025.csv")


@pytest.mark.parametrize("place", sorted(path.stem for path in PLACES.glob("*.toml")))
def test_a_place_is_a_file_whose_examples_come_true(place):
    assert load_year_file(PLACES / f"{place}.toml").year == int(place.rpartition("_")[2])


@pytest.mark.parametrize("place", sorted(path.stem for path in PLACES.glob("*.toml")))
def test_whichever_insurance_is_asked_for_is_answered_in_words(place):
    """Also the one that the place does not have, and everything that is said of the one it has."""
    rules = load_year_file(PLACES / f"{place}.toml")
    dates = rules.dates
    for insurance, facts in ((insurance, replace(ORDINARY, insurance=insurance)) for insurance in Insurance):
        for day in (dates.self_open, dates.normal_price_end, dates.late_end):
            quoted = quote(rules, facts, at=datetime.combine(day, time(10), BEIJING), channel="self", tier=None)
            sheet = for_resident(quoted, facts, rules)
            assert sheet.answer and sheet.source
            refused = quoted.reason_code is Reason.NOT_OFFERED
            assert refused is not rules.offers(insurance) and ("这里不收" in sheet.answer) is refused


@pytest.mark.parametrize("place", sorted(path.stem for path in PLACES.glob("*.csv")))
def test_every_case_of_a_place_comes_true_on_every_output(place):
    count, found = differences(PLACES / f"{place}.csv", load_year_file(PLACES / f"{place}.toml"))

    assert count and found == []


def test_every_case_of_the_districts_own_2025_comes_true():
    assert differences(OWN, load_year(2025)) == (11, [])


def test_a_group_that_nobody_knows_is_a_difference_of_its_case_alone(tmp_path):
    head, first, second, *_ = (PLACES / "heze_2025.csv").read_text(encoding="utf-8").splitlines()
    table = tmp_path / "cases.csv"
    table.write_text("\n".join((head, first, second.replace("TEKUN", "RICH"))) + "\n")

    found = differences(table, load_year_file(PLACES / "heze_2025.toml"))

    assert found == (2, [Difference("heze_2025-02", "categories", "RICH", "unknown to the year")])


def test_other_funds_are_compared_where_a_case_names_them(tmp_path):
    rules = load_year_file(PLACES / "taizhou_2024.toml")
    head, first, *_ = (PLACES / "taian_2024.csv").read_text(encoding="utf-8").splitlines()
    columns = dict(zip(head.split(","), first.split(","), strict=True))
    columns |= {"level": "", "other_funds": "30", "tendered": "480", "accept_payment": "Y"}
    columns |= {"total": "1100", "personal_due": "460"}
    table = tmp_path / "cases.csv"
    table.write_text(f"{head}\n{','.join(columns.values())}\n", encoding="utf-8")

    assert differences(table, rules) == (1, [Difference("taian_2024-01", "other_funds", "30.00", "20.00")])
