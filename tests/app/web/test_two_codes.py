"""A person is paying on his own phone while his agent makes a code: the agent is told first, and decides (0019)."""

import pytest

from app.flows.pay.start import Kind, Payer, Want, start_payment
from app.policy.facts import Insurance
from tests.rosters import in_force

TOLD = "有一个没付完的"


@pytest.fixture
def agent(browser, an_agent, running):
    in_force(running)
    browser.log_in(*an_agent)
    return browser


@pytest.fixture
def own_account(running, district):
    """The account that holds the adult for himself."""
    with running.office.engine.begin() as connection:
        key = connection.exec_driver_sql(
            "insert into resident_account (since) values (now()) returning id"
        ).scalar_one()
        connection.exec_driver_sql(
            "insert into resident_person (account_id, person_id, own, since) values (%s, %s, true, now())",
            (key, district.adult.id),
        )
    return f"account:{key}"


def pays(running, who, person, *, gateway="wechat", key="key-0001"):
    payer = Payer(who, "self", gateway, Kind.NATIVE)
    return start_payment(running.parts, [Want(person.id, Insurance.RES_MEDICAL)], payer, request_key=key).number


def page_of(agent, district, name):
    path = f"/agent/villages/{district.village}"
    return agent.get(agent.submit(agent.get(path), path, form="search", q=name).link(name))


def live(running):
    return running.one("select count(*) as n from payment where started_by like 'agent:%'").n


def test_the_household_page_tells_of_the_code_on_his_own_phone(agent, district, running, own_account):
    """O1"""
    quiet = page_of(agent, district, district.adult.name).text
    pays(running, own_account, district.adult)

    page = page_of(agent, district, district.adult.name)

    assert TOLD not in quiet
    assert "他自己的手机上有一个没付完的微信码" in page.text and page.text.count(TOLD) == 1


def test_another_phones_code_is_told_as_anothers(agent, district, running):
    """O1"""
    pays(running, "account:99", district.adult)

    assert "别人的手机上有一个没付完的微信码" in page_of(agent, district, district.adult.name).text


def test_a_code_that_came_meanwhile_is_told_before_another_is_made(agent, district, running, own_account):
    """O1: the way on stays open: the second press makes the code."""
    page = page_of(agent, district, district.adult.name)
    pays(running, own_account, district.adult)

    told = agent.submit(page, page.url, form='method="post"', by=page.values("by")[0])
    assert "码还没有出" in told.text and "他自己的手机上" in told.text and live(running) == 0

    code = agent.submit(told, told.url, form='method="post"', by=told.values("by")[0])
    assert f"念一遍：{district.adult.name}" in code.text and live(running) == 1


def test_who_has_read_the_warning_makes_his_code_at_once(agent, district, running, own_account):
    """O1"""
    pays(running, own_account, district.adult)
    page = page_of(agent, district, district.adult.name)

    code = agent.submit(page, page.url, form='method="post"', by=page.values("by")[0])

    assert f"念一遍：{district.adult.name}" in code.text


def test_his_own_code_and_one_that_ended_are_no_warning(agent, district, running):
    """O1"""
    first = page_of(agent, district, district.adult.name)
    made = agent.submit(first, first.url, form='method="post"', by=first.values("by")[0])
    assert TOLD not in page_of(agent, district, district.adult.name).text

    agent.submit(made, f"{made.url}/close", form="/close")

    assert TOLD not in page_of(agent, district, district.adult.name).text
