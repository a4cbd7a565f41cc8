"""A year in words, on a desk's screen, on a phone and printed: nothing scrolls sideways, nothing is cut off."""

from app.access.roles import Role
from app.flows.enter.accounts import add_staff
from tests.browser.conftest import SHOTS
from tests.browser.test_every_page import HEAVIEST, PASSWORD


def test_whoever_signs_a_year_reads_it_on_any_screen(running, phone):
    add_staff(running.office, login="hrss01", name="示例", role=Role.HRSS, password=PASSWORD)
    phone.log_in_office("hrss01", PASSWORD)

    for name, path in (("list", ""), ("one", "2025"), ("changed", "2025?against=2024")):
        phone.open(f"/office/policy/{path}")
        for width in (375, 1280):
            phone.look_at_desk(f"years-{width}-{phone.size}-{name}", width)
    phone.page.pdf(path=SHOTS / f"years-{phone.size}.pdf", format="A4")

    weight = "performance.getEntriesByType('navigation')[0].transferSize"
    assert phone.page.evaluate(weight) <= HEAVIEST
