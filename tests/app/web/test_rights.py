"""Who had which right on a past day, told by the trail alone."""

import psycopg
from sqlalchemy import text

from app.access.rights import standing_at
from app.access.roles import Role
from app.flows.enter.accounts import add_agent, add_staff, change_staff, disable_agent
from app.flows.offices.rights import rights_on
from core.clock import business_day
from tests.app.web.test_office_people import at_desk
from tests.builders import NOON

PASSWORD = "correct horse battery"


def moment(running):
    """By the database's clock, as the trail is written."""
    with running.office.engine.connect() as connection:
        return connection.execute(text("select clock_timestamp()")).scalar_one()


def by_hand(running, *statements, **values):
    """As the office's commands change accounts."""
    with running.office.engine.begin() as connection:
        for statement in statements:
            connection.execute(text(statement), values)


def seen(running, until, whose):
    """[(role, villages, active)] of one account, or nothing."""
    with running.parts.engine.connect() as connection:
        return [(row.role, row.villages, row.active) for row in standing_at(connection, until) if row.whose == whose]


def test_an_account_is_told_as_it_stood_then(running, district):
    """Given, changed, taken away: each moment has its own answer, and another account none of it."""
    village, town = district.village, district.village[:9]
    before = moment(running)
    add_staff(running.office, login="zhao", name="示例", role=Role.TOWN, towns=[town], password=PASSWORD)
    add_agent(running.office, login="sun", name="示例", password=PASSWORD, villages=[village])
    add_staff(running.office, login="other", name="示例", role=Role.HRSS, password=PASSWORD)
    given = moment(running)
    by_hand(running, "update staff set role = 'auditor', towns = '{}' where login = 'zhao'")
    by_hand(running, "delete from agent_village using agent where agent_id = id and login = 'sun'")
    changed = moment(running)
    change_staff(running.office, login="zhao", active=False)
    disable_agent(running.office, login="sun")
    ended = moment(running)

    of_zhao = [seen(running, when, "staff:zhao") for when in (before, given, changed, ended)]
    of_sun = [seen(running, when, "agent:sun") for when in (before, given, changed, ended)]

    assert of_zhao == [
        [],
        [(f'town ["{town}"]', [], True)],
        [("auditor", [], True)],
        [("auditor", [], False)],
    ]
    assert of_sun == [[], [("agent", [village], True)], [("agent", [], True)], [("agent", [], False)]]
    assert seen(running, ended, "staff:other") == seen(running, given, "staff:other") == [("hrss", [], True)]


def test_who_has_a_login_again_has_nothing_of_the_former_one(running, district):
    """The villages of somebody who is gone are not his."""
    add_agent(running.office, login="sun", name="示例", password=PASSWORD, villages=[district.village])
    with psycopg.connect(running.environment["DATABASE_OWNER_URL"]) as connection:  # nobody else can
        connection.execute("delete from agent_village using agent where agent_id = id and login = 'sun'")
        connection.execute("delete from agent where login = 'sun'")
    assert seen(running, moment(running), "agent:sun") == [("agent", [], False)]
    add_agent(running.office, login="sun", name="示例", password=PASSWORD, villages=[district.other_village])
    add_staff(running.office, login="sun", name="示例", role=Role.MEDICAL, password=PASSWORD)

    now = moment(running)
    assert seen(running, now, "agent:sun") == [("agent", [district.other_village], True)]
    assert seen(running, now, "staff:sun") == [("medical", [], True)]


def test_the_trail_says_of_today_what_the_tables_say(running, district, an_agent):
    """One truth: everybody who can come in now, with what he may."""
    add_staff(
        running.office, login="zhao", name="示例", role=Role.TOWN, towns=[district.village[:9]], password=PASSWORD
    )
    change_staff(running.office, login="zhao", password="another password")

    _, told = rights_on(running.parts, "")

    with running.parts.engine.connect() as connection:
        tables = connection.execute(
            text(
                "select 'staff:' || login from staff where active"
                " union all select 'agent:' || login from agent where active"
            )
        ).scalars()
        assert {each.whose for each in told if each.active} == set(tables)
    [zhao] = [each for each in told if each.whose == "staff:zhao"]
    assert (zhao.name, zhao.role) == ("示例", "镇街经办") and zhao.places.endswith(district.village[:9])


def test_the_auditor_sees_a_day_takes_it_away_and_hears_of_a_wrong_one(running, district):
    auditor = at_desk(running, Role.AUDITOR, "audit01")
    clerk = at_desk(running, Role.TAX_CLERK, "clerk01")
    running.parts.clocks.set_to(NOON)
    today = NOON.date()

    page = auditor.get("/office/audit/rights")
    file = auditor.get(f"/office/audit/rights.csv?on={today}")
    empty = auditor.get("/office/audit/rights?on=2001-01-01")

    assert "2021年11月5日结束时" in page.text and "2021年11月5日 1" in page.text, "one clock, the district's"
    for wall in ("acts", "readings", "kept"):
        assert f"{business_day(running.parts.clocks.wall()).year}年" not in auditor.get(f"/office/audit/{wall}").text
    assert "2021年11月5日 1" in auditor.get("/office/audit/acts").text
    assert "clerk01" in page.text and "税务经办" in page.text and f"on={today}" in page.text
    assert file.data.decode("utf-8-sig").splitlines()[0].startswith("账号,姓名,权限") and "clerk01" in file.text
    assert "这一天还没有账号" in empty.text and "clerk01" not in empty.text
    for wrong in ("2999-01-01", "昨天", "2021-02-30"):
        answer = auditor.get("/office/audit/rights", query_string={"on": wrong})
        assert answer.status_code == 400 and "请写一个今天或以前的日子" in answer.text and wrong in answer.text
    assert clerk.get("/office/audit/rights").status_code == 403
