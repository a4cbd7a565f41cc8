"""Who is let in: sessions in the database, guards on every door, headers on every answer."""

import re
from datetime import timedelta

import pytest

from app.access.sessions import AGENT_LIFE, IDLE, LIFE, hash_of
from app.flows.enter.session import open_session, visitor_of
from app.flows.family.people import get_to_know
from app.serving import create_app
from app.web.door.access import guard_of, routes_without_guard
from config.settings import Settings
from core.clock import utc_now
from tests.browsing import a_phone, a_token
from tests.builders import a_production_environment
from tests.refunding import rows


def test_every_route_has_a_guard(running):
    with running.app.test_request_context():
        assert routes_without_guard() == []


def test_a_route_without_a_guard_does_not_open(running):
    running.app._got_first_request = False
    running.app.add_url_rule("/new", "forgotten", lambda: "open")
    assert running.app.test_client().get("/new").status_code == 404
    with running.app.test_request_context():
        assert routes_without_guard() == ["forgotten"] and guard_of("forgotten") is None


def test_a_token_is_kept_as_a_hash_only(running):
    token = open_session(running.parts, network="here").token
    row = running.one("select token_hash, agent_id, openid from session")
    assert len(token) >= 43 and bytes(row.token_hash) == hash_of(token)


def test_a_session_ends_when_nobody_uses_it(running):
    token = open_session(running.parts, network="here").token
    moved_back(running, IDLE + timedelta(seconds=1))
    assert visitor_of(running.parts, token) is None


def test_a_session_in_use_lives_on_but_not_for_ever(running):
    token = open_session(running.parts, network="here").token
    moved_back(running, timedelta(minutes=20))
    used = visitor_of(running.parts, token)
    assert used is not None
    assert visitor_of(running.parts, token).expires_at > used.expires_at + timedelta(minutes=19)

    moved_back(running, LIFE - timedelta(minutes=25), columns=("ends_at",))
    moved_back(running, timedelta(minutes=28), columns=("expires_at",))
    assert visitor_of(running.parts, token) is not None
    row = running.one("select expires_at, ends_at from session")
    assert row.expires_at == row.ends_at


def test_a_session_that_nobody_uses_does_not_live_on_with_one_in_use(running):
    used, left = (open_session(running.parts, network="here").token for _ in range(2))
    moved_back(running, timedelta(minutes=20))

    assert visitor_of(running.parts, used) is not None

    ends = {
        bytes(row.token_hash): row.expires_at for row in rows(running, "select token_hash, expires_at from session")
    }
    assert ends[hash_of(used)] > ends[hash_of(left)] + timedelta(minutes=19)


def test_an_agents_session_is_a_working_day(running, browser, an_agent):
    browser.log_in(*an_agent)
    row = running.one("select expires_at, ends_at from session where agent_id is not null")
    assert row.expires_at == row.ends_at
    assert abs(row.ends_at - utc_now() - AGENT_LIFE) < timedelta(minutes=1)


def test_the_same_person_keeps_the_same_reference(running, district):
    token = a_token(running)
    who = {"name": district.adult.name, "id_number": district.adult.id_number, "network": "here", "agreed": True}
    first, _ = get_to_know(running.parts, visitor_of(running.parts, token), **who)
    again, _ = get_to_know(running.parts, visitor_of(running.parts, token), **who)
    assert first == again and visitor_of(running.parts, token).known == {first: district.adult.id}


def test_leaving_forgets_who_was_looked_up(browser, district, running):
    page = browser.look_up(district.adult.name, district.adult.id_number)
    browser.submit(page, "/leave", form="/leave")
    assert browser.get("/due").url.endswith("/login")
    assert running.one("select count(*) as n from session").n == 0


@pytest.mark.parametrize(
    "path", ["/", "/login", "/privacy", "/check", "/agent/login", "/nothing", "/api/v1/policy", "/static/page.css"]
)
def test_every_answer_carries_the_headers(running, path):
    with running.app.test_client().get(path) as answer:
        headers = answer.headers
    assert "default-src 'none'" in headers["Content-Security-Policy"]
    assert "unsafe-inline" not in headers["Content-Security-Policy"]
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert (headers.get("Cache-Control") == "no-store") is (path != "/static/page.css")


@pytest.mark.parametrize("path", ["/", "/login", "/privacy", "/check", "/agent/login", "/nothing"])
def test_no_page_has_script_or_style_inside(running, path):
    html = running.app.test_client().get(path).text
    scripts = re.findall(r"<script[^>]*>[^<]*", html)
    assert all(re.fullmatch(r'<script src="/static/[a-z]+\.js" defer>', one) for one in scripts)
    assert "style=" not in html and "<style" not in html
    assert running.parts.help_phone in html


def in_production(running, **more):
    """A client of the same system as production would run it."""
    environment = {name: value for name, value in a_production_environment().items() if not name.startswith("GATEWAY_")}
    app = create_app(Settings.from_environment(environment | more))
    app.extensions["joined"].__dict__["parts"] = running.parts
    return app.test_client()


def test_a_host_that_somebody_sent_is_believed_of_nobody(running):
    """D14: nor behind a proxy that is trusted for the address, and passes on what it does not know."""
    forged = {"X-Forwarded-Host": "evil.example", "X-Forwarded-For": "10.9.9.9"}
    for hops in ("0", "1"):
        client = in_production(running, TRUSTED_PROXIES=hops)
        with client.get("/login", base_url="https://pay.example.gov.cn", headers=forged) as answer:
            assert answer.request.host == "pay.example.gov.cn"
        with client.application.test_request_context("/", headers=forged) as context:
            assert context.request.host == "localhost"


def test_our_subdomains_speak_https_too(running):
    """D14."""
    answer = in_production(running).get("/login", base_url="https://pay.example.gov.cn")
    assert answer.headers["Strict-Transport-Security"] == "max-age=31536000; includeSubDomains"


def test_who_signs_out_leaves_no_page_behind(browser, district):
    """D14: and stays a browser that is known (D5)."""
    page = browser.look_up(district.adult.name, district.adult.id_number)

    answer = browser.session.post(browser.base + "/leave", data=page.fields("/leave"), allow_redirects=False)

    assert answer.headers["Clear-Site-Data"] == '"cache", "storage"'
    assert "session" not in browser.session.cookies and "device" in browser.session.cookies


def test_cookies_are_bound_to_the_host_outside_the_sandbox(running, district):
    client = in_production(running)
    page = client.get("/login", base_url="https://pay.example.gov.cn").text
    token = page.split('name="csrf_token" value="')[1].split('"')[0]
    form = {"csrf_token": token, "phone": a_phone()}
    answer = client.post("/login", base_url="https://pay.example.gov.cn", data=form)

    cookie = next(line for line in answer.headers.getlist("Set-Cookie") if line.startswith("__Host-session="))
    assert answer.status_code == 303
    assert {"Secure", "HttpOnly", "Path=/", "SameSite=Lax"} <= set(cookie.split("; ")) and "Domain" not in cookie


def moved_back(running, span, columns=("expires_at", "ends_at")):
    """As if the session had begun earlier."""
    with running.parts.engine.begin() as connection:
        for column in columns:
            connection.exec_driver_sql(f"update session set {column} = {column} - %s", (span,))
