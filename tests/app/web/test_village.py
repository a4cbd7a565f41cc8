"""A village on paper and in the agent's hand: slips that tell nothing, a code to print, a list that turns green."""

import json
import re
from base64 import b64decode
from datetime import date, datetime

import pytest

from app.flows.conflicts.bring_police import bring_police
from app.flows.pay.start import Want
from app.policy.facts import Insurance
from core.clock import BEIJING
from tests.app.flows.test_police import a_list, line
from tests.app.web.people import Someone
from tests.app.web.test_agent import agent, number_of, person_page, seek
from tests.builders import a_household, a_person, an_id_number
from tests.refunding import pay
from tests.system import eventually

__all__ = ["agent"]


def slips_of(agent, district, **more):
    return agent.get(f"/agent/villages/{district.village}/slips", **more)


def a_code_for(agent, district, name):
    page = person_page(agent, district, name)
    return agent.submit(page, page.url, form='method="post"', act="code")


def test_a_slip_tells_no_price_no_number_and_no_group(agent, district):
    page = slips_of(agent, district)

    told = page.text[page.text.index("居民养老、医保缴费") :]
    assert "榴园镇示例村 0001户 张*例 等4人" in told
    assert not re.search(r"320|160|元|低保|3704\d", told)
    assert district.adult.name not in page.html and district.adult.id_number not in page.html


def test_every_slip_carries_the_same_code_of_the_first_page(agent, district):
    page = slips_of(agent, district, all=1)

    pictures = set(re.findall(r'src="data:image/svg\+xml;base64,([^"]+)"', page.html))
    assert len(pictures) == 1
    assert b"<svg" in b64decode(pictures.pop())


def test_a_household_that_is_done_gets_a_slip_only_when_asked_for(agent, district, engine):
    with engine.begin() as connection:
        connection.exec_driver_sql("update enrolment set employee_insured = true")

    left, everybody = slips_of(agent, district), slips_of(agent, district, all=1)

    assert "全村都办好了，没有要发的纸条" in left.text
    assert "0001户" in everybody.text


def alone(running, number, name, sequence, *others):
    """Somebody of a household of his own in the agent's village, before him these `others` by name and birth."""
    own = an_id_number(sequence=sequence)

    def write(connection):
        home = a_household(connection, number=number)
        for other, born in others:
            a_person(connection, name=other, id_number=an_id_number(born=born), household=home, phone=None)
        return a_person(connection, name=name, id_number=own, household=home, phone=None)

    return Someone(running.write(write), name, own)


def test_who_waits_for_an_office_is_on_no_slip(agent, district, running, tmp_path):
    lone, owing = alone(running, "0002", "孙独居", 21), alone(running, "0003", "周欠费", 23)
    before = slips_of(agent, district).text
    bring_police(running.office, a_list(tmp_path / "a.xlsx", line(district.adult, "死亡"), line(lone, "死亡")))

    for page in (slips_of(agent, district), slips_of(agent, district, all=1)):
        assert "0001户 王*奶 等3人" in page.text, "the household's slip is without its head"
        assert "0002户" not in page.text and "0003户 周*费" in page.text
        assert owing.name not in page.html
    assert "0001户 张*例 等4人" in before and "0002户 孙*居" in before


def test_a_slip_without_a_head_names_who_still_has_to_pay(agent, district, running):
    alone(running, "0002", "周欠费", 23, ("吴老人", date(1940, 5, 1)))

    page = slips_of(agent, district).text

    assert "0002户 周*费 等2人" in page, "who pays nothing would put it away"
    assert "0001户 张*例 等4人" in page


def test_what_is_printed_is_what_was_chosen(agent, district, running):
    alone(running, "0002", "孙独居", 21)
    alone(running, "0003", "周欠费", 23)
    whole = agent.get(f"/agent/villages/{district.village}")
    found = seek(agent, district, "孙独居")
    reference = found.link("孙独居").rpartition("/")[2]

    everybody = agent.get(whole.link("打印缴费纸条：全村还没办的户"))
    sought = agent.get(found.link("打印缴费纸条：只印上面这 1 户里还没办的"))
    house = slips_of(agent, district, person=reference)
    done = agent.get(f"/agent/villages/{district.village}", show="done")

    assert [number in everybody.text for number in ("0001户", "0002户", "0003户")] == [True, True, True]
    for page in (sought, house):
        assert [number in page.text for number in ("0001户", "0003户")] == [False, False]
        assert "0002户 孙*居" in page.text and "打印全村还没办的户" in page.text
    assert "打印缴费纸条" not in done.text, "of nobody there is nothing to print"
    assert slips_of(agent, district, person="nobody").status == 404


def test_slips_of_another_village_are_not_found(agent, district):
    assert agent.get(f"/agent/villages/{district.other_village}/slips").status == 404
    assert agent.get(f"/agent/villages/{district.other_village}/news").status == 404


def test_the_list_hears_within_seconds_who_paid(agent, district, running):
    news = f"/agent/villages/{district.village}/news"
    before = agent.get(news)
    page = seek(agent, district, district.adult.name)
    line = re.search(rf'data-person="([^"]+)".*?<strong>{district.adult.name}', page.html, re.S)[1]

    number = number_of(a_code_for(agent, district, district.adult.name))
    row = running.one("select checkout->>'code_url' as code from payment where number = :number", number=number)
    running.outside.pay(row.code)
    eventually(lambda: agent.get(news).status == 200)

    assert before.status == 204
    told = json.loads(agent.get(news).html)
    assert told["people"][line]["due"].startswith("医保办好了")
    assert told["progress"] == "2022年医保 1 / 3 人办好，养老 0 / 2 人办好。"
    assert agent.get(news, edition=told["edition"]).status == 204


def test_a_code_prints_with_its_last_minute_and_no_full_name(agent, district):
    number = number_of(a_code_for(agent, district, district.adult.name))

    page = agent.get(f"/agent/pay/{number}/paper")

    assert re.search(r"11月5日 \d+点\d\d分以前有效，只能付这一次", page.text)
    assert "张*例" in page.text and district.adult.name not in page.html
    assert "data:image/svg+xml" in page.html


def test_a_closed_code_prints_no_more(agent, district):
    page = a_code_for(agent, district, district.adult.name)
    number = number_of(page)
    agent.submit(page, f"/agent/pay/{number}/close", form="close")

    assert agent.get(f"/agent/pay/{number}/paper").status == 409


@pytest.mark.parametrize(
    ("day", "said", "unsaid"),
    [
        (datetime(2021, 11, 5, 12, tzinfo=BEIJING), "12月20日以前村里代收，12月31日以前价钱不变", "结束"),
        (datetime(2021, 12, 25, 12, tzinfo=BEIJING), "村里代收结束了，12月31日以前价钱不变", "找代办员"),
        (datetime(2022, 1, 15, 12, tzinfo=BEIJING), "现在交医保，价钱可能不一样", "价钱不变"),
    ],
)
def test_a_slip_says_what_is_true_on_its_day(agent, district, running, day, said, unsaid):
    """O2"""
    running.turn(day)

    page = slips_of(agent, district, all=1)

    assert said in page.text and unsaid not in page.text


def test_after_the_last_day_there_is_nothing_to_hand_out(agent, district, running):
    """O2"""
    running.turn(datetime(2023, 2, 1, 12, tzinfo=BEIJING))

    page = slips_of(agent, district, all=1)

    assert page.status == 409 and "今年的缴费已经结束" in page.text


def test_whose_paid_name_the_police_call_dead_is_on_no_slip(agent, district, running, tmp_path):
    number, medical = an_id_number(sequence=21), ("RES_MEDICAL",)
    key = running.write(
        lambda c: a_person(
            c, name="孙独居", id_number=number, household=a_household(c, number="0002"), insurances=medical
        )
    )
    pay(running, Want(key, Insurance.RES_MEDICAL))
    bring_police(running.office, a_list(tmp_path / "a.xlsx", line(Someone(key, "孙独居", number), "死亡")))

    listed = agent.get(f"/agent/villages/{district.village}", show="done")
    assert "另有 1 人登记正在核对" in listed.text
    on_slip, is_done = "0002户" in slips_of(agent, district, all=1).text, "孙独居" in listed.text
    assert (on_slip, is_done) == (False, False), "the sentence counts him among the disputed"
