"""Every office reads what each year says, as a page and as paper; nobody changes it there."""

import dataclasses

import pytest

from app.access.roles import Role
from app.policy.year import YEARS, years
from tests.app.web.test_office_people import at_desk


@pytest.fixture
def desk(running):
    return at_desk(running, Role.HRSS, "hrss01")


def test_the_years_are_listed_with_the_one_that_is_collected(desk):
    seen = desk.get("/office/policy/").text

    assert all(f'href="/office/policy/{year}"' in seen for year in years()) and seen.count("正在征缴") == 1
    assert seen.index("2026年") < seen.index("2022年")


def test_a_year_is_read_in_words_beside_another(desk):
    alone, beside = desk.get("/office/policy/2025").text, desk.get("/office/policy/2025?against=2024").text

    assert "<td>400</td>" in alone and "改了什么" not in alone and "正在征缴" not in alone
    assert "和2024年比，改了什么" in beside and "<td>380</td><td>400</td>" in beside
    assert "审核人（签字）" in alone and "再晚交，等满三个月就没有几天待遇了" in alone


def test_a_year_is_printed_with_what_changed(desk):
    paper = desk.get("/office/policy/2025.pdf?against=2024")

    assert paper.content_type == "application/pdf" and paper.data.startswith(b"%PDF")


@pytest.mark.parametrize("path", ["2019", "2019.pdf", "2025?against=2019", "2025?against=last", "2025?against=²"])
def test_a_year_without_a_file_is_not_there(desk, path):
    answer = desk.get(f"/office/policy/{path}")

    assert answer.status_code == 404 and "还没有这一年的缴费标准" in answer.text


def test_a_year_whose_file_is_wrong_hides_no_other(running, desk, tmp_path):
    (tmp_path / "2022.toml").write_bytes((YEARS / "2022.toml").read_bytes())
    (tmp_path / "2023.toml").write_text("year = 2023\n")
    running.app.extensions["joined"].__dict__["parts"] = dataclasses.replace(running.parts, year_files=tmp_path)

    seen = desk.get("/office/policy/").text

    assert "文件有错，不能启用" in seen and 'href="/office/policy/2022"' in seen
    assert 'href="/office/policy/2023"' not in seen and desk.get("/office/policy/2023").status_code == 400
