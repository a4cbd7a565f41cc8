"""Who looks at the offices' pages reads one name, one moment and one state wherever the thing is told."""

import re

from app.access.roles import Role
from app.flows.enter.accounts import add_agent
from app.flows.offices.trace import trace
from app.flows.pay.start import Kind, Payer, Want, start_payment
from app.policy.facts import Insurance
from app.web.words import person, trail_name
from tests.app.web.test_office_people import at_desk, find
from tests.refunding import agreed, pay, rows, run_refunds, start
from tests.system import eventually

MEDICAL = Insurance.RES_MEDICAL


def test_what_was_sought_stays_in_the_box(running, district):
    """O4: a name without a place, a hit, a payment that is not there, a search of the acts."""
    clerk, auditor = at_desk(running, Role.TAX_CLERK, "clerk01"), at_desk(running, Role.AUDITOR, "audit01")

    for answer in (find(clerk, district.adult.name), find(clerk, district.adult.name, district.village)):
        assert f'value="{district.adult.name}"' in answer.text
    assert 'value="YC1"' in auditor.get("/office/audit/trace/YC1").text
    acts = auditor.post("/office/audit/acts", data={"who": "代办员 wang", "sought": "张三"}).text
    assert 'value="代办员 wang"' in acts and 'value="张三"' in acts


def test_an_agent_has_one_name_on_every_page(running, district):
    """O10: the path of one yuan and the person's page say the login, as the trail of acts does."""
    key = add_agent(
        running.office, login="agent01", name="王代办", password="a-long-password-1", villages=[district.village]
    )
    payer = Payer(f"agent:{key}", "agent", "wechat", Kind.NATIVE)
    number = start_payment(running.parts, [Want(district.adult.id, MEDICAL)], payer, request_key="key-0001").number
    auditor = at_desk(running, Role.AUDITOR, "audit01")

    person_page = re.search(r'href="(/office/people/[^"]+)"', find(auditor, number).text)[1]
    for page in (auditor.get(f"/office/audit/trace/{number}").text, auditor.get(person_page).text):
        assert "代办员 agent01" in page and f"代办员 {key}" not in page
    assert "代办员 agent01" in auditor.post("/office/audit/acts", data={"who": "代办员 agent01"}).text


def test_a_name_that_a_page_says_can_be_asked_for():
    """O9: nobody writes agent: or account:, and who does is understood all the same."""
    for who in ("staff:clerk01", "agent:agent01", "account:12", "operator:root"):
        assert trail_name(person(who)) == trail_name(who) == who and ":" not in person(who)
    assert trail_name("") == ""


def test_an_auditor_reads_year_and_second_of_each_step(running, district):
    """O10"""
    number = pay(running, Want(district.adult.id, MEDICAL))
    asked = agreed(running.parts, number)
    run_refunds(running, asked.number, "paid")
    auditor = at_desk(running, Role.AUDITOR, "audit01")

    for page in (f"/office/audit/trace/{number}", f"/office/refunds/{asked.number}"):
        told = re.findall(r"<small>([^<]*?) · ", auditor.get(page).text.partition("<ol")[2])
        assert told and all(re.fullmatch(r"2021年\d+月\d+日 \d+点\d\d分\d\d秒", each) for each in told)


def test_what_was_heard_stands_above_what_was_booked_by_it(running, district):
    """O10: also of money that paid nothing."""
    want = Want(district.adult.id, MEDICAL)
    first = start(running, want)
    running.outside.fault("late_success", first.number)
    kept = pay(running, want, gateway="alipay", key="other")
    running.outside.pay(first.checkout.code_url)
    eventually(lambda: rows(running, "select 1 from suspense"))

    for number in (first.number, kept):
        order = [event.what for event in trace(running.parts, number).events]
        booked = next(place for place, what in enumerate(order) if what.startswith("记账"))
        assert order.index("渠道收到钱") < order.index("收到渠道通知") < booked
