"""The agent's list and screen: it comes back as it was left, says which days are his, and what a code is for."""

import re
from datetime import datetime
from urllib.parse import unquote

from core.clock import BEIJING
from tests.app.web.test_agent import agent, person_page, seek
from tests.builders import NEW_YEAR, a_household, a_person, an_id_number

__all__ = ["agent"]
AFTER = datetime(2021, 12, 21, 9, tzinfo=BEIJING)  # the agents' weeks are over


def settled_by_agent(agent, district):
    page = person_page(agent, district, district.elder.name)
    agent.post(page.url, page.fields('method="post"') | {"only": page.values("only")[0]})


def test_the_list_comes_back_as_it_was_left(agent, district):
    """Row of complaints: a search was a POST, and 下一位 lost it."""
    found = seek(agent, district, "奶奶")
    person = agent.get(found.link(district.elder.name))

    back = agent.get(person.link("回名单"))

    assert "?sought=" in found.url and district.elder.name not in unquote(found.url)
    assert district.elder.name in back.text and district.adult.name not in back.text
    assert district.adult.name in agent.get(back.link("看全部")).text


def test_a_search_of_another_session_is_the_whole_list(agent, district, an_agent):
    found = seek(agent, district, "奶奶")
    other = type(agent)(agent.base)
    other.log_in(*an_agent)

    assert district.adult.name in other.get(found.url.removeprefix(agent.base)).text
    other.close()


def test_the_list_is_asked_for_who_is_done_who_is_not_and_who_is_not_here(agent, district):
    settled_by_agent(agent, district)
    page = agent.get(f"/agent/villages/{district.village}")

    done, left, elsewhere = (agent.get(page.link(words)).text for words in ("办好了", "还没办", "不在这里交"))

    everybody = {each.name for each in (district.adult, district.elder, district.poor, district.worker)}
    seen = [{name for name in everybody if name in text} for text in (done, left, elsewhere)]
    assert seen == [{district.elder.name}, {district.adult.name, district.poor.name}, {district.worker.name}]


def test_the_list_can_be_read_house_by_house(agent, district, running):
    def another_house(connection):
        home = a_household(connection, village=district.village, number="0000")
        a_person(connection, name="钱早户", id_number=an_id_number(sequence=77), household=home, student=True)

    running.write(another_house)

    page = agent.get(agent.get(f"/agent/villages/{district.village}").link("按户排"))

    heads = re.findall(r"<h2>(\d+)户</h2>", page.html)
    assert heads == ["0000", "0001"] and page.text.index("钱早户") < page.text.index(district.adult.name)


def test_a_closed_window_says_so_and_the_seasons_result_stays(agent, district, running):
    """U4: from 21 December 医保 0/0, everybody 养老没选档, and four code buttons over 0 yuan."""
    settled_by_agent(agent, district)
    before = agent.get(f"/agent/villages/{district.village}").text
    running.turn(AFTER)

    page = agent.get(f"/agent/villages/{district.village}")
    person = person_page(agent, district, district.adult.name)

    assert "村里代收12月20日结束了" in page.text and "没选档" not in page.text
    assert "还没交，村里不收，他自己可以交" in page.text and "养老还没交" in page.text
    result = re.search(r"医保 \d+ / \d+ 人办好", before)[0]
    assert result == "医保 1 / 3 人办好" and result in page.text
    assert "村里不收，他自己可以交 村里代收12月20日结束了" in person.text
    assert not person.values("by") and "<select" not in person.html


def test_whom_the_government_may_pay_for_is_not_told_that_he_has_not_paid(agent, district, running):
    """R2: after the agents' weeks, and after 31 December, the list said 没交 of whom /due told not to pay."""
    running.turn(AFTER)
    person = person_page(agent, district, district.poor.name)
    village = agent.get(f"/agent/villages/{district.village}").text
    assert person.text.count("不用交，政府交") >= 2 and "不用交，还没办" in village
    assert "医保不用交；养老不用交" in village and "没交，村里不收，他自己可以交" in village  # the adult's

    running.turn(NEW_YEAR)
    person = person_page(agent, district, district.poor.name)
    village = agent.get(f"/agent/villages/{district.village}").text
    assert "先不要交钱 请先不要交钱。您可能由政府代缴。" in person.text
    assert (
        "先不要交，等医保局核实" in village and "医保先不要交" in village and "没交，村里不收，他自己可以交" in village
    )
    assert not person.values("by") and not person.values("only")


def test_the_screen_says_what_the_code_is_for(agent, district):
    """Row of complaints: the screen said 320 while the code was for 940."""
    page = person_page(agent, district, district.adult.name)
    tier = re.search(r'<select[^>]*name="(tier\.[^"]+)"', page.html)[1]

    again = agent.post(page.url, page.fields('method="post"') | {tier: "60000", "by": "wechat:native"})

    assert "选的项目变了，一共是 920 元" in again.text and "这次一共 920 元" in again.text
    fields = again.fields('method="post"')
    chosen = re.search(r'<select[^>]*name="(tier\.[^"]+)"', again.html)[1]
    code = agent.post(again.url, fields | {chosen: "60000", "by": "wechat:native"})
    assert "念一遍" in code.text and "920 元" in code.text


def test_nothing_ticked_shows_no_way_to_pay(agent, district):
    """U4: somebody who may pay nothing, or has chosen nothing, is shown no code's button."""
    worker = person_page(agent, district, district.worker.name)
    page = person_page(agent, district, district.adult.name)

    nothing = agent.post(page.url, {"csrf_token": page.values("csrf_token")[0], "act": "show"})

    assert worker.html.count('<div class="ways" hidden>') == 2  # others of his household may pay
    assert '<div class="ways" hidden>' in nothing.html and "改好了，重新算" in nothing.text
