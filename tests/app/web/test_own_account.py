"""D11, D14: a password is somebody's own, and he sees and ends where he is logged in."""

import re
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from app.access.passwords import is_common, is_own
from app.access.roles import Role
from app.access.sessions import hash_of
from app.flows.enter.accounts import CommonPassword, OwnPassword, add_agent, add_staff, change_password
from app.flows.enter.own import NoSuchSession, end_session, open_sessions
from app.flows.enter.session import Tried, WrongLogin, log_in, log_in_staff, visitor_of
from tests.browsing import Browser
from tests.system import early_in_the_minute, eventually, second_code

OLD, NEW = "correct horse battery", "four quiet herons"
DOORS = pytest.mark.parametrize(("door", "home"), [("agent", "/agent/"), ("office", "/office/")])


def somebody(running, district, door, login="somebody", *, given=False):
    if door == "agent":
        villages = [district.village]
        add_agent(running.office, login=login, name="赵示例", password=OLD, villages=villages, given=given)
    else:
        add_staff(running.office, login=login, name="赵示例", role=Role.TAX_LEAD, password=OLD, given=given)


def enter(running, browser, door, login="somebody", password=OLD):
    fields = {"login": login, "password": password, "code": second_code(running.url, login)}
    return browser.submit(browser.get(f"/{door}/login"), f"/{door}/login", form="login", **fields)


def change(browser, door, former=OLD, password=NEW, again=None):
    typed = {"former": former, "password": password, "again": password if again is None else again}
    return browser.submit(browser.get(f"/{door}/account"), f"/{door}/account", form=f'"/{door}/account"', **typed)


@pytest.mark.parametrize(
    "password",
    [
        "1234567890",
        "aaaaaaaaaa",
        "qwertyuiop",
        "Password123",
        "1q2w3e4r5t",
        "woaini1314520",
        "abcdefghijkl",
        "1212121212",
    ],
)
def test_what_everybody_tries_is_no_password(password):
    """D11."""
    assert is_common(password)


@pytest.mark.parametrize(
    "password", ["zhaoxin2021", "zhaoxin@123", "赵示例2021!!!", "yicheng2021", "峄城区20211105", "Liangxian123"]
)
def test_little_more_than_what_everybody_knows_is_no_password(running, password):
    """D11."""
    assert is_own(password, ("zhaoxin", "赵示例", *running.parts.place_words))


def test_nobody_is_given_the_name_of_the_place(running, district, an_agent):
    with pytest.raises(OwnPassword):
        change_password(running.office, login="wang", password="峄城区20211105")


@pytest.mark.parametrize("password", [OLD, NEW, "zhaoxin likes quiet herons", "x7Kd-93mQ-w0", "一二三四五六七八九十甲"])
def test_another_one_is(password):
    assert not is_common(password) and not is_own(password, ("zhaoxin", "赵示例"))


def test_no_operator_gives_out_a_common_one(running, district, an_agent):
    """D11."""
    with pytest.raises(CommonPassword):
        change_password(running.office, login="wang", password="1234567890")
    with pytest.raises(OwnPassword):
        add_agent(running.office, login="liujie", name="刘示例", password="liujie12345", villages=[district.village])


@DOORS
def test_the_first_password_is_changed_before_anything_else(running, district, browser, door, home):
    """D11: it opens the page that changes it and the way out, and no other."""
    somebody(running, district, door, given=True)
    first = enter(running, browser, door)

    assert first.url.endswith(f"/{door}/account") and "先换密码" in first.text
    assert browser.get(home).url.endswith(f"/{door}/account")
    changed = change(browser, door)
    assert "先换密码" not in changed.text and "/account" not in changed.url
    assert running.one(f"select given from {'agent' if door == 'agent' else 'staff'}").given is False


@DOORS
def test_everybody_changes_his_own(running, district, browser, door, home):
    """D11: elsewhere he is out, the old one is worth nothing, and the trail has it in his name; the sibling stays."""
    somebody(running, district, door)
    somebody(running, district, door, "sibling")
    elsewhere, sibling = Browser(running.url), Browser(running.url)
    for each, login in ((browser, "somebody"), (elsewhere, "somebody"), (sibling, "sibling")):
        enter(running, each, door, login)
    hash_before = running.one(f"select password_hash from {kind(door)} where login = 'sibling'").password_hash

    change(browser, door)

    assert "login" not in browser.get(home).url and "login" in elsewhere.get(home).url
    assert "login" not in sibling.get(home).url
    assert running.one(f"select password_hash from {kind(door)} where login = 'sibling'").password_hash == hash_before
    assert enter(running, elsewhere, door).status == 401 and enter(running, elsewhere, door, password=NEW).status == 200
    act = running.one("select by, about, way from act where what = 'password'")
    assert act == (f"{kind(door)}:somebody", f"{kind(door)}:somebody", "web")
    elsewhere.close(), sibling.close()


def kind(door):
    return "agent" if door == "agent" else "staff"


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ({"former": "not his password"}, "现在的密码不对"),
        ({"password": "1234567890"}, "太常见"),
        ({"password": "short"}, "至少要10位"),
        ({"password": "somebody2021"}, "除了账号"),
        ({"password": OLD}, "和现在的一样"),
        ({"again": "another one"}, "不一样"),
    ],
)
def test_what_is_wrong_with_the_new_one_is_said(running, district, browser, typed, said):
    somebody(running, district, "agent")
    enter(running, browser, "agent")

    refused = change(browser, "agent", **typed)

    assert refused.status in (400, 422) and said in refused.text and "herons" not in refused.html
    assert enter(running, Browser(running.url), "agent").status == 200


def test_the_page_guesses_no_faster_than_the_login(running, district, browser):
    """D11, the sibling: whoever sits down at an open page."""
    early_in_the_minute(20)
    somebody(running, district, "agent")
    enter(running, browser, "agent")

    tried = [change(browser, "agent", former=f"guess number {n}").status for n in range(6)]

    assert tried == [422] * 5 + [429]


def test_the_database_changes_a_password_for_a_live_session_only(running, district, browser):
    """D11: the web's role has this way and no other; M7."""
    somebody(running, district, "agent")
    held = running.one("select password_hash from agent").password_hash
    tries = [(b"nobody's", held), (hash_of("nobody"), held)]
    enter(running, browser, "agent")
    tries.append((hash_of(browser.session.cookies["session"]), "not the former"))

    for session, former in tries:
        with pytest.raises(DBAPIError), running.parts.engine.begin() as connection:
            connection.execute(
                text("select change_own_password(:session, :former, 'x', now())"),
                {"session": session, "former": former},
            )
    assert running.one("select password_hash from agent").password_hash == held


def test_a_right_password_with_a_wrong_code_costs_the_same_statements(running, an_agent, monkeypatch):
    """D11: 5 ms told that the password was right. Time follows work: the same questions, asked as often."""
    second_code(running.url, "wang")
    asked = []
    monkeypatch.setattr("app.access.second.code_at", lambda *_: asked.append("code") or "999999")

    def work(login, password):
        asked.clear()
        with pytest.raises(WrongLogin):
            log_in(running.parts, Tried(login, password, "000000", "here"), former=None)
        return list(asked)

    right, wrong, nobody = work("wang", an_agent[1]), work("wang", "not his password"), work("nobody", an_agent[1])

    assert right == wrong == nobody and len(right) == 3


def test_a_wrong_password_spends_no_code(running, an_agent):
    """D11, the sibling: the code that came with it is still good."""
    code = second_code(running.url, "wang")
    with pytest.raises(WrongLogin):
        log_in(running.parts, Tried("wang", "not his password", code, "here"), former=None)

    assert log_in(running.parts, Tried("wang", an_agent[1], code, "here"), former=None)


@DOORS
def test_he_sees_where_he_is_logged_in_and_ends_one(running, district, browser, door, home):
    """D14: one of three; nobody else's."""
    somebody(running, district, door)
    somebody(running, district, door, "sibling")
    second, third, sibling = (Browser(running.url) for _ in range(3))
    for each, login in ((browser, "somebody"), (second, "somebody"), (third, "somebody"), (sibling, "sibling")):
        enter(running, each, door, login)
    page = browser.get(f"/{door}/account")
    ends = re.findall(rf'action="(/{door}/account/[0-9a-f]+/end)"', page.html)

    gone = browser.post(ends[0], page.fields(ends[0]))

    assert len(ends) == 2 and page.text.count("127.0.0.0/24") == 3 and page.text.count("就是这里") == 1
    assert "退出了" in gone.text and "login" not in browser.get(home).url and "login" not in sibling.get(home).url
    assert sorted("login" in each.get(home).url for each in (second, third)) == [False, True]
    assert browser.session.cookies["session"] not in page.html
    for each in (second, third, sibling):
        each.close()


def test_nobody_ends_anothers(running, district, browser):
    """D14."""
    somebody(running, district, "agent")
    somebody(running, district, "office", "sibling")
    sibling = Browser(running.url)
    enter(running, browser, "agent"), enter(running, sibling, "office", "sibling")
    mine, theirs = (visitor_of(running.parts, each.session.cookies["session"]) for each in (browser, sibling))
    name = open_sessions(running.parts, theirs)[0].name

    with pytest.raises(NoSuchSession):
        end_session(running.parts, mine, name, network="here")
    assert visitor_of(running.parts, sibling.session.cookies["session"]) is not None
    sibling.close()


@DOORS
@pytest.mark.parametrize("what", ["password", "second", "disabled"])
def test_who_is_on_his_way_in_with_what_is_no_more_stays_out(running, district, door, home, what):
    """Row of the review: a password was changed, a lost telephone given up, an account disabled between the proof and
    the session: that session outlived the change. A colleague's login at the same moment is let in."""
    somebody(running, district, door)
    somebody(running, district, door, "colleague")
    enter_with = log_in if door == "agent" else log_in_staff
    changed = {
        "password": "password_hash = 'another'",
        "second": "second = (select second from {0} where login = 'colleague'), second_step = 0",
        "disabled": "active = false",
    }
    table = "agent" if door == "agent" else "staff"
    tries = {
        login: Tried(login, OLD, second_code(running.url, login), network="10.0.0.1")
        for login in ("somebody", "colleague")
    }
    with ThreadPoolExecutor(2) as pool, running.office.engine.connect() as change:
        statement = f"update {table} set {changed[what].format(table)} where login = 'somebody'"
        change.execute(text(statement))  # and the sessions there are end; not committed yet
        change.execute(
            text(f"delete from session where {table}_id = (select id from {table} where login = 'somebody')")
        )
        entering = {login: pool.submit(enter_with, running.parts, each, former=None) for login, each in tries.items()}
        assert entering["colleague"].result(3).token
        eventually(lambda: _waits(running))
        change.commit()

        with pytest.raises(WrongLogin):
            entering["somebody"].result(5)

    with running.parts.engine.connect() as connection:
        assert connection.execute(text("select count(*) from session")).scalar_one() == 1


def _waits(running):
    with running.parts.engine.connect() as connection:
        waiting = text("select count(*) from pg_locks where not granted")
        return connection.execute(waiting).scalar_one() > 0
