"""Every link of every page, by every role, in every state of a payment and on every day of the calendar."""

import re
from collections.abc import Iterator
from datetime import datetime

import pytest

from app.access.roles import GIVEN, LOCAL, Role
from app.flows.enter.accounts import add_staff
from app.flows.pay.follow import close_payment
from app.flows.pay.start import Want
from app.flows.prove.papers import confirm
from app.flows.register.apply import apply
from app.policy.facts import Insurance
from app.registry.determinations import Kind
from core.clock import BEIJING
from tests.app.flows.test_suspense import unknown
from tests.browsing import Browser
from tests.refunding import agreed, pay, start
from tests.system import second_code
from tests.walking import Seen, Walk

MEDICAL, PENSION = Insurance.RES_MEDICAL, Insurance.RES_PENSION
PASSWORD = "a-long-password-1"
DAYS = {
    "before the opening": datetime(2021, 9, 20, 10, tzinfo=BEIJING),
    "before the agents begin": datetime(2021, 10, 10, 10, tzinfo=BEIJING),
    "the agents' weeks": datetime(2021, 11, 5, 12, tzinfo=BEIJING),
    "the gap": datetime(2021, 12, 25, 10, tzinfo=BEIJING),
    "late": datetime(2022, 2, 10, 10, tzinfo=BEIJING),
    "after the year": datetime(2023, 1, 10, 10, tzinfo=BEIJING),
}


def unpayable(page: Seen) -> Iterator[str]:
    """U4: no button takes a payment of nothing."""
    html = re.sub(r"<div[^>]* hidden>.*?</div>", "", page.html, flags=re.S)
    words = re.sub(r"<[^>]+>", "", html)
    if re.search(r'<button[^>]*name="by"', html) and re.search(r"一共\s*0\s*元", words):
        yield "a way to pay nothing"
    if re.search(r"(付|要交)\s*0\s*元", words):
        yield "0 yuan to pay"


@pytest.fixture
def lived(running, district):
    """A year that has seen everything: paid, left, waiting, given back, unknown money, a back-payment; its numbers."""
    paid = pay(running, Want(district.adult.id, MEDICAL), key="paid-key")
    given = pay(running, Want(district.neighbour.id, MEDICAL), key="given-key")
    left = start(running, Want(district.poor.id, PENSION, 50000), key="left-key").number
    close_payment(running.parts, left, by="resident")
    refund = agreed(running.parts, given).number
    unknown(running, 32000)
    apply(running.parts, district.poor.id, PENSION, Kind.POLICY_BACKPAY, by="staff:desk")
    waiting = start(running, Want(district.adult.id, PENSION, 30000), key="wait-key").number
    return {"paid": paid, "left": left, "waiting": waiting, "refund": refund}


@pytest.fixture
def each_day(running, lived) -> Iterator[str]:
    """The calendar turns from day to day; what went before stays."""

    def turned() -> Iterator[str]:
        for name, moment in DAYS.items():
            running.turn(moment)
            yield name

    return turned()


def walked(running, browser, *paths: str, known=lambda _path: False) -> list[str]:
    walk = Walk(running, browser.session, unpayable, known).from_pages(*paths)
    assert len(walk.seen) > 3
    return walk.faults


def test_no_link_of_a_resident_is_dead_or_leads_to_its_own_page(running, district, lived, each_day, browser):
    """U1: 返回 on the why-sheet led to itself."""
    for who in (district.adult, district.elder, district.poor, district.worker, district.neighbour):
        browser.look_up(who.name, who.id_number)
    payments = [f"/pay/{lived[state]}" for state in ("paid", "left", "waiting")]
    check = f"/check?code={confirm(running.parts, lived['paid']).code}"

    faults = {
        name: walked(running, Browser(running.url), "/")
        + walked(running, browser, "/", "/me", *payments, f"/refunds/{lived['refund']}", check)
        for name in each_day
    }

    assert faults == {key: [] for key in DAYS}


def test_no_link_of_an_agent_is_dead_or_leads_to_its_own_page(running, district, lived, each_day, an_agent, browser):
    """U1: 这一户还有谁 and 重新出码 were 404."""
    browser.log_in(*an_agent)
    payments = [f"/agent/pay/{lived[state]}" for state in ("paid", "left", "waiting")]

    faults = {name: walked(running, browser, "/agent/", *payments) for name in each_day}

    assert faults == {key: [] for key in DAYS}


@pytest.mark.parametrize("role", GIVEN)
def test_no_link_of_an_office_is_dead(running, district, lived, each_day, browser, role):
    """U1, on every day of the clock."""
    login = str(role).replace("_", "-")
    towns = ["370404103"] if role in LOCAL else []
    own = {"towns": towns, "departments": ["civil"] if role is Role.DEPARTMENT else []}
    add_staff(running.office, login=login, name="示例", role=role, password=PASSWORD, **own)
    fields = {"login": login, "password": PASSWORD, "code": second_code(running.url, login)}
    home = browser.submit(browser.get("/office/login"), "/office/login", form="/office/login", **fields)
    assert "退出" in home.text

    def printed(path):  # the same paper for everybody on every day: one role opens each of them once
        again = role is not Role.AUDITOR or path in papers
        papers.add(path)
        return again and re.fullmatch(r"/office/policy/\d+\.pdf(\?.*)?", path) is not None

    papers: set[str] = set()
    faults = {
        name: [fault for fault in walked(running, browser, "/office/", known=printed) if "its own page" not in fault]
        for name in each_day
    }

    assert faults == {key: [] for key in DAYS}
