"""D7: a form works in the session it was given to, sent from a page of ours, and nowhere else."""

import re

import pytest

from app.access.roles import Role
from app.flows.enter.accounts import add_agent, add_staff
from app.serving import create_app
from app.web import DOORS
from config.settings import Settings
from tests.browsing import Browser
from tests.builders import a_production_environment
from tests.system import second_code

PASSWORD = "correct horse battery"
SITES = ("cross-site", "same-site")
FORMS = frozenset(blueprint.name for blueprint, _, _, has_forms in DOORS if has_forms)


def of_resident(running, district, browser, _login):
    browser.look_up(district.adult.name, district.adult.id_number)
    return "/me", "/me/others/end"


def of_agent(running, district, browser, login):
    add_agent(running.office, login=login, name="王代办", password=PASSWORD, villages=[district.village])
    browser.log_in(login, PASSWORD)
    return "/agent/account", "/agent/others/end"


def of_officer(running, district, browser, login):
    add_staff(running.office, login=login, name="李示例", role=Role.TAX_LEAD, password=PASSWORD)
    fields = {"login": login, "password": PASSWORD, "code": second_code(running.url, login)}
    browser.submit(browser.get("/office/login"), "/office/login", form="login", **fields)
    return "/office/account", "/office/others/end"


EVERYBODY = pytest.mark.parametrize("enter", [of_resident, of_agent, of_officer])


def token_on(browser, page):
    return {"csrf_token": browser.get(page).values("csrf_token")[0]}


def sessions_of(running):
    return running.one("select count(*) as n from session").n


@EVERYBODY
def test_a_form_of_another_session_does_nothing(running, district, browser, enter):
    """D7: a stranger gets himself a form, plants its cookie beside the victim's session, and has the form sent."""
    stranger = Browser(running.url)
    enter(running, district, stranger, "stranger")
    page, act = enter(running, district, browser, "victim")
    planted = token_on(stranger, page)
    browser.session.cookies.set("form", stranger.session.cookies["form"], domain="127.0.0.1", path="/")

    refused = browser.post(act, planted)

    assert refused.status == 400 and "这一步没有办" in refused.text
    assert browser.post(act, token_on(browser, page)).status == 200, "his own form works on"
    stranger.close()


def test_a_form_from_before_the_login_is_not_good_after_it(running, district, browser):
    """D7: nor is one that a stranger without any session got."""
    planted = token_on(browser, "/login")
    cookie = browser.session.cookies["form"]
    _, act = of_agent(running, district, browser, "victim")
    browser.session.cookies.set("form", cookie, domain="127.0.0.1", path="/")

    assert browser.post(act, planted).status == 400


@EVERYBODY
@pytest.mark.parametrize("site", SITES)
def test_a_sibling_site_acts_for_nobody(running, district, browser, enter, site):
    """D7: though it had the right form, what another site sends is refused; what our page sends is not."""
    page, act = enter(running, district, browser, "victim")
    form = token_on(browser, page)
    before = sessions_of(running)

    sent = browser.session.post(running.url + act, data=form, headers={"Sec-Fetch-Site": site})

    assert sent.status_code == 403 and "请从本页面办理" in sent.text and sessions_of(running) == before
    ours = browser.session.post(running.url + act, data=form, headers={"Sec-Fetch-Site": "same-origin"})
    assert ours.status_code == 200


@pytest.mark.parametrize("site", SITES)
def test_no_page_that_changes_something_listens_to_another_site(running, site):
    """D7: every one, the logins too."""
    client, answers = running.app.test_client(), {}
    for rule in running.app.url_map.iter_rules():
        if rule.endpoint.partition(".")[0] in FORMS and "POST" in rule.methods:
            path = re.sub(r"<[^>]+>", "1", rule.rule)
            answers[rule.rule] = client.post(path, headers={"Sec-Fetch-Site": site}).status_code

    opened = {rule: status for rule, status in answers.items() if status not in (303, 403)}
    assert len(answers) > 40 and opened == {}  # 303: nobody is in, the guard leads to the login


def test_the_way_back_from_a_gateway_and_its_callbacks_come_from_another_site(running):
    """D7, the siblings: a payer's browser is sent back by the gateway's page, and a gateway has no page at all."""
    client, elsewhere = running.app.test_client(), {"Sec-Fetch-Site": "cross-site"}

    back = client.post("/back/unionpay", data={"orderId": "YC211105000000019B205GPS7C"}, headers=elsewhere)
    called = client.post("/callbacks/unionpay", data={"orderId": "1"}, headers=elsewhere)

    assert (back.status_code, back.location) == (303, "/pay/YC211105000000019B205GPS7C")
    assert called.status_code != 403 and "请从本页面办理" not in called.text


def test_the_forms_cookie_is_bound_to_the_host_outside_the_sandbox(running):
    """D7: no sibling plants a cookie whose name begins with __Host-."""
    environment = {name: value for name, value in a_production_environment().items() if not name.startswith("GATEWAY_")}
    app = create_app(Settings.from_environment(environment))
    app.extensions["joined"].__dict__["parts"] = running.parts

    answer = app.test_client().get("/login", base_url="https://pay.example.gov.cn")

    cookies = answer.headers.getlist("Set-Cookie")
    words = set(next(line for line in cookies if line.startswith("__Host-form=")).split("; "))
    assert {"Secure", "HttpOnly", "Path=/", "SameSite=Lax"} <= words
    assert not any(word.startswith("Domain") for word in words)
