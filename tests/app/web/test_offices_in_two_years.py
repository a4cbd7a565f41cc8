"""Pages of agents and offices with 2022 late and 2023 collected: what is sent without a year is not guessed."""

import re

import pytest

from app.access.roles import Role
from app.flows.pay.start import Want
from tests.app.flows.test_suspense import other_amount
from tests.app.web.test_office_people import at_desk
from tests.refunding import pay, rows
from tests.two_years import MEDICAL, PENSION, open_2023


@pytest.fixture
def clerk(running, district):
    """At his desk; the adult has paid 2022 in time."""
    running.app.config["WTF_CSRF_ENABLED"] = False
    pay(running, Want(district.adult.id, MEDICAL), key="in time")
    open_2023(running)
    return at_desk(running, Role.TAX_CLERK)


def test_progress_is_asked_for_by_its_year(running, district, clerk):
    newest, former = (clerk.get(f"/office/progress/{asked}").text for asked in ("", "?year=2022"))

    assert "2023年参保缴费进度" in newest and "33.3%" not in newest
    assert "2022年参保缴费进度" in former and "33.3%" in former
    assert 'href="/office/progress/progress.xlsx?year=2022"' in former
    assert f'action="/office/progress/{district.village}/to-do.xlsx?year=2022"' in former
    for asked in ("2021", "2024", "x", "二〇二二"):
        assert clerk.get(f"/office/progress/?year={asked}").status_code == 404
    told = clerk.get("/office/progress/progress.csv?year=2022")
    assert "2022" in told.headers["Content-Disposition"] and "33.3%" in told.get_data().decode("utf-8-sig")


def test_one_year_offers_no_choice(running, district):
    page = at_desk(running, Role.TAX_CLERK).get("/office/progress/").text

    assert "2022年参保缴费进度" in page and "看哪一年" not in page


def test_a_clerk_says_for_which_year_money_in_doubt_is(running, district, clerk):
    started = Want(district.neighbour.id, MEDICAL, levy_year=2023)
    key, _ = other_amount(running, district.neighbour.id, 125000, started)
    page = f"/office/suspense/{key.household_id}/{key.cause}"
    who = {"name": district.neighbour.name, "id_number": district.neighbour.id_number}
    assert re.findall(r'name="insurance" value="([^"]+)"', clerk.get(page).text) == [
        *("RES_MEDICAL@2023", "RES_PENSION@2023", "RES_MEDICAL@2022", "RES_PENSION@2022")
    ]

    unsaid = clerk.post(f"{page}/propose", data=who | {"insurance": "RES_MEDICAL"})
    never = clerk.post(f"{page}/propose", data=who | {"insurance": "RES_MEDICAL@1999"})
    assert "现在收两个年度的钱" in unsaid.text and never.status_code == 409
    both = {"insurance": ["RES_MEDICAL@2023", "RES_MEDICAL@2022"]}
    assert clerk.post(f"{page}/propose", data=who | both).status_code == 303

    told = clerk.get(page).text
    assert "2022年居民医保 900 元" in told and "2023年居民医保 350 元" in told
    assert {row.levy_year for row in rows(running, "select levy_year from bill where state = 'settled'")} == {2022}


def test_an_agents_page_ticks_nothing_of_a_former_year(running, district, clerk, browser, an_agent):
    browser.log_in(*an_agent)
    page = browser.get(browser.get(f"/agent/villages/{district.village}").link(district.adult.name))

    assert re.findall(r'value="[^"]+:(\w+@\d+)"[^>]*checked', page.html) == ["RES_MEDICAL@2023"]
    own = page.text.partition("同一户还有")[0]
    assert "2022年居民养老（逾期）" in own and "2022年居民医保" not in own, "the one is left, the other paid"
    wanted = [Want(district.adult.id, MEDICAL, levy_year=2023), Want(district.adult.id, PENSION, 30000, levy_year=2023)]
    pay(running, *wanted, key="2023")
    assert "2022年养老逾期未交" in browser.get(f"/agent/villages/{district.village}").text
