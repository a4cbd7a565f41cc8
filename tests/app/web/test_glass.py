"""A52: somebody must see at once what his role does not show him. Two people, an hour, nothing but looking; each
request is the auditor's to read, and somebody is woken."""

import re
from datetime import timedelta

import psycopg
import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from app.access.roles import GIVEN, PERMISSIONS, Role
from app.flows.enter.accounts import add_staff, change_staff
from app.flows.offices.glass import end_over
from app.flows.pay.start import Want
from app.policy.facts import Insurance
from core.clock import utc_now
from tests.app.web.test_office import PASSWORD, client_of
from tests.conftest import DATABASE
from tests.refunding import pay, rows

WHY = "市里来人查三月的退费，经办人不在"
TOWN = "370404103"


@pytest.fixture
def offices(running, district):
    """A town's official, two who may open, an auditor: each with a browser. And what the alarm was told."""
    heard = []
    object.__setattr__(running.parts, "alert", lambda what, **words: heard.append((what, words)))
    people = {}
    for login, role in (("town9", Role.TOWN), ("lead9", Role.TAX_LEAD), ("hrss9", Role.HRSS), ("audit9", Role.AUDITOR)):
        towns = [TOWN] if role is Role.TOWN else []
        add_staff(running.office, login=login, name="示例", role=role, password=PASSWORD, towns=towns)
        people[login] = client_of(running, login, PASSWORD)
    people["heard"] = heard
    return people


def asked(running, offices, who="town9"):
    assert offices[who].post("/office/glass/", data={"reason": WHY}).status_code == 303
    return running.one("select max(id) from glass")[0]


def opened(running, offices):
    number = asked(running, offices)
    assert offices["lead9"].post(f"/office/glass/{number}/open").status_code == 303
    return number


def test_nothing_of_an_account_is_named_glass():
    assert Role.GLASS not in GIVEN


def test_what_it_shows_is_what_desks_see_and_never_what_they_do():
    allowed = {permission for permission, roles in PERMISSIONS.items() if Role.GLASS in roles}

    assert allowed == {each for each in PERMISSIONS if each.endswith(".see")} - {"disclosure.see"}


def test_one_asks_another_opens_he_sees_all_changes_nothing_and_every_page_is_the_auditors(running, offices, district):
    number = pay(running, Want(district.adult.id, Insurance.RES_MEDICAL))
    town, lead, auditor = offices["town9"], offices["lead9"], offices["audit9"]
    assert town.get(f"/office/audit/trace/{number}").status_code == 403
    glass = opened(running, offices)

    page = town.get(f"/office/audit/trace/{number}")
    assert page.status_code == 200 and "应急查看中" in page.text
    assert town.get("/office/refunds/").status_code == 200
    for path in (f"/office/glass/{glass}/open", "/office/glass/", "/office/day/2021-11-05/close"):
        assert town.post(path).status_code == 403, path
    assert town.get("/office/audit/readings").status_code == 403

    told = auditor.get(f"/office/glass/{glass}").text
    assert number in told and WHY in told and "<td>退费</td>" in told and "没有打开过" not in told
    assert [row.endpoint for row in rows(running, "select endpoint from glass_act order by id")] == [
        "audit.path", "office_refunds.listed"
    ]  # fmt: skip
    assert offices["heard"] == [
        ("glass_broken", offices["heard"][0][1] | {"number": glass, "by": "staff:town9", "opened_by": "staff:lead9"})
    ]
    assert [row.what for row in rows(running, "select what from act where starts_with(what, 'glass') order by id")] == [
        "glass_asked", "glass_opened"
    ]  # fmt: skip
    assert "打开应急查看" in auditor.post("/office/audit/acts", data={"what": "glass_opened"}).text
    assert lead.get(f"/office/glass/{glass}").status_code == 403
    assert offices["hrss9"].get("/office/").text.count("应急查看中") == 0  # nobody else sees more


def test_a_full_number_needs_its_reason_all_the_same(running, offices, district):
    opened(running, offices)
    town = offices["town9"]
    found = town.post("/office/people/", data={"place": "", "wanted": district.adult.id_number}).text
    person = re.search(r"/office/people/([\w-]{20,})", found)[1]

    assert district.adult.id_number not in town.post(f"/office/people/{person}", data={"reason": ""}).text
    assert district.adult.id_number in town.post(f"/office/people/{person}", data={"reason": WHY}).text
    assert running.one("select by, reason from disclosure") == ("staff:town9", WHY)
    acts = rows(running, "select endpoint, person_id from glass_act order by id")
    assert (acts[-1].endpoint, acts[-1].person_id) == ("office_people.numbers", district.adult.id)


def test_nobody_opens_his_own(running, offices):
    number = asked(running, offices, "lead9")

    assert offices["lead9"].post(f"/office/glass/{number}/open").status_code == 403
    assert offices["town9"].post(f"/office/glass/{number}/open").status_code == 403  # his role opens none
    session = bytes(rows(running, "select token_hash from session s join staff f on f.id = s.staff_id"
                                  " where f.login = 'lead9'")[0].token_hash)  # fmt: skip
    with pytest.raises(DBAPIError, match="two_people"), running.parts.engine.begin() as connection:
        wanted = {"s": session, "n": number, "at": utc_now()}
        connection.execute(text("select glass_open(:s, :n, :at)"), wanted)
    assert running.one("select opened_at from glass")[0] is None and offices["heard"] == []


@pytest.mark.parametrize("who", ["town9", "lead9"])
def test_either_ends_it_at_once_and_it_opens_no_second_time(running, offices, who):
    number = opened(running, offices)

    assert offices[who].post(f"/office/glass/{number}/end").status_code == 303

    assert offices["town9"].get("/office/day/").status_code == 403
    assert offices["hrss9"].post(f"/office/glass/{number}/open").status_code == 403
    assert offices["heard"][-1] == ("glass_ended", {"number": number, "by": f"staff:{who}"})
    assert asked(running, offices) > number  # anew, by another's hand again


def test_somebody_else_does_not_end_it(running, offices):
    number = opened(running, offices)

    assert offices["hrss9"].post(f"/office/glass/{number}/end").status_code == 403
    assert offices["town9"].get("/office/day/").status_code == 200


def test_after_an_hour_it_shows_nothing_and_its_end_is_told(running, offices, database):
    opened(running, offices)
    asked(running, offices, "hrss9")
    _turned_back(database, timedelta(minutes=59))
    assert (offices["town9"].get("/office/day/").status_code, end_over(running.parts)) == (200, 0)
    assert offices["heard"].count(offices["heard"][0]) == 1  # its time was turned back here; said by the worker too
    assert [what for what, _ in offices["heard"]] == ["glass_broken"] * 2

    _turned_back(database, timedelta(minutes=2))
    assert offices["town9"].get("/office/day/").status_code == 403

    assert end_over(running.parts) == 2
    assert {row.ended_by for row in rows(running, "select ended_by from glass")} == {"rule:an_hour"}
    assert [what for what, _ in offices["heard"]] == ["glass_broken"] * 2 + ["glass_ended"]  # nobody opened the other
    assert end_over(running.parts) == 0


def _turned_back(database, by):
    with psycopg.connect(database.admin_url().replace("/postgres?", f"/{DATABASE}?"), autocommit=True) as admin:
        admin.execute("set session_replication_role = replica")
        admin.execute("update glass set asked_at = asked_at - %(by)s, opened_at = opened_at - %(by)s,"
                      " until = until - %(by)s", {"by": by})  # fmt: skip


def test_who_is_disabled_meanwhile_is_out(running, offices):
    opened(running, offices)

    change_staff(running.office, login="town9", active=False)

    assert offices["town9"].get("/office/day/").location == "/office/login"


def test_one_at_a_time_and_with_a_reason(running, offices):
    asked(running, offices)

    assert offices["town9"].post("/office/glass/", data={"reason": WHY}).status_code == 409
    assert offices["hrss9"].post("/office/glass/", data={"reason": "急"}).status_code == 400
    assert running.one("select count(*) from glass")[0] == 1


def test_what_cannot_be_written_down_is_not_shown(running, offices, database):
    opened(running, offices)
    with psycopg.connect(database.owner_url(DATABASE), autocommit=True) as owner:
        owner.execute("alter table glass_act add constraint full_disk check (false) not valid")
        try:
            assert offices["town9"].get("/office/day/").status_code >= 500
        finally:
            owner.execute("alter table glass_act drop constraint full_disk")


@pytest.mark.parametrize(
    "statement",
    [
        "insert into glass (asked_by, reason, asked_at) values ('staff:x', 'because', now())",
        "update glass set until = until + interval '1 minute'",
        "delete from glass_act",
        "insert into glass_act (glass, endpoint, at) select id, 'x', now() from glass",
    ],
)
def test_the_application_writes_neither_glass_nor_its_requests_by_hand(running, offices, statement):
    opened(running, offices)

    with pytest.raises(DBAPIError, match="permission denied"), running.parts.engine.begin() as connection:
        connection.execute(text(statement))


def test_nothing_is_hidden_behind_many_harmless_pages(running, offices, database):
    number = opened(running, offices)
    with psycopg.connect(database.admin_url().replace("/postgres?", f"/{DATABASE}?"), autocommit=True) as admin:
        admin.execute(
            "insert into glass_act (glass, endpoint, words, at)"
            " select %s, 'desk.home', case when n = 700 then 'YC-the-last' else '' end, now()"
            "   from generate_series(1, 700) n",
            [number],
        )

    assert "YC-the-last" in offices["audit9"].get(f"/office/glass/{number}").text
