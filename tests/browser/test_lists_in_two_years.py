"""Agents and offices while 2022 is late and 2023 is collected: every page says which year it speaks of."""

import pytest

from app.access.roles import Role
from app.flows.enter.accounts import add_staff
from app.flows.pay.start import Want
from tests.app.flows.test_suspense import other_amount
from tests.browser.test_offices import PASSWORD
from tests.browser.test_village import log_in
from tests.refunding import pay
from tests.two_years import MEDICAL, PENSION, open_2023


@pytest.fixture
def years(phone, running, district):
    """The adult has paid 2023 already; 2022 is late for everybody."""
    open_2023(running)
    done = [Want(district.adult.id, each, tier, levy_year=2023) for each, tier in ((MEDICAL, None), (PENSION, 30000))]
    pay(running, *done, key="2023")


def test_an_agent_sees_what_is_late_as_late_and_collects_the_newest_year(phone, district, an_agent, years):
    log_in(phone, an_agent)
    adult = phone.page.locator(".people a", has_text=district.adult.name)
    adult.wait_for()
    assert "办好了" in adult.inner_text() and "2022年医保、养老逾期未交" in adult.inner_text()
    phone.look("agent-two-years-list")

    adult.click()
    said = phone.look("agent-two-years-household")
    assert "2023年居民医保" in said and "2022年居民医保（逾期）" in said and "村里不收，他自己可以交" in said
    phone.page.set_viewport_size({"width": 1280, "height": 900})
    phone.look("agent-two-years-household-1280")
    assert phone.page.locator("input[name=item]:checked").count() == 0


def test_an_office_chooses_the_year(phone, running, district, years):
    key, _ = other_amount(running, district.adult.id, 125000, Want(district.neighbour.id, MEDICAL, levy_year=2023))
    add_staff(running.office, login="clerk", name="示例", role=Role.TAX_CLERK, password=PASSWORD, towns=())
    phone.log_in_office("clerk", PASSWORD)

    def look(name):
        for width in (375, 1280):
            phone.look_at_desk(f"clerk-{width}-two-years-{name}", width)
        return phone.page.inner_text("main")

    phone.open("/office/progress/")
    assert "2023年参保缴费进度" in look("progress")
    phone.page.get_by_role("link", name="2022年", exact=True).click()
    assert "2022年参保缴费进度" in look("progress-2022") and "year=2022" in phone.page.url
    phone.open("/office/people/")
    phone.page.locator("#wanted").fill(district.adult.id_number)
    phone.page.get_by_role("button", name="找人").click()
    phone.page.get_by_role("link", name=district.adult.name).click()
    said = look("person")
    assert said.index("2023年居民医保") < said.index("2022年居民医保（逾期）")
    phone.open(f"/office/suspense/{key.household_id}/{key.cause}")
    phone.page.get_by_text("用来交某个人的保费").click()
    said = look("suspense")
    assert "2022年居民医保" in said and "2023年养老档次" in said
