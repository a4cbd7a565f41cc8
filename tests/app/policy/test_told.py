"""A year is told in words that whoever signs it can read, and nothing of its file is left out."""

import pytest

from app.policy.assumed import Assumed, read_assumed
from app.policy.told import in_lines, tell
from app.policy.year import YEARS, written_file, written_year, years
from tests.app.policy.copies import TEXT, dearer
from tests.app.policy.test_places import PLACES
from tests.builders import DEPARTMENTS

EVERY = [*(YEARS / f"{year}.toml" for year in years()), *sorted(PLACES.glob("*.toml"))]


def rows(document, key):
    """Name of a row → its cells."""
    return {name: cells for table in document.tables if table.key == key for name, *cells in table.rows}


def changes(document):
    """(table, row) → (old, new)."""
    return {
        (table, where): (old, new) for [changed] in [document.tables[:1]] for table, where, old, new in changed.rows
    }


@pytest.mark.parametrize("file", EVERY, ids=lambda file: file.stem)
def test_every_year_and_place_can_be_told(file):
    text = "\n".join(in_lines(tell(written_file(file))))

    assert "None" not in text and "{" not in text


@pytest.mark.parametrize("file", EVERY, ids=lambda file: file.stem)
def test_nothing_changed_against_itself(file):
    written = written_file(file)

    assert tell(written, against=written).tables[0].rows == ()


def test_prices_help_and_late_terms_are_told_as_the_file_has_them():
    document = tell(written_year(2022), departments=DEPARTMENTS)

    assert rows(document, "prices") == {"所有人": ["900", "320", "580"]}
    assert rows(document, "grounds")["满60岁的"][:3] == ["卫健交50%", "160", "2021年12月31日满60周岁"]
    assert rows(document, "late")["其他人"] == [
        "个人和财政两部分都自己交",
        "30天，交费当天不算",
        "不用",
        "2022年11月30日",
    ]
    assert rows(document, "late")["政府全额替交的"][2] == "医保局先核实"
    assert rows(document, "tiers")["100元"][:2] == ["30元", "130元"]
    assert rows(document, "bonus")["每人每年"] == ["300元"]


def test_levels_ages_and_any_amount_are_told():
    taian = tell(written_file(PLACES / "taian_2024.toml"))
    beijing = tell(written_file(PLACES / "beijing_pension_2024.toml"))

    assert list(rows(taian, "prices")) == ["17岁以下的（含17岁）", "中小学生，大学生", "选2档的", "其他人"]
    assert rows(beijing, "tiers")["1000元到9000元之间，任意整元"][0] == "见下表"
    assert rows(beijing, "bands")["6000元以上"] == ["150元"]
    assert beijing.title.endswith("居民养老缴费标准") and not rows(beijing, "prices")


def test_an_example_is_told_with_its_person_its_day_and_its_answer():
    told = rows(tell(written_year(2025)), "examples")

    assert told["窗口外等三个月"] == [
        "居民医保，1988年6月15日生，男（36岁）",
        "2025年3月10日，本人",
        "可以交",
        *("1070", "400", "0", "670"),
        "等到2025年6月9日，2025年6月10日起报销",
    ]
    assert told["入学新生缴费当天起"][0].endswith("大学生")
    assert told["普通居民不能选100元档"][2].startswith("100元这一档只给")
    assert "岁" not in told["新生儿"][0]


def test_what_changed_is_told_line_by_line(tmp_path):
    new = written_file(dearer(tmp_path / "new.toml"))
    told = changes(tell(new, against=written_year(2022), departments=DEPARTMENTS))

    assert told["医保：谁交多少", "所有人：个人（元）"] == ("320", "380")
    assert told["医保：谁交多少", "所有人：财政补助（元）"] == ("580", "520")
    assert told["养老：档次和补贴", "5000元：财政补贴"] == ("80元", "90元")
    assert told["医保：政府替谁交", "因病致困"][0].startswith("取消：谁来交、交多少 医保局交全部")
    assert told["算好的例子", "普通居民医保：个人"] == ("320", "380")
    assert not any(table in ("日程", "出处", "依据的原文") for table, _ in told)


def test_another_order_of_rules_is_a_change_of_its_own(tmp_path):
    first, second = (f'[[medical.grounds]]\ncode = "{code}"' for code in ("TEKUN", "WUBAO"))
    one, other = (TEXT[TEXT.index(each) :].split("\n\n", 1)[0] for each in (first, second))
    file = tmp_path / "new.toml"
    file.write_text(TEXT.replace(one, "@@").replace(other, one).replace("@@", other), encoding="utf-8")

    told = changes(tell(written_file(file), against=written_year(2022)))

    assert list(told) == [("医保：政府替谁交", "先后次序")]


def test_what_is_assumed_is_told_with_its_value_and_reason():
    told = rows(tell(written_year(2025)), "assumed")

    assert told["日程，医保补交最后一天"] == ["2025年8月31日", "再晚交，等满三个月就没有几天待遇了"]
    assert told["养老，第5段补贴"] == ["从1000元，到1000元，补贴90元", ""]
    assert "P13" in told["整个文件"][1]
    assert rows(tell(written_year(2022)), "assumed") == {}


def test_a_mark_is_read_from_a_comment_and_from_nothing_else():
    text = (
        '[a]\nb = "# assumed"  # known\nc = 1_00  # assumed: so\n[[d]]  # assumed\ne = 2\n\n[[d]]\nf = 3  # assumed\n'
    )

    assert read_assumed(text) == (
        Assumed("a.c", {"c": "1_00"}, "so"),
        Assumed("d[0]", {"e": "2"}, ""),
        Assumed("d[1].f", {"f": "3"}, ""),
    )


def test_an_assumed_rule_is_told_key_by_key():
    assumed = rows(tell(written_file(PLACES / "liaocheng_2026.toml")), "assumed")

    assert assumed["医保，过了集中缴费期第1条"] == ["收个人部分，等待月数3", "照全国的规定（P03）"]
    assert assumed["医保，新生儿第1条"] == ["月数6，待遇从出生起", ""]
    assert "集中缴费期内也等：否" in assumed["医保，断保"][0]
