"""A year that is not complete, or whose examples do not come true, is refused."""

import pytest

from app.policy.year import YEARS, BadPolicyYear, NoSuchYear, load_year, load_year_file, years

TEXT = (YEARS / "2022.toml").read_text(encoding="utf-8")


def spoiled(tmp_path, old, new):
    assert old in TEXT
    path = tmp_path / "2022.toml"
    path.write_text(TEXT.replace(old, new, 1), encoding="utf-8")
    return path


@pytest.mark.parametrize("year", years())
def test_every_year_with_a_file_loads_and_proves_its_examples(year):
    assert load_year(year).year == year


def test_a_year_is_read_once():
    assert load_year(2022) is load_year(2022)


def test_only_the_notices_year_lets_agents_collect_by_rosters_and_a_file_that_is_silent_does_not():
    assert [year for year in years() if load_year(year).campaign.agents_by_roster] == [2022]


def test_a_year_without_a_file_is_not_guessed():
    with pytest.raises(NoSuchYear):
        load_year(2019)


SPOILED = [
    ("agents_by_roster = true", "agents_by_roster = 1", r"campaign\.agents_by_roster: must be bool, not int"),
    ("R16 = {", "R66 = {", r"clauses: R16 is used by a line and has no words"),
    ("R16 = {", "R6 = {", r"clauses\.R6: is not the number"),
    ('R16 = { place = "第四条（一）居民医疗保险", ', "R16 = { ", r"clauses\.R16\.place: is missing"),
    ('STUDENT = ["R09"]', 'STUDENT = ["R99"]', r"behind\.STUDENT: R99 has no words"),
    ('STUDENT = ["R09"]', 'PUPIL = ["R09"]', r"behind\.PUPIL: no such reason"),
    ("personal = 320_00  # R16", "", r"medical\.personal: is missing"),
    ("personal = 320_00  # R16", "personal = 320.00", r"medical\.personal: must be int, not float"),
    ("personal = 320_00  # R16", "personal = true", r"medical\.personal: must be int, not bool"),
    ("personal = 320_00  # R16", "personal = 330_00", r"medical\.total: is not personal \+ subsidy"),
    ("wait = { days = 30 }", "wait = { days = 31 }", r"medical\.late\[1\]\.wait: leaves the last late payer no day"),
    (
        "wait = { days = 30 }",
        "wait = { days = 30, months = 1 }",
        r"wait\.days: or months or calendar_months",
    ),
    ("wait = { days = 30 }", "wait = { weeks = 4 }", r"wait\.days: or months or calendar_months"),
    (
        'charge = "total"\nwait = { days = 30 }',
        'charge = "personal"\nstarts = "next_month"\nuntil = 2022-12-01',
        r"medical\.late\[1\]\.wait: leaves the last late payer no day",
    ),
    ('charge = "total"', 'charge = "months_left"', r"late\[1\]\.wait: in days ends within the months"),
    ('charge = "total"', 'charge = "twice"', r"late\[1\]\.charge: no such word: twice"),
    ('charge = "total"', 'until = 2023-01-01\ncharge = "total"', r"late\[1\]\.until: lies outside the year's cover"),
    ("who = { waived = true }", "who = { rich = true }", r"late\[0\]\.who\.rich: is not a key"),
    ("who = { waived = true }", 'who = { groups = ["RICH"] }', r"late\[0\]\.who\.groups: no such category: RICH"),
    ("who = { waived = true }", "who = { groups = [] }", r"late\[0\]\.who\.groups: names nobody"),
    ("who = { waived = true }", "who = { schools = [] }", r"late\[0\]\.who\.schools: names nobody"),
    ("who = { waived = true }", "who = { from_age = 60, to_age = 59 }", r"who\.to_age: lies before from_age"),
    (
        "who = { waived = true }",
        "who = { paid_from = 2022-03-02, paid_to = 2022-03-01 }",
        r"who\.paid_to: lies before paid_from: nobody is meant",
    ),
    (
        "[[medical.late]]  # R22",
        '[[medical.late]]\ncharge = "personal"\n[[medical.late]]  # R22',
        r"medical\.late: something stands behind what means everybody",
    ),
    (
        "[[medical.late]]  # R22",
        "[[medical.prices]]\nwho = { waived = true }\ntotal = 9\npersonal = 4\nsubsidy = 5\n[[medical.late]]  # R22",
        r"prices\[0\]\.who\.waived: is not known yet",
    ),
    (
        "wait = { days = 30 }",
        "[medical.gap]\nmonths_each = 1\nbuys = false\nin_window = false",
        r"medical\.gap: lengthens a wait, and nobody waits",
    ),
    ("months = 6", "months = 6\ntwins = 2", r"medical\.newborn\[0\]\.twins: is not a key"),
    ("months = 6", "months = 6\ndays = 90", r"newborn\[0\]\.months: or days: exactly one"),
    ("share_bp = 5000", "share_bp = 5000\nfixed = 1_00", r"grounds\[10\]\.share_bp: or fixed or leaves"),
    ("[medical]", '[groups]\nDIBAO = "低保"\n[medical]', r"groups\.DIBAO: is no new code"),
    ("self_open = 2021-10-01", 'self_open = "2021-10-01"', r"dates\.self_open: must be date, not str"),
    ("self_open = 2021-10-01", "self_open = 2021-10-21", r"dates\.agent_open: lies before self_open"),
    ("benefit_to = 2022-12-31", "benefit_to = 2021-12-31", r"dates\.benefit_to"),
    ('"TEKUN"\npayer', '"TEKUNN"\npayer', r"grounds\[0\]\.code: neither a category nor an age"),
    ("share_bp = 5000", "share_bp = 10001", r"grounds\[10\]\.share_bp: out of bounds"),
    (
        "[pension]",
        '[[medical.grounds]]\ncode = "TEEN"\nwho = { to_age = 17 }\nfixed = 100_00\npayer = "finance"\nclause = "R17"\n'
        'evidence = "a"\nnote = ""\n[[medical.prices]]\nwho = { to_age = 10 }\ntotal = 6\npersonal = 4\nsubsidy = 2\n'
        "[pension]",
        r"medical\.grounds: a lesser share stands before a greater one where 4 is due",
    ),
    ("share_bp = 10000", "share_bp = 100", r"medical\.grounds: a lesser share stands before a greater"),
    ("tiers = [100_00, 300_00", "tiers = [300_00, 100_00", r"pension\.tiers: must be rising"),
    ("to = 600_00", "to = 500_00", r"pension\.subsidy_bands: 0 bands for the tier 60000"),
    ("to = 600_00", "to = 800_00", r"pension\.subsidy_bands: 2 bands for the tier 80000"),
    ("from = 100_00", "from = 0\nto = 1\nsubsidy = 0\n[[pension.subsidy_bands]]\nfrom = 100_00", "no tier in the band"),
    ('categories = ["DIS1", "DIS2"', 'categories = ["DIS9", "DIS2"', r"kept\[0\]\.categories: no such category: DIS9"),
    ("[pension.bonus]", "[pension.backpay]\ntier = 200_00\n[pension.bonus]", r"pension\.backpay: names no tier"),
    ("[pension.bonus]", "[pension.backpay]\n[pension.bonus]", r"backpay\.tier: or most: exactly one"),
    ("join_age = 16", "raising_until = 2023-01-01\njoin_age = 16", r"raising_until: lies outside the pension's days"),
    (
        "[pension.bonus]",
        "[pension.aid]\nmost = 1\nopens = 2022-05-02\nlast = 2022-05-01\n[pension.bonus]",
        r"aid\.last: lies before opens",
    ),
    (
        "[[medical.newborn]]",
        '[[medical.windows]]\nbegins = 2021-12-01\nstarts = "year"\n[[medical.newborn]]',
        r"windows\[0\]\.begins: stands beside starts",
    ),
    ("default_tier = 100_00", "default_tier = 200_00", r"substitute\.default_tier: is not a tier"),
    ('agent = ["agent"', 'agent = ["self"', r"channels\.agent: self is already collected"),
    ("{on}满{age}周岁", "{when}满{age}周岁", r"evidence: a place that nobody fills"),
    (
        "receipts_until = 2021-12-21T12:00:00+08:00",
        "receipts_until = 2021-12-21T12:00:00",
        "receipts_until: has no time",
    ),
    ("order_minutes = 15", "order_minutes = 0", r"campaign\.order_minutes: out of bounds"),
    ('residence = "hukou"', 'residence = "moon"', r"residence: no such word: moon"),
    ('title = "普通居民医保"', 'titel = "普通居民医保"', r"examples\[0\]\.title: is missing"),
    ("year = 2022", "year = 2022\nyaer = 1", r"\.yaer: is not a key"),
    ("year = 2022", "year == 2022", "2022.toml: "),
]


@pytest.mark.parametrize(("old", "new", "named"), SPOILED)
def test_a_spoiled_year_is_refused_and_the_key_named(tmp_path, old, new, named):
    with pytest.raises(BadPolicyYear, match=named):
        load_year_file(spoiled(tmp_path, old, new))


def test_an_example_that_does_not_come_true_refuses_the_year(tmp_path):
    path = spoiled(tmp_path, "total = 900_00, personal_due = 320_00", "total = 900_00, personal_due = 310_00")

    with pytest.raises(BadPolicyYear, match=r"examples\[0\] \(普通居民医保\): personal_due is 32000, expected 31000"):
        load_year_file(path)


def test_an_output_that_an_example_keeps_silent_about_refuses_the_year(tmp_path):
    path = spoiled(tmp_path, "personal_due = 320_00, gov_subsidy = 580_00", "personal_due = 320_00")

    with pytest.raises(BadPolicyYear, match="gov_subsidy is 58000, expected None"):
        load_year_file(path)


@pytest.mark.parametrize(
    ("title", "named"),
    [
        ("养老1500元档", "pension.tiers 150000"),
        ("孤儿医保代缴", "medical.grounds ORPHAN"),
        ("满70岁医保代缴", "medical.grounds AGE70"),
        ("残疾四级自己交100元档", "pension.kept DIS4"),
        ("五保养老代缴100元", "pension.kept WUBAO"),
    ],
)
def test_a_tier_or_category_without_an_example_refuses_the_year(tmp_path, title, named):
    head, *examples = TEXT.split("[[examples]]")
    kept = [example for example in examples if f'"{title}"' not in example]
    assert len(kept) == len(examples) - 1
    path = tmp_path / "2022.toml"
    path.write_text("[[examples]]".join((head, *kept)), encoding="utf-8")

    with pytest.raises(BadPolicyYear, match=f"{named}: no worked example"):
        load_year_file(path)


def test_figures_of_a_year_can_change_without_touching_code(tmp_path):
    head = TEXT.split("[[examples]]")[0]
    dearer = head.replace("personal = 320_00", "personal = 350_00").replace("total = 900_00", "total = 930_00")
    examples = TEXT[len(head) :].replace("personal_due = 320_00", "personal_due = 350_00")
    examples = examples.replace("total = 900_00", "total = 930_00").replace(
        "personal_due = 900_00", "personal_due = 930_00"
    )
    for old, new in (("gov_substitute = 320_00", "gov_substitute = 350_00"), ("= 160_00", "= 175_00")):
        examples = examples.replace(old, new)
    examples = examples.replace("personal_due = 80_00", "personal_due = 87_50")
    examples = examples.replace("sponsor_share = 80_00", "sponsor_share = 87_50").replace(
        "share = 320_00", "share = 350_00"
    )
    path = tmp_path / "2022.toml"
    path.write_text(dearer + examples, encoding="utf-8")

    assert load_year_file(path).medical.base.personal == 35000
