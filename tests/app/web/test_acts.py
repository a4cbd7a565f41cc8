"""Who logged in, failed, searched, was given an account: one row each for the auditor, never a name in clear."""

import re

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.exc import DBAPIError

from app.access import acts
from app.access.models import Agent, Staff
from app.access.roles import Role
from app.flows.enter.accounts import add_staff, change_staff, disable_agent
from app.flows.enter.second import issue_second
from tests.app.web.test_office_people import at_desk
from tests.browsing import a_phone, a_token
from tests.system import second_code

PASSWORD = "correct horse battery"


def kept(running, **only) -> list[tuple[str, str, str, str]]:
    """What, by, about, words of every act, the first first."""
    where = " and ".join(f"{column} = :{column}" for column in only) or "true"
    with running.parts.engine.connect() as connection:
        found = connection.execute(text(f"select what, by, about, words from act where {where} order by id"), only)
        return [tuple(row) for row in found]


def test_who_comes_in_and_who_is_refused_is_kept(running):
    """M8: logged in, wrong password, wrong code, an unknown login, logged out: one row each, with the neighbourhood."""
    add_staff(running.office, login="liming", name="示例", role=Role.TAX_CLERK, password=PASSWORD)
    issue_second(running.office, Staff, login="liming")
    running.app.config["WTF_CSRF_ENABLED"] = False
    desk = running.app.test_client()

    desk.post("/office/login", data={"login": "liming", "password": "wrong wrong wrong", "code": "000000"})
    desk.post("/office/login", data={"login": "liming", "password": PASSWORD, "code": "000000"})
    desk.post("/office/login", data={"login": "nobody.here", "password": PASSWORD, "code": "000000"})
    right = {"login": "liming", "password": PASSWORD, "code": second_code(running.url, "liming")}
    assert desk.post("/office/login", data=right).status_code == 303
    desk.post("/office/logout")

    unknown = acts.sought(running.parts.vault, "nobody.here")
    assert kept(running, way="web") == [
        ("refused", "", "staff:liming", ""),
        ("second_refused", "", "staff:liming", ""),
        ("refused", "", unknown, ""),
        ("in", "staff:liming", "", ""),
        ("out", "staff:liming", "", ""),
    ]
    assert running.one("select count(*), min(network), max(network) from act where way = 'web'") == (
        *(5, "127.0.0.0/24", "127.0.0.0/24"),
    )


def test_a_resident_who_comes_in_is_kept_without_his_phone(running):
    """M8."""
    phone = a_phone()
    a_token(running, phone)

    [(what, by, about, words)] = kept(running)
    assert (what, about, words) == ("in", "", "") and re.fullmatch(r"account:\d+", by)


def test_what_somebody_searched_is_kept_as_a_digest(running, district):
    """M8: the name is nowhere in the trail, and the auditor who knows it finds who searched for it."""
    clerk = at_desk(running, Role.TAX_CLERK, "clerk01")
    auditor = at_desk(running, Role.AUDITOR, "audit01")

    clerk.post("/office/people/", data={"wanted": district.adult.name, "place": district.village})

    about = acts.sought(running.parts.vault, district.adult.name)
    assert kept(running, what="search") == [("search", "staff:clerk01", about, district.village)]
    with running.parts.engine.connect() as connection:
        assert district.adult.name not in str(connection.execute(text("select * from act")).all())
    found = auditor.post("/office/audit/acts", data={"sought": district.adult.name})
    assert "clerk01" in found.text and "找人" in found.text
    assert district.adult.name not in found.text.partition("<table>")[2]
    other = auditor.post("/office/audit/acts", data={"sought": "李示例"})
    assert "<table>" not in other.text


def test_what_is_done_with_an_account_is_kept_by_whatever_way(running, district, an_agent):
    """M8: by a command in its operator's name, by the owner's hand in the role's; another account gets no row."""
    add_staff(running.office, login="liming", name="示例", role=Role.TAX_CLERK, password=PASSWORD)
    add_staff(running.office, login="zhao", name="示例", role=Role.AUDITOR, password=PASSWORD)
    issue_second(running.office, Staff, login="liming")
    change_staff(running.office, login="liming", password="another password")
    change_staff(running.office, login="liming", active=False)
    issue_second(running.office, Agent, login="wang")
    disable_agent(running.office, login="wang")
    with running.office.engine.begin() as connection:
        connection.execute(text("select set_config('liangxian.actor', '', true)"))
        connection.execute(text("update staff set role = 'tax_lead' where login = 'liming'"))
        connection.execute(text("delete from agent_village"))

    [(_, operator, _, _), *_] = kept(running)
    assert operator.startswith("operator:")
    assert [(what, words) for what, _, _, words in kept(running, about="staff:liming")] == [
        *(("account", ""), ("role", "tax_clerk"), ("second", ""), ("password", ""), ("disabled", "")),
        ("role", "tax_lead"),
    ]
    assert [(what, words) for what, _, _, words in kept(running, about="agent:wang")] == [
        *(("account", ""), ("village", f"insert {district.village}"), ("second", ""), ("disabled", "")),
        ("village", f"delete {district.village}"),
    ]
    assert [(what, words) for what, _, _, words in kept(running, about="staff:zhao")] == [
        *(("account", ""), ("role", "auditor")),
    ]
    assert {by for _, by, _, _ in kept(running, way="database")} == {"role:liangxian_office"}


def test_the_auditor_reads_them_page_by_page_and_nobody_else_does(running, monkeypatch):
    """M8."""
    monkeypatch.setattr("app.flows.offices.audit.PAGE", 2)
    auditor = at_desk(running, Role.AUDITOR, "audit01")
    clerk = at_desk(running, Role.TAX_CLERK, "clerk01")

    first = auditor.get("/office/audit/acts")
    own = auditor.post("/office/audit/acts", data={"who": "clerk01", "what": "in"})
    after = re.search(r'name="after" value="(\d+)"', first.text)[1]
    second = auditor.post("/office/audit/acts", data={"after": after})

    assert "登录" in first.text and "换第二验证因素" not in second.text.split("<table>")[0].split("</select>")[1]
    assert own.text.count("<tr><td>") == 1 and "audit01" not in own.text.split("<table>")[1]
    assert first.text.split("<table>")[1] != second.text.split("<table>")[1]
    assert clerk.get("/office/audit/acts").status_code == 403


def test_an_act_is_never_changed(running):
    """M8: not by the application, not by the owner."""
    a_token(running, a_phone())
    owner = running.parts.engine.url.set(username="liangxian_owner")
    for url in (running.parts.engine.url, owner):
        for statement in ("update act set by = 'x'", "delete from act", "truncate act"):
            with pytest.raises(DBAPIError) as refused:
                _run(url, statement)
            assert refused.value.orig.sqlstate in ("42501", "LX003")


def _run(url, statement: str) -> None:
    engine = create_engine(url)
    try:
        with engine.begin() as connection:
            connection.execute(text(statement))
    finally:
        engine.dispose()
