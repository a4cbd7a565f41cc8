"""A good file is looked through for what its writer may have forgotten; nothing of it refuses the file."""

import re

import pytest

from app.policy.figures import amounts_in
from app.policy.remarks import remarks
from app.policy.year import load_year, written_file, written_year, years
from tests.app.policy.copies import TEXT
from tests.app.policy.test_places import PLACES

KNOWN = "behind", "这些答复没有写依据：TIER_100_NOT_ALLOWED"  # of 2022, whose document says no more


def noticed(text, tmp_path):
    """What is said of a changed copy of 2022, beyond what is said of 2022 itself: place → words."""
    file = tmp_path / "new.toml"
    file.write_text(text, encoding="utf-8")
    return {each.place: each.words for each in remarks(written_file(file)) if (each.place, each.words) != KNOWN}


def changed(old, new):
    assert old in TEXT
    return TEXT.replace(old, new, 1)


def without(*titles):
    head, *examples = TEXT.split("[[examples]]")
    kept = [each for each in examples if not any(f'"{title}"' in each for title in titles)]
    assert len(kept) == len(examples) - len(titles)
    return "[[examples]]".join((head, *kept))


def test_of_2022_only_one_thing_is_said():
    assert [(each.place, each.words) for each in remarks(written_year(2022))] == [KNOWN]


@pytest.mark.parametrize("year", years())
def test_in_the_years_that_are_here_words_and_figures_agree(year):
    said = [each.words for each in remarks(written_year(year))]

    assert not any("原文里" in words or "不在" in words or "没有案例" in words for words in said)


DAYS = [
    ("late_end = 2022-11-30", "late_end = 2023-11-30", "dates.late_end", "2023年11月30日，不在2022年"),
    ("self_open = 2021-10-01", "self_open = 2020-10-01", "dates.self_open", "2020年10月1日，不在2021、2022年"),
    ("benefit_to = 2022-12-31", "benefit_to = 2024-12-31", "dates.benefit_to", "2024年12月31日，不在2022、2023年"),
    ("receipts_until = 2021-", "receipts_until = 2020-", "campaign.receipts_until", "2020年12月21日，不在2021、2022年"),
]


@pytest.mark.parametrize(("old", "new", "place", "words"), DAYS)
def test_a_day_of_another_year_is_noticed(tmp_path, old, new, place, words):
    text = changed(old, new)
    if place == "dates.late_end":
        text = text.replace("benefit_to = 2022-12-31", "benefit_to = 2023-12-31", 1)
        text = re.sub(r'\[\[examples\]\]\ntitle = "逾期截止"\n(?:[^\[\n].*\n)+', "", text)

    assert noticed(text, tmp_path)[place] == words


@pytest.mark.parametrize(
    ("said", "amounts"),
    [
        ("总额900元，个人缴纳320.5元", [900_00, 320_50]),
        ("100和300元的，补30元", [100_00, 300_00, 30_00]),
        ("200至3000元", [200_00, 3000_00]),
        ("年满50周岁，12个档次", []),
    ],
)
def test_amounts_are_read_out_of_words(said, amounts):
    assert amounts_in(said) == amounts


def test_words_that_contradict_the_figures_are_noticed_from_both_sides(tmp_path):
    said = noticed(changed("个人缴纳320元", "个人缴纳350元"), tmp_path)

    assert said["clauses.R16"] == "原文里写的350元，标准里没有这个数"
    assert said["medical.personal"] == "320元，引用的原文里没有这个数"


def test_a_tier_that_its_clause_does_not_name_is_noticed(tmp_path):
    assert noticed(changed("1500、", ""), tmp_path) == {"pension.tiers 150000": "1500元，引用的原文里没有这个数"}


def test_a_clause_that_nothing_names_is_noticed(tmp_path):
    text = changed("[behind]", 'R99 = { place = "第九条", words = "别的" }\n\n[behind]')

    assert list(noticed(text, tmp_path)) == ["clauses.R99"]


def test_the_rule_of_refunds_needs_words_too(tmp_path):
    line = next(line for line in TEXT.splitlines(keepends=True) if line.startswith("D34 = "))

    assert noticed(changed(line, ""), tmp_path) == {"clauses.D34": "退费按它办，没有写原文"}


def test_an_answer_without_a_rule_behind_it_is_noticed(tmp_path):
    assert "：STUDENT、" in noticed(changed('STUDENT = ["R09"]\n', ""), tmp_path)["behind"]


def test_late_terms_that_no_line_and_no_rule_stands_behind_are_noticed(tmp_path):
    late = next(line for line in TEXT.splitlines(keepends=True) if line.startswith("late = {"))
    behind = 'LATE_FULL_PRICE = ["R23"]\n'

    said = noticed(changed(late, "").replace(behind, ""), tmp_path)["behind"]

    assert "LATE_FULL_PRICE" in said and "LATE_WAITING" not in said


def test_terms_that_no_example_shows_are_noticed(tmp_path):
    said = noticed(without("元旦起全额"), tmp_path)

    assert said == {"medical.late[1]": "其他人，没有案例"}
    assert noticed(without("低保逾期先核实"), tmp_path)["medical.late[0]"] == "政府全额替交的，没有案例"


def test_prices_and_stages_of_a_place_that_no_example_shows_are_noticed():
    said = {each.place: each.words for each in remarks(written_file(PLACES / "taian_2024.toml"))}

    assert said["medical.prices[1]"] == "中小学生，大学生，没有案例" and "medical.prices[0]" not in said
    assert said["medical.newborn[0]"] == "6个月以内，没有案例"


def test_what_is_assumed_is_listed_for_whoever_signs():
    said = {each.place: each.words for each in remarks(written_year(2025))}

    assert said["dates.late_end"].startswith("推定：2025年8月31日（") and "" in said
    assert load_year(2025).dates.late_end.year == 2025
