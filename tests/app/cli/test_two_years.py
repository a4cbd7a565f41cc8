"""Commands that must be told of which year they speak while two are collected."""

from app.registry.determinations import Kind
from tests.app.cli.test_refund import say
from tests.app.web.conftest import district, far_folder, running
from tests.refunding import rows
from tests.two_years import open_2023

__all__ = ["district", "far_folder", "running", "say"]


def test_an_application_is_for_the_year_that_is_said(running, district, say):
    apply = ("determination", "apply", "--name", district.adult.name, "--insurance", "RES_MEDICAL")
    apply += ("--kind", Kind.POLICY_BACKPAY.value, "--by", "desk")
    typed = district.adult.id_number
    open_2023(running)

    code, said = say(*apply, typed=typed)
    assert code == 1 and "现在收 2023、2022 两个年度的钱，请用 --year 写明是哪一年。" in said
    assert (
        "现在收 2023、2022"
        in say("suspense", "propose", "x", "--name", "x", "--insurance", "RES_MEDICAL", "--by", "x")[1]
    )
    assert say(*apply, "--year", "2022", typed=typed)[0] == 0
    assert "2021年度现在不收了" in say(*apply, "--year", "2021", typed=typed)[1]

    assert [row.levy_year for row in rows(running, "select levy_year from determination")] == [2022]
    [line] = say("determination", "list")[1].splitlines()
    assert "\t2022年\t" in line


def test_a_sheet_is_of_the_year_that_is_said(running, district, say):
    show, typed = (
        ("sheet", "show", "--name", district.adult.name, "--insurance", "RES_MEDICAL"),
        district.adult.id_number,
    )
    open_2023(running)

    code, said = say(*show, typed=typed)
    assert code == 1 and "请用 --year 写明是哪一年" in said
    for year, other in (("2022", "2023"), ("2023", "2022")):
        code, said = say(*show, "--year", year, typed=typed)
        assert code == 0 and f"{year}年居民医保" in said and f"{other}年居民医保" not in said
    assert "没有开征过" in say(*show, "--year", "2024", typed=typed)[1]
