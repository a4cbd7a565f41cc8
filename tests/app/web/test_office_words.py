"""Who looks at the offices' pages reads one name, one moment and one state wherever the thing is told."""

import re

import psycopg

from app.access import acts
from app.access.acts import What
from app.access.roles import Role
from app.flows.enter.accounts import add_agent
from app.flows.offices.trace import trace
from app.flows.pay.start import Kind, Payer, Want, start_payment
from app.flows.refund import steps
from app.policy.facts import Insurance
from app.web.words import person, trail_name
from tests.app.web.test_office_people import at_desk, find
from tests.builders import NOON
from tests.conftest import DATABASE
from tests.refunding import agreed, pay, rows, run_refunds, start
from tests.rosters import in_force
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
    in_force(running)
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


def test_a_refund_says_what_is_missing_and_by_whom(running, district):
    """O7"""
    auditor = at_desk(running, Role.AUDITOR, "audit01")
    number = steps.apply(running.parts, pay(running, Want(district.adult.id, MEDICAL)), by="resident").number

    def told():
        listed, page = auditor.get("/office/refunds/").text, auditor.get(f"/office/refunds/{number}").text
        assert "还没人领" not in listed + page
        return [word for word in re.findall(r"待(?:受理|复核|同意)：[^< ]+", page) if word in listed]

    assert told() == ["待受理：税务经办"]
    steps.accept(running.parts, number, by="staff:clerk01")
    assert told() == ["待复核：医保局"]
    steps.review(running.parts, number, MEDICAL, by="staff:medical1", reason="")
    assert told() == ["待同意：税务复核"]


def test_money_held_waits_for_the_second_person_alone(running, district):
    """O7: of a surplus nothing is left to accept."""
    want = Want(district.adult.id, MEDICAL)
    first = start(running, want)
    running.outside.fault("late_success", first.number)
    pay(running, want, gateway="alipay", key="other")
    running.outside.pay(first.checkout.code_url)
    eventually(lambda: rows(running, "select 1 from suspense"))
    steps.ask_for_surplus(running.parts)

    page = at_desk(running, Role.TAX_LEAD, "lead01").get("/office/refunds/").text

    assert "待同意：税务复核" in page and "待受理" not in page


def test_the_first_day_says_that_todays_book_is_compared_tomorrow(running, district):
    """O5"""
    clerk = at_desk(running, Role.TAX_CLERK, "clerk01")
    assert "还没有记过账" in clerk.get("/office/day/").text

    pay(running, Want(district.adult.id, MEDICAL))

    page = clerk.get("/office/day/").text
    assert "收了 1 笔。今天的账明天核对。" in page and "还没有记过账" not in page


def test_a_difference_of_a_fund_names_its_year(running, database):
    """O6"""
    with psycopg.connect(database.owner_url(DATABASE)) as owner:
        owner.execute(_A_FUND, {"day": running.parts.clocks.today()})
    page = at_desk(running, Role.TAX_CLERK, "clerk01").get(f"/office/day/{running.parts.clocks.today()}").text

    assert "<dt>年度</dt><dd>2022</dd>" in page and "对方编号" not in page


def test_the_path_of_one_yuan_is_told_in_chinese(running, district):
    """O9"""
    number = pay(running, Want(district.adult.id, MEDICAL))

    events = trace(running.parts, number).events

    (booked,) = (event for event in events if event.what.startswith("记账"))
    assert re.fullmatch(r"微信收款 \d+", booked.words)
    assert not any(event.by in ("sms", "console", "wechat") for event in events)


def test_no_code_stands_before_a_clerk_or_an_auditor(running, district):
    """O9"""
    running.write(
        lambda connection: [
            acts.note(connection, what, by="operator:root", about="staff:clerk01", words=words, at=NOON)
            for what, words in (
                (What.ROLE, 'town ["370404103"]'),
                (What.VILLAGE, "insert 370404103901"),
                (What.OUT, "others 2"),
                (What.SEARCH, "370404103901"),
            )
        ]
    )
    auditor = at_desk(running, Role.AUDITOR, "audit01")

    page = auditor.get("/office/audit/acts").text.partition("<table>")[2]
    person = auditor.get(re.search(r'href="(/office/people/[^"]+)"', find(auditor, district.adult.id_number).text)[1])

    for words in ("镇街经办 370404103", "加上 370404103901", "退出了别处的 2 处登录", "系统管理员 root"):
        assert words in page
    assert not re.search(r"town|insert|others|operator", page)
    assert "TIER_REQUIRED" not in person.text and "（OK" not in person.text


_A_FUND = (
    "select name_difference('treasury', 'RES_MEDICAL', %(day)s, 'MISSING_IN_BANK', 'fund', '2022', '', 32000, null,"
    " null, 0, '', now(), now())"
)
