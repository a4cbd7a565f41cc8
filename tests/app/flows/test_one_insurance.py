"""A year with the pension only: lists, messages and counts speak of that one. (With the medical only a whole district
runs in tests/journeys/test_second_district.py.)"""

import re
from dataclasses import replace
from datetime import date

import pytest

from app.flows.due.coverage import coverage, left_in
from app.flows.due.quote import all_due, subjects
from app.flows.levy import Levy
from app.flows.refund.entitle_late import ask_for_entitled
from app.flows.register.check_year import check_year
from app.flows.tell.remind import left_to_tell
from app.flows.titles import collected_words
from app.flows.village.people import Standing, villagers
from app.flows.village.slips import can_be_handed_out, words_of_the_day
from app.policy.facts import Insurance
from app.policy.year import YEARS
from tests.builders import a_household, a_person
from tests.rosters import in_force

VILLAGE = "370404103901"


@pytest.fixture
def parts(running, tmp_path):
    """The district, its year without the medical."""
    blocks = re.split(r"(?m)^(?=\[)", (YEARS / "2022.toml").read_text(encoding="utf-8"))
    kept = [block for block in blocks if not re.match(r"\[+medical|\[\[examples(?s:.*)RES_MEDICAL", block)]
    (tmp_path / "2022.toml").write_text("".join(kept), encoding="utf-8")
    return replace(running.parts, levy=Levy(running.parts.engine, tmp_path, 2022), year_files=tmp_path)


def test_lists_counts_and_messages_speak_of_the_pension_alone(running, parts):
    home = running.write(a_household)
    adult = running.write(lambda connection: a_person(connection, household=home))
    in_force(running)
    [person] = subjects(parts, [adult])

    assert [due.insurance for due in all_due(parts, person, at=parts.clocks.now())] == [Insurance.RES_PENSION]
    [line], progress = villagers(parts, VILLAGE)
    assert (line.standing, line.due_words) == (Standing.TIER_OPEN, "养老选档后交")
    assert [(each.title, each.done, each.of) for each in progress] == [("养老", 0, 1)]
    assert [row.insurance for row in coverage(parts, since=parts.clocks.now())] == ["RES_PENSION"]
    assert left_in(parts, VILLAGE) == {adult}
    told = left_to_tell(parts, home)
    assert told is not None and told[1]["items"] == "2022年居民养老"
    assert ask_for_entitled(parts) == 0
    assert not [each.words for each in check_year(parts, 2022) if "居民医疗" in each.words]


def test_a_slip_of_the_pension_alone_says_nothing_of_the_medical(parts):
    rules = parts.rules

    assert collected_words(rules) == "居民养老" and collected_words(rules, "居民养老、医保") == "居民养老"
    for day in (date(2021, 11, 5), date(2022, 3, 1), date(2022, 12, 20)):
        assert "医保" not in "".join(words_of_the_day(rules, day))
    assert can_be_handed_out(rules, rules.dates.pension_out_of_window_end)
