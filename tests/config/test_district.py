"""A district is a file: another one runs from its own, and what is wrong with a file is said by name."""

import re
from dataclasses import replace
from pathlib import Path

import pytest

from app.joining import join
from app.policy.facts import Residence
from app.policy.quote import quote
from app.policy.words import say
from app.policy.year import YEARS, load_year
from config.settings import BadSettings, Settings, environment
from core.db import connect
from tests.app.policy.people import ORDINARY, when

OTHER = """
name = "示例县"
city = "样板市"
tax_office = "示例县税务局"
payee = "示例县居民两险缴费"
signature = "示例税务"
help_phone = "0999-1234567"
years = "{years}"
password_words = ["示例县"]

[departments]
finance = "财政"
civil = "民政"
cdpf = "残联"
health = "卫健"
rural = "乡村振兴"
hsa = "医保局"
"""


@pytest.fixture
def other(tmp_path):
    """A second district in another city, with a year of its own."""
    folder = tmp_path / "years"
    folder.mkdir()
    text = (YEARS / "2022.toml").read_text(encoding="utf-8")
    text = text.replace('district = "峄城区"', 'district = "示例县"').replace('city = "枣庄市"', 'city = "样板市"')
    (folder / "2022.toml").write_text(text, encoding="utf-8")
    file = tmp_path / "other.toml"
    file.write_text(OTHER.format(years=folder), encoding="utf-8")
    return file


def test_another_district_runs_from_its_own_file(other, running):
    settings = Settings.from_environment(environment() | {"DISTRICT": str(other)})

    parts = join(settings, running.parts.engine)

    assert (parts.help_phone, parts.issuer, settings.payee_name) == (
        "0999-1234567",
        "示例县税务局",
        "示例县居民两险缴费",
    )
    assert parts.place_words == ("示例县",)
    assert say_to_a_stranger(parts.rules) == "户口不在示例县，也没有居住证，请回户口所在地办理。"
    assert say_to_a_stranger(load_year(2022)) == "户口不在峄城区，也没有居住证，请回户口所在地办理。"


def say_to_a_stranger(rules):
    stranger = replace(ORDINARY, residence=Residence.NONLOCAL)
    return say(quote(rules, stranger, at=when("2021-11-05 10:00"), channel="self", tier=None), rules)


def test_a_year_of_another_district_is_not_collected(other, database):
    file = other.with_name("third.toml")
    file.write_text(other.read_text(encoding="utf-8").replace("示例县", "第三县"), encoding="utf-8")
    settings = Settings.from_environment(environment() | {"DISTRICT": str(file)})

    with pytest.raises(BadSettings, match="LEVY_YEAR: 2022 has the rules of another district"):
        join(settings, connect("postgresql://nobody@127.0.0.1:1/none"))


def test_a_department_that_the_district_lacks_stops_the_start_and_the_check(other, running):
    other.write_text(other.read_text(encoding="utf-8").replace('civil = "民政"\n', ""), encoding="utf-8")
    settings = Settings.from_environment(environment() | {"DISTRICT": str(other)})

    with pytest.raises(BadSettings, match=r"DISTRICT: has no such department that pays: civil（居民医疗保险）"):
        join(settings, running.parts.engine)

    running.app.extensions["settings"] = settings
    check = ["policy", "check", str(settings.district.years / "2022.toml")]
    checked = running.app.test_cli_runner().invoke(args=check)
    assert checked.exit_code == 1 and "本区的付款单位里没有：civil（居民医疗保险）" in checked.output


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (("name = ", "nmae = "), "no such key: nmae"),
        (('"示例县税务局"', '""'), "no usable: tax_office"),
        (('"0999-1234567"', '"none"'), "help_phone that is no telephone"),
        (('["示例县"]', '"示例县"'), "no usable: password_words"),
        (("name = ", "name "), "names no district's file that can be read"),
        (("[departments]", "[departmants]"), "no such key: departmants"),
        (('cdpf = "残联"', 'cdpf = "民政"'), "no usable: departments"),
        (('cdpf = "残联"', 'sponsor = "残联"'), "no usable: departments"),
        (('cdpf = "残联"', 'CDPF = "残联"'), "no usable: departments"),
        (('cdpf = "残联"', "cdpf = 1"), "no usable: departments"),
    ],
)
def test_what_is_wrong_with_a_districts_file_is_said(other, change, said):
    text = other.read_text(encoding="utf-8")
    assert change[0] in text
    other.write_text(text.replace(*change, 1), encoding="utf-8")

    with pytest.raises(BadSettings, match=re.escape(said)):
        Settings.from_environment(environment() | {"DISTRICT": str(other)})


def test_no_file_of_code_names_the_district():
    root = Path(__file__).parents[2]
    folders = [root / name for name in ("app", "payments", "notifications", "core", "migrations")]
    named = [
        str(path.relative_to(root))
        for folder in folders
        for path in folder.rglob("*")
        if path.suffix in {".py", ".html", ".txt", ".toml", ".js", ".sql"} and "years" not in path.parts
        if re.search("峄城|枣庄", re.sub(r"  # .*", "", path.read_text(encoding="utf-8")))
    ]
    assert named == []
