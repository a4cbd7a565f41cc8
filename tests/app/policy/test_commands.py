"""A policy clerk copies a year, is told in words what is wrong with the copy, and runs worked cases against it."""

import re
from pathlib import Path

import pytest

from app.policy.year import YEARS
from app.serving import create_app
from config.settings import Settings
from tests.app.policy.copies import TEXT, dearer, without_example
from tests.app.policy.test_cases import FIRST, HEAD, TABLE

ROOT = Path(__file__).parents[3]


@pytest.fixture
def policy(environment):
    """The commands of a process that has no database: none of these may need one."""
    runner = create_app(Settings.from_environment(environment)).test_cli_runner()
    return lambda *words, typed=None: runner.invoke(args=["policy", *map(str, words)], input=typed)


def test_a_copy_keeps_every_comment_and_says_what_to_do_next(policy, tmp_path):
    new = tmp_path / "2023.toml"

    said = policy("copy", 2022, new)

    assert said.exit_code == 0 and new.read_bytes() == (YEARS / "2022.toml").read_bytes()
    assert "year = 2022 改成2023" in said.output and "# assumed:" in said.output
    for verb in (f"check {new}", f"show {new} --against 2022", f"replay --year 2022 --against {new}"):
        assert f"policy {verb}" in said.output


def test_every_table_that_the_next_steps_name_is_one_of_the_language(policy, tmp_path):
    said = policy("copy", 2025, tmp_path / "draft.toml").output
    page = (ROOT / "docs" / "a-year.md").read_text(encoding="utf-8")

    assert "改成新的年份" in said
    for word in re.findall(r"[a-z_]{3,}", re.sub(r"(?m)^.*policy.*$", "", said.partition("接下来")[2])):
        assert word in page, word


@pytest.mark.parametrize(("typed", "name"), [("\n", "2023.toml"), ("draft.toml\n", "draft.toml")])
def test_a_copy_without_a_name_asks_and_offers_the_next_year(policy, tmp_path, monkeypatch, typed, name):
    monkeypatch.chdir(tmp_path)

    said = policy("copy", 2022, typed=typed)

    assert said.exit_code == 0 and "[2023.toml]" in said.output
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_a_copy_is_a_year_file_by_its_name(policy, tmp_path):
    said = policy("copy", 2022, tmp_path / "2023.xlsx")

    assert said.exit_code != 0 and ".toml" in said.output and not list(tmp_path.iterdir())


def test_a_copy_overwrites_nothing(policy, tmp_path):
    new = tmp_path / "2023.toml"
    new.write_text("mine")

    said = policy("copy", 2022, new)

    assert said.exit_code != 0 and "已经有了" in said.output and new.read_text() == "mine"


def test_a_year_without_a_file_cannot_be_copied(policy, tmp_path):
    said = policy("copy", 2019, tmp_path / "new.toml")

    assert said.exit_code != 0 and "还没有这一年的缴费标准" in said.output


def test_a_good_file_is_said_to_be_good_with_what_it_holds(policy, tmp_path):
    said = policy("check", dearer(tmp_path / "changed.toml"))

    assert said.exit_code == 0
    assert all(word in said.output for word in ("可以用", "12 个档次", "医保减免 10 类", "养老代缴 6 类"))


def test_what_is_worth_a_look_refuses_nothing_unless_asked_to(policy, tmp_path):
    file = tmp_path / "new.toml"
    file.write_text(TEXT.replace("个人缴纳320元", "个人缴纳350元"), encoding="utf-8")

    plain, strict = policy("check", file), policy("check", file, "--strict")

    assert plain.exit_code == 0 and "可以用" in plain.output and "clauses.R16：原文里写的350元" in plain.output
    assert strict.exit_code == 1 and strict.output == plain.output


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("personal = 320_00  # R16", "", "缺少 new.toml.medical.personal"),
        ("personal = 320_00  # R16", "personal = 380_00", "medical.total 不等于个人缴费加财政补助"),
        ("personal = 320_00  # R16", "personal = 320.00", "medical.personal 的写法不对"),
        ("short_cover_days", "shortcoverdays", "缺少 new.toml.medical.short_cover_days"),
        ("months = 6", "months = 6\ntwins = 2", "没有 new.toml.medical.newborn[0].twins 这一项"),
        ("personal_due = 320_00", "personal_due = 310_00", "personal_due 算出来是 32000，案例写的是 31000"),
        ("year = 2022", "year == 2022", "new.toml"),
    ],
)
def test_what_is_wrong_is_said_in_words_with_its_place(policy, tmp_path, old, new, words):
    file = tmp_path / "new.toml"
    file.write_text(TEXT.replace(old, new, 1), encoding="utf-8")

    said = policy("check", file)

    assert said.exit_code == 1 and words in said.output and "Traceback" not in said.output


@pytest.mark.parametrize(
    ("titles", "named"),
    [
        (["养老1500元档"], "pension.tiers 150000"),
        (["孤儿医保代缴"], "medical.grounds ORPHAN"),
        (["满70岁医保代缴"], "medical.grounds AGE70"),
        (["60–69岁医保减半", "60岁当天为基准日", "减半后集体再资助一半"], "medical.grounds AGE60"),
        (["五保养老代缴100元"], "pension.kept WUBAO"),
        (["独生子女家庭女方满50岁", "两女户男方"], "pension.bonus"),
    ],
)
def test_a_tier_subsidy_or_waiver_without_example_is_refused(policy, tmp_path, titles, named):
    said = policy("check", without_example(tmp_path / "new.toml", *titles))

    assert said.exit_code == 1 and f"{named} 没有案例" in said.output


def test_one_of_several_examples_may_go(policy, tmp_path):
    assert policy("check", without_example(tmp_path / "new.toml", "60–69岁医保减半")).exit_code == 0


def test_a_refused_file_is_not_replayed(policy, tmp_path):
    file = without_example(tmp_path / "new.toml", "孤儿医保代缴")

    said = policy("replay", "--year", 2022, "--against", file)

    assert said.exit_code == 1 and "没有案例" in said.output


def test_the_published_cases_agree(policy):
    said = policy("verify", TABLE)

    assert said.exit_code == 0 and "0 处不同" in said.output


def test_cases_are_verified_against_a_copy_by_its_path(policy, tmp_path):
    cases = tmp_path / "cases.csv"
    cases.write_text(f"{HEAD}\n{FIRST}\n", encoding="utf-8")

    said = policy("verify", cases, "--year", dearer(tmp_path / "changed.toml"))

    assert said.exit_code == 1
    assert "M002\tpersonal_due\texpected 320.00\tgot 380.00" in said.output
    assert "M002\tgov_subsidy\texpected 580.00\tgot 520.00" in said.output


def test_a_file_that_is_not_there_is_told(policy, tmp_path):
    said = policy("verify", TABLE, "--year", Path(tmp_path / "none.toml"))

    assert said.exit_code != 0 and "Traceback" not in said.output


def test_a_year_is_shown_in_words_with_what_changed(policy, tmp_path):
    said = policy("show", dearer(tmp_path / "new.toml"), "--against", 2022)

    assert said.exit_code == 0
    assert "和2022年比，改了什么" in said.output and "原来：320；现在：380" in said.output


def test_a_year_is_a_paper_to_sign(policy, tmp_path):
    said = policy("show", 2025, "--out", tmp_path / "2025.pdf")

    assert said.exit_code == 0 and (tmp_path / "2025.pdf").read_bytes().startswith(b"%PDF")


def test_a_year_is_written_as_a_paper_and_nothing_else(policy, tmp_path):
    said = policy("show", 2025, "--out", tmp_path / "2025.docx")

    assert said.exit_code != 0 and ".pdf" in said.output


@pytest.mark.parametrize(("out", "words"), [("report.csv", ".xlsx"), ("nowhere/report.xlsx", "没有这个文件夹")])
def test_a_report_that_could_not_be_written_is_told_before_the_work(policy, tmp_path, out, words):
    said = policy("replay", "--year", 2022, "--against", 2022, "--out", tmp_path / out)

    assert said.exit_code != 0 and words in said.output


def test_a_moment_that_is_none_is_told(policy):
    said = policy("replay", "--year", 2022, "--against", 2022, "--at", "yesterday")

    assert said.exit_code != 0 and "--at" in said.output
