"""Staff of the offices: who is let in, to which doors, and for how long."""

import re
from datetime import date, datetime, timedelta

import pytest

from app.access.roles import PERMISSIONS, ROLES, Role
from app.access.sessions import STAFF_IDLE
from app.flows.enter.accounts import LoginTaken, NoSuchStaff, ShortPassword, add_staff, change_staff
from app.flows.pay.start import Want
from app.flows.reconcile.close_day import last_listed
from app.flows.refund import steps
from app.policy.facts import Insurance
from app.web.door.access import by_permission, guard_of, needs
from core.clock import BEIJING, utc_now
from tests.app.flows.test_suspense import unknown
from tests.refunding import pay
from tests.system import second_code

PASSWORD = "a-long-password-1"


@pytest.fixture
def clerk(running):
    add_staff(running.office, login="clerk01", name="示例经办", role=Role.TAX_CLERK, password=PASSWORD)
    return "clerk01", PASSWORD


def client_of(running, login, password=PASSWORD):
    client = running.app.test_client()
    running.app.config["WTF_CSRF_ENABLED"] = False
    client.answer = client.post(
        "/office/login", data={"login": login, "password": password, "code": second_code(running.url, login)}
    )
    return client


def test_every_route_of_the_offices_names_its_permission(running):
    with running.app.test_request_context():
        rules = [rule.endpoint for rule in running.app.url_map.iter_rules() if rule.rule.startswith("/office")]
        open_ones = [endpoint for endpoint in rules if guard_of(endpoint) is by_permission]
    assert len(rules) >= 4
    assert open_ones == []


def test_a_permission_nobody_declared_fails_the_start():
    with pytest.raises(KeyError):
        needs("day.bend")


def test_every_role_has_a_name_and_the_auditor_changes_nothing():
    assert set(ROLES) == set(Role)
    auditors = {permission for permission, roles in PERMISSIONS.items() if Role.AUDITOR in roles}
    assert all(permission.endswith(".see") for permission in auditors)


def test_a_clerk_logs_in_sees_the_desk_and_logs_out(running, clerk):
    client = client_of(running, *clerk)
    assert client.answer.status_code == 303
    page = client.get("/office/")
    assert page.status_code == 200 and "税务经办" in page.text

    client.post("/office/logout")

    assert client.get("/office/").location == "/office/login"


def test_a_wrong_password_says_nothing_more(running, clerk):
    for login, password in ((clerk[0], "another-password"), ("nobody01", PASSWORD)):
        client = client_of(running, login, password)
        assert client.answer.status_code == 401
        assert "账号、密码或动态码不对" in client.answer.text


def test_a_disabled_clerk_is_out_at_once(running, clerk):
    client = client_of(running, *clerk)

    change_staff(running.office, login=clerk[0], active=False)

    assert client.get("/office/").location == "/office/login"
    assert client_of(running, *clerk).answer.status_code == 401


def test_a_new_password_ends_every_session(running, clerk):
    client = client_of(running, *clerk)

    change_staff(running.office, login=clerk[0], password="another-long-one")

    assert client.get("/office/").location == "/office/login"


def test_a_clerks_session_ends_after_a_quarter_of_an_hour_unused(running, clerk):
    client_of(running, *clerk)
    row = running.one("select expires_at, ends_at from session where staff_id is not null")
    assert abs(row.expires_at - utc_now() - STAFF_IDLE) < timedelta(minutes=1)
    assert row.ends_at - row.expires_at > timedelta(hours=7)


def test_an_office_session_opens_no_other_door(running, clerk):
    client = client_of(running, *clerk)
    assert client.get("/agent/").location == "/agent/login"
    assert client.get("/due").location == "/office/"
    assert client.get("/api/v1/due").status_code == 401


def test_a_login_is_somebodys_once(running, clerk):
    with pytest.raises(LoginTaken):
        add_staff(running.office, login="CLERK01", name="另一位", role=Role.AUDITOR, password=PASSWORD)
    with pytest.raises(ShortPassword):
        add_staff(running.office, login="clerk02", name="另一位", role=Role.AUDITOR, password="short")
    with pytest.raises(NoSuchStaff):
        change_staff(running.office, login="nobody01", active=False)


def test_every_other_computer_is_out_with_one_button(running, clerk):
    first, second = client_of(running, *clerk), client_of(running, *clerk)
    assert "退出别处的登录" in second.get("/office/account").text

    assert second.post("/office/others/end").status_code == 303

    assert first.get("/office/").location == "/office/login"
    assert second.get("/office/?ended=1").status_code == 200


def test_the_first_screen_says_who_he_is_and_what_waits_for_him(running, district):
    """The office's first screen is a menu: no counts of what waits for me, no name, no inner navigation."""
    number = pay(running, Want(district.adult.id, Insurance.RES_MEDICAL))
    unknown(running, 7)
    steps.apply(running.parts, number, by="staff:somebody")
    desks = {}
    for login, role in (("clerk01", Role.TAX_CLERK), ("lead01", Role.TAX_LEAD), ("medical1", Role.MEDICAL)):
        add_staff(running.office, login=login, name=f"示例{login}", role=role, password=PASSWORD)
        desks[login] = client_of(running, login)

    def counts(login):
        page = desks[login].get("/office/").text
        found = re.findall(r"<strong[^>]*>(\d+)</strong><small>(.*?)</small>", page)
        return {what: int(count) for count, what in found}

    assert counts("clerk01")["笔退费等您办"] == counts("clerk01")["笔待查款等您办"] == 1
    assert counts("lead01")["笔退费等您办"] == counts("lead01")["笔待查款等您办"] == 0
    assert counts("medical1") == {
        **dict.fromkeys(("笔退费等您办", "件核定等您办", "人部门名单里还没办成", "件反映的事等您答复"), 0),
        **dict.fromkeys(("件登记冲突等您定", "人说在外地交了，该再问一次", "个孩子等您登记", "件并号等您办"), 0),
        **dict.fromkeys(("份清册等您办", "条清册异议等您办"), 0),
        "笔资助等您同意": 0,
    }
    home, list_page = desks["clerk01"].get("/office/").text, desks["clerk01"].get("/office/refunds/").text
    assert "示例clerk01" in home and "税务经办" in home
    assert 'class="inner"' in list_page and "/office/day/" in list_page and "/office/audit/acts" not in list_page


def test_a_day_is_due_only_once_its_lists_can_have_arrived():
    """The list of days says 该日结了 before any statement arrived."""
    assert last_listed(datetime(2021, 11, 6, 10, 59, tzinfo=BEIJING)) == date(2021, 11, 4)
    assert last_listed(datetime(2021, 11, 6, 11, 0, tzinfo=BEIJING)) == date(2021, 11, 5)
