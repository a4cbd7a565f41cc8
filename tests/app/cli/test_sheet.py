"""The operator's sheet in plain text: for residents and for staff, at any moment."""

import pytest

from tests.app.web.conftest import district, far_folder, running

__all__ = ["district", "far_folder", "running"]


@pytest.fixture
def show(running, district):
    def run(person, *words):
        typed = f"{person.id_number}\n"
        return running.app.test_cli_runner().invoke(args=["sheet", "show", "--name", person.name, *words], input=typed)

    return run


def test_both_insurances_are_told(show, district):
    said = show(district.adult, "--tier", "500").output
    assert "张*例" in said and "应交 320 元" in said and "政府再补 60 元" in said
    assert district.adult.id_number not in said and "R16" not in said


def test_a_name_is_asked_for_and_stays_out_of_what_is_logged(running, district):
    """sudo and the shell keep a line as it was typed."""
    typed = f"{district.adult.name}\n{district.adult.id_number}\n"
    told = running.app.test_cli_runner().invoke(args=["sheet", "show"], input=typed)

    assert told.exit_code == 0 and "姓名" in told.output and district.adult.id_number not in told.output


def test_staff_read_more(show, district):
    plain, full = show(district.poor).output, show(district.poor, "--staff").output
    assert "低保" not in plain and "政府名单" in plain
    assert "低保名单（民政）" in full and "谁出：民政，" in full and "OK_WAIVED" in full and district.poor.name in full


def test_any_moment_may_be_asked_about(show, district):
    for moment, words in {
        "2021-09-30T12:00": "还没开始",
        "2021-12-31T23:59:59": "应交 320 元",
        "2022-01-01": "今天交，2022年2月1日起能用",
        "2022-12-01": "已经截止",
    }.items():
        assert words in show(district.adult, "--insurance", "RES_MEDICAL", "--at", moment).output


def test_a_mistake_is_told(show, district):
    assert "没有查到" in show(type(district.adult)(1, "某某", district.adult.id_number)).output
    assert "身份证号要18位" in show(type(district.adult)(1, "某某", "3704")).output
    assert show(district.adult, "--at", "tomorrow").exit_code == 2
    assert show(district.adult, "--tier", "many").exit_code == 2
