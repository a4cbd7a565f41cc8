"""A village agent's way: log in, find, say one sentence, show the code; and nothing beyond the own villages."""

import re
from urllib.parse import unquote

import psycopg
import pytest

from app.flows.enter.accounts import add_agent, change_password, disable_agent
from tests.browsing import Browser
from tests.builders import a_household, a_person, an_id_number
from tests.conftest import DATABASE
from tests.rosters import in_force
from tests.system import early_in_the_minute, eventually


@pytest.fixture
def agent(browser, an_agent, running):
    in_force(running)
    page = browser.log_in(*an_agent)
    assert "榴园镇示例村" in page.text
    return browser


def seek(agent, district, words, **more):
    path = f"/agent/villages/{district.village}"
    return agent.submit(agent.get(path), path, form="search", q=words, **more)


def person_page(agent, district, name):
    return agent.get(seek(agent, district, name).link(name))


def number_of(page):
    return re.search(r"YC[0-9A-Z]{24}", page.html)[0]


def test_the_list_begins_with_what_is_to_do(agent, district):
    page = agent.get(f"/agent/villages/{district.village}")

    order = [page.text.index(name) for name in (district.adult.name, district.elder.name, district.worker.name)]
    assert order == sorted(order)
    assert "医保 0 / 3 人办好，养老 0 / 2 人办好" in page.text
    assert district.neighbour.name not in page.text
    assert f"3704…{district.adult.id_number[-4:]}" in page.text and district.adult.id_number not in page.html


def test_somebody_is_found_by_name_or_household(agent, district):
    by_name = seek(agent, district, "奶奶")
    by_number = seek(agent, district, "0001")
    nobody = seek(agent, district, "%_'")

    assert district.elder.name in by_name.text and district.adult.name not in by_name.text
    assert district.adult.name in by_number.text
    assert "没有找到" in nobody.text


def test_a_sought_name_is_in_no_address(agent, district, engine):
    with engine.begin() as connection:
        for n in range(60):
            home = a_household(connection, village=district.village, number=f"2{n:03d}")
            a_person(connection, name=f"李村民{n}", id_number=an_id_number(sequence=200 + n), household=home)

    first = seek(agent, district, "李村民")
    second = agent.get(first.link("下一页"))

    assert "第 1 页，共 2 页，60 人" in first.text and "第 2 页，共 2 页，60 人" in second.text
    assert all("李村民" not in unquote(page.url) for page in (first, second))
    assert "李村民" not in unquote("".join(re.findall(r'href="([^"]*)"', first.html)))


def test_a_long_list_comes_in_pages(agent, district, engine):
    with engine.begin() as connection:
        for n in range(60):
            home = a_household(connection, village=district.village, number=f"1{n:03d}")
            a_person(connection, name=f"李村民{n}", id_number=an_id_number(sequence=100 + n), household=home)

    first = agent.get(f"/agent/villages/{district.village}")
    second = agent.get(first.link("下一页"))

    assert "第 1 页，共 2 页，64 人" in first.text
    assert (
        len(re.findall(r"/agent/people/", first.html)) == 50 and len(re.findall(r"/agent/people/", second.html)) == 14
    )
    assert agent.get(f"/agent/villages/{district.village}", page=99).text == second.text


def test_one_of_three_sentences(agent, district):
    assert "要交 320 元" in person_page(agent, district, district.adult.name).text
    assert "不用交，政府交" in person_page(agent, district, district.elder.name).text
    refused = person_page(agent, district, district.worker.name).text
    assert "不能在这里交 您已参加职工医保" in refused


def test_no_category_is_shown(agent, district):
    page = person_page(agent, district, district.poor.name)
    assert "不用交，政府交" in page.text and "低保" not in page.html and "DIBAO" not in page.html


def test_a_person_pays_by_the_agents_code(agent, district, running):
    page = person_page(agent, district, district.adult.name)

    code = agent.submit(page, page.url, form='method="post"', act="code")

    assert f"念一遍：{district.adult.name}" in code.text and "320 元" in code.text
    number = number_of(code)
    row = running.one(
        "select started_by, checkout->>'code_url' as code from payment where number = :number", number=number
    )
    assert row.started_by.startswith("agent:")
    running.outside.pay(row.code)
    eventually(lambda: "缴费成功 · " in agent.get(f"/agent/pay/{number}").text)
    done = agent.get(f"/agent/pay/{number}")
    assert agent.get(done.link("下一位")).text.count("办好了") >= 1


def test_a_household_pays_in_one_go(agent, district):
    page = person_page(agent, district, district.adult.name)
    fields = page.fields('method="post"')
    tier = re.search(r'<select[^>]*name="(tier\.[^"]+)"', page.html)[1]

    shown = agent.post(page.url, fields | {tier: "30000", "act": "show"})
    assert "这次一共 620 元" in shown.text
    everything = shown.fields('method="post"') | {"item": shown.values("item")}
    chosen = re.search(r'<select[^>]*name="(tier\.[^"]+)"', shown.html)[1]
    code = agent.post(shown.url, everything | {chosen: "30000", "act": "code"})

    assert "620 元" in code.text and "2022年居民养老" in code.text and "2022年居民医保" in code.text


def test_a_waived_person_is_settled_by_one_tap(agent, district):
    page = person_page(agent, district, district.elder.name)

    after = agent.post(page.url, page.fields('method="post"') | {"only": page.values("only")[0]})

    assert "已经办好了（11月5日），政府替您交" in after.text


def test_nothing_ticked_is_said(agent, district):
    page = person_page(agent, district, district.adult.name)
    fields = {name: value for name, value in page.fields('method="post"').items() if name != "item"}
    answer = agent.post(page.url, fields | {"act": "code"})
    assert answer.status == 409 and "还没有选要交的项目" in answer.text


def test_another_village_does_not_exist(agent, district, running):
    add_agent(
        running.office, login="zhao", name="赵代办", password="another password", villages=[district.other_village]
    )
    other = type(agent)(running.url)
    other.log_in("zhao", "another password")
    theirs = other.get(f"/agent/villages/{district.other_village}")
    mine = person_page(agent, district, district.adult.name)
    number = number_of(agent.submit(mine, mine.url, form='method="post"', act="code"))

    assert agent.get(f"/agent/villages/{district.other_village}").status == 404
    assert agent.get("/agent/villages/999999999999").status == 404
    assert agent.get(theirs.link(district.neighbour.name)).status == 404  # a reference of another session
    assert other.get(f"/agent/pay/{number}").status == 404
    assert other.post(f"/agent/pay/{number}/close", theirs.fields("logout")).status == 404
    other.close()


def test_a_person_who_moved_away_is_out_of_reach_at_once(agent, district, running):
    page = person_page(agent, district, district.adult.name)
    away = running.one("select household_id from person where id = :id", id=district.neighbour.id).household_id
    with running.office.engine.begin() as connection:
        connection.exec_driver_sql("update person set household_id = %s where id = %s", (away, district.adult.id))

    assert agent.get(page.url).status == 404
    assert agent.submit(page, page.url, form='method="post"', act="code").status == 404


def test_a_disabled_agent_is_out_at_once(agent, district, running):
    disable_agent(running.office, login="wang")
    assert "/agent/login" in agent.get(f"/agent/villages/{district.village}").url
    assert agent.log_in("wang", "correct horse battery").status == 401


def test_a_village_taken_away_is_gone_at_once(agent, district, database):
    with psycopg.connect(database.owner_url(DATABASE)) as owner:
        owner.execute("delete from agent_village")
    assert agent.get(f"/agent/villages/{district.village}").status == 404
    assert "还没有给您分村" in agent.get("/agent/").text


def test_a_new_password_ends_every_session(agent, running):
    change_password(running.office, login="wang", password="another password")
    assert "/agent/login" in agent.get("/agent/").url
    assert "先换密码" in agent.log_in("wang", "another password").text


def test_logging_out_ends_the_session_for_good(agent, district, running):
    token = agent.session.cookies["session"]
    agent.submit(agent.get(f"/agent/villages/{district.village}"), "/agent/logout", form="logout")

    replay = type(agent)(running.url)
    replay.session.cookies.set("session", token)
    assert "/agent/login" in replay.get("/agent/").url
    replay.close()


def test_a_login_brings_a_new_token(browser, an_agent, district):
    browser.look_up(district.adult.name, district.adult.id_number)
    before = browser.session.cookies["session"]
    browser.log_in(*an_agent)
    assert browser.session.cookies["session"] != before


def test_unknown_and_wrong_are_told_alike(browser, an_agent):
    wrong = browser.log_in(an_agent[0], "not his password")
    unknown = browser.log_in("nobody", "not his password")
    assert (wrong.status, unknown.status) == (401, 401)
    assert wrong.text == unknown.text and "账号、密码或动态码不对" in wrong.text


def test_guessing_is_slowed_down(browser, an_agent):
    early_in_the_minute(20)
    statuses = [browser.log_in(an_agent[0], f"guess number {n}").status for n in range(6)]
    assert statuses == [401] * 5 + [429]
    assert browser.log_in(*an_agent).status == 429


def test_an_agent_needs_a_token_in_every_form(agent, district):
    page = person_page(agent, district, district.adult.name)
    fields = {name: value for name, value in page.fields('method="post"').items() if name != "csrf_token"}
    assert agent.post(page.url, fields | {"act": "code"}).status == 400


def test_a_residents_session_opens_no_agents_page(browser, an_agent, district):
    browser.look_up(district.adult.name, district.adult.id_number)
    for path in ("/agent/", f"/agent/villages/{district.village}", "/agent/people/x"):
        assert "/agent/login" in browser.get(path).url


def test_an_agent_prints_the_residents_sheet_for_the_own_village_only(agent, district):
    page = person_page(agent, district, district.poor.name)

    sheet = agent.get(page.link("打印或保存这张说明"))

    assert sheet.status == 200 and "不用交钱，政府替您交" in sheet.text and "政府名单" in sheet.text
    assert "低保" not in sheet.text and district.poor.name not in sheet.text
    assert agent.get("/agent/sheet/nobody/RES_MEDICAL").status == 404


def test_every_other_phone_is_out_with_one_button(agent, an_agent, district, running):
    other = Browser(running.url)
    other.log_in(*an_agent)
    village = f"/agent/villages/{district.village}"

    agent.submit(agent.get(village), "/agent/others/end", form="others/end")

    assert "/agent/login" in other.get(village).url
    assert agent.get(village).url.endswith(village)
    other.close()
