"""A28–A91 where no other test stands for them: codes, enumeration, sessions, business rules, injection, resources.
docs/attacks.md has every item and the test that stands for it."""

import json
import logging
import re
from datetime import timedelta
from itertools import pairwise

import pytest
import requests
import structlog

from app.access import passwords
from app.access.roles import Role
from app.documents.proof import draw
from app.flows.due.look_up import identify
from app.flows.enter.session import Tried, WrongLogin, log_in
from app.flows.prove.papers import confirm
from app.log import set_up_logs
from app.registry.errors import NoSuchPerson
from app.registry.identity import clean_id_number, clean_name, id_number_problem, name_problem
from core.clock import utc_now
from core.redact import scrub
from core.vault import Vault
from payments.number import new_check_code, new_number
from tests.app.web.conftest import an_agent, browser, district, far_folder, running
from tests.app.web.test_agent import number_of, person_page
from tests.app.web.test_api import Api, medical, pension
from tests.app.web.test_office import PASSWORD, client_of
from tests.app.web.test_office_people import at_desk, find
from tests.app.web.test_proofs import paid, words_of
from tests.builders import NOON, an_id_number
from tests.refunding import rows
from tests.rosters import in_force
from tests.system import early_in_the_minute, eventually

__all__ = ["an_agent", "browser", "district", "far_folder", "running"]

SCRIPT = "<script>alert(1)</script>"


@pytest.fixture
def agent(browser, an_agent):
    browser.log_in(*an_agent)
    return browser


def test_a29_a_code_is_one_order_and_dead_when_it_is_paid_or_dismissed(agent, district, running):
    in_force(running)
    page = person_page(agent, district, district.adult.name)
    number = number_of(agent.submit(page, page.url, form='method="post"', act="code"))
    code = rows(running, "select checkout ->> 'code_url' as url from payment")[0].url
    running.outside.pay(code)
    eventually(lambda: rows(running, "select 1 from payment where state = 'paid'"))

    assert running.outside.pay(code).status >= 400
    assert agent.get(f"/agent/pay/{number}/paper").status == 409
    assert "缴费成功" in agent.get(f"/agent/pay/{number}").text
    assert len(rows(running, "select 1 from payment")) == 1


def test_a40_numbers_that_go_out_cannot_be_counted_up():
    numbers = [new_number(7, utc_now().date()) for _ in range(2000)]
    codes = [new_check_code() for _ in range(2000)]

    assert len(set(numbers)) == len(numbers) and len(set(codes)) == len(codes)
    for found in (numbers, codes):
        rising = sum(one < other for one, other in pairwise(found))
        assert 800 < rising < 1200, "neither rising nor falling"


def test_a42_a_stranger_costs_the_same_work_as_a_person(running, district, monkeypatch):
    """Time follows work: the index is asked once and one name is opened, whether the number exists or not."""
    opened = []
    seen = Vault.open
    monkeypatch.setattr(Vault, "open", lambda self, *args, **more: opened.append(1) or seen(self, *args, **more))

    def work(name, number):
        opened.clear()
        with pytest.raises(NoSuchPerson) as told:
            identify(running.parts, name=name, id_number=number)
        return len(opened), told.value.sentence()

    known = work("李不对", district.adult.id_number)
    unknown = work("李不对", an_id_number(sequence=555))

    assert known == unknown and known[0] > 0


@pytest.mark.parametrize("header", ["X-HTTP-Method-Override", "X-Method-Override", "X-HTTP-Method"])
def test_a48_a_method_is_what_it_is(running, district, header):
    client = client_of_clerk(running)

    answer = client.get("/office/people/", headers={header: "POST"}, query_string={"_method": "POST"})

    assert answer.status_code == 200 and "找到" not in answer.text


@pytest.mark.parametrize("method", ["TRACE", "PUT", "PATCH", "DELETE", "CONNECT", "FROB"])
def test_a48_other_methods_open_nothing(running, method):
    for path in ("/office/people/", "/agent/", "/due", "/api/v1/due"):
        assert running.app.test_client().open(path, method=method).status_code in (404, 405), path


@pytest.mark.parametrize(
    "path",
    [
        *(
            "/office/people/.",
            "/office/people/%2e%2e/people/",
            "/office//people/",
            "/OFFICE/people/",
            "/office/people%2f",
        ),
        *(
            "/office/people/;a=b",
            "/office/people/%00",
            "/static/../wsgi.py",
            "/static/%2e%2e/wsgi.py",
            "/static/..%5cwsgi.py",
        ),
    ],
)
def test_a48_a_crooked_path_gets_past_no_guard(running, district, path):
    answer = running.app.test_client().get(path)

    assert answer.status_code in (302, 303, 308, 404), answer.status_code
    assert "找人" not in answer.text and "create_app" not in answer.text


def test_a49_a_forged_forwarded_address_changes_no_counting(running, district, monkeypatch):
    """Another login each time, so that only the address is counted."""
    early_in_the_minute(20)
    monkeypatch.setattr("app.access.tally.NETWORK", ((timedelta(minutes=1), 5),))
    running.app.config["WTF_CSRF_ENABLED"] = False

    def guess(turn):
        forged = dict.fromkeys(("X-Forwarded-For", "X-Real-IP"), f"10.0.0.{turn}") | {"Forwarded": f"for=10.0.0.{turn}"}
        fields = {"login": f"agent{turn:02d}", "password": PASSWORD, "code": "000000"}
        return running.app.test_client().post("/agent/login", data=fields, headers=forged).status_code

    assert [guess(turn) for turn in range(7)] == [401] * 5 + [429] * 2


def test_a50_nobody_reads_a_district_page_by_page(running, district):
    early_in_the_minute(20)
    clerk = client_of_clerk(running)

    codes = [find(clerk, "示例", district.village).status_code for _ in range(31)]

    assert codes[:30] == [200] * 30 and codes[30] == 429


def test_a56_a_token_in_the_address_is_nothing(running, district):
    api = Api(running)
    api.look_up(district.adult)

    for name in ("token", "session", "access_token", "Authorization"):
        answer = running.app.test_client().get(f"/api/v1/due?{name}={api.token}")
        assert answer.status_code == 401


def test_a61_who_does_not_exist_is_hashed_like_who_does(running, an_agent, monkeypatch):
    checked = []
    verify = passwords._HASHER.verify
    spy = type("Spy", (), {"verify": lambda self, *args: checked.append(1) or verify(*args)})()
    monkeypatch.setattr(passwords, "_HASHER", spy)

    for login in (an_agent[0], "nobody-at-all"):
        with pytest.raises(WrongLogin):
            log_in(running.parts, Tried(login=login, password="x" * 12, code="", network="here"), former=None)

    assert len(checked) == 2


@pytest.mark.parametrize("tier", ["0", "-1", "0.5", "1e3", "NaN", "３２０", "9" * 30, "320元", " 300", "00x"])
def test_a63_a_tier_nobody_offers_is_refused_on_pages_too(running, district, browser, tier):
    browser.look_up(district.adult.name, district.adult.id_number)
    me = re.search(r'href="/sheet/([^/]+)/', browser.get("/due").html)[1]

    page = browser.get("/confirm", item=f"{me}:RES_PENSION", **{f"tier.{me}": tier})

    asked_again = "/tier?" in page.url and page.status == 200  # nothing was chosen
    assert page.status in (409, 422) or (asked_again and tier == "0")
    assert "付" not in page.text.replace("付过", "")


def test_a62_a_64_the_price_and_the_tier_are_the_servers(running, district):
    api = Api(running)
    person = api.look_up(district.adult)

    for item in (medical(person) | {"amount": 1}, medical(person) | {"personal_due": 1}, pension(person, 10000)):
        assert api.pay(item).status_code in (409, 422)
    assert api.pay(pension(person, 30000)).status_code == 201
    assert api.pay(pension(person, 50000), key="another-key").status_code in (201, 409)
    assert len(rows(running, "select 1 from payment_bill where live")) == 1


def named(running, person, name):
    with running.office.engine.begin() as connection:
        sealed = running.parts.vault.seal(name, bound_to=f"person.name:{person.id}")
        connection.exec_driver_sql("update person set name = %s where id = %s", (sealed, person.id))


def test_a74_a_name_is_never_markup(running, district, an_agent, browser):
    named(running, district.adult, f"张{SCRIPT}")
    with running.office.engine.begin() as connection:
        connection.exec_driver_sql("update village set name = %s where code = %s", (SCRIPT, district.village))
    browser.log_in(*an_agent)

    pages = [
        browser.get(f"/agent/villages/{district.village}").html,
        person_page(browser, district, "张").html,
        browser.get(f"/agent/villages/{district.village}/slips").html,
        find(client_of_clerk(running), district.adult.id_number).text,
        client_of(running, "tax-clerk").get("/office/progress/").text,
    ]

    assert all("<script>alert" not in page for page in pages)
    assert sum("&lt;script&gt;" in page for page in pages) >= 4


def test_a74_a_name_on_paper_is_only_text():
    item = {"name": "=1+1<b>", "id_masked": "3704", "levy_item": "x", "year": 2022, "tier": None, "amount": 1}
    facts = {
        **{"code": "0" * 16, "issuer": "{{7*7}}", "issued_on": "2021-11-05", "village": "${x}", "capital": "壹"},
        **{"items": [item | {"benefit_start": None}], "amount": 1, "paid_at": "2021-11-05T12:00:00+08:00"},
        **{"channel": "x", "reference": "x", "number": "", "help_phone": "1"},
    }

    said = words_of(draw(facts, title="标题", address="https://x", at=NOON))

    assert "=1+1<b>" in said and "{{7*7}}" in said and "${x}" in said


def test_a80_a_line_break_in_what_is_sent_makes_no_line_in_the_log(monkeypatch, capsys):
    forged = 'x\n{"event": "forged"}\r\u2028y'
    root = logging.getLogger()
    monkeypatch.setattr(root, "handlers", [])
    set_up_logs(logging.getLevelName(root.level))

    structlog.get_logger("web").warning("odd", said=forged)
    logging.getLogger("library").warning("odd %s", forged)

    told = [line for line in capsys.readouterr().err.splitlines() if "forged" in line]
    assert len(told) == 2
    assert all(json.loads(line)["event"] != "forged" for line in told)


def test_a81_no_header_is_made_of_what_is_sent(running, district):
    client = running.app.test_client()

    answer = client.get("/type/large?back=/check%0d%0aSet-Cookie:%20a=b")

    assert answer.status_code == 303 and answer.location == "/"
    assert not any("a=b" in value for value in answer.headers.getlist("Set-Cookie"))


def test_a84_what_is_too_large_is_not_read(running, district):
    api = Api(running)
    huge = api.client.post(
        "/api/v1/people", data=b"{" + b" " * 1_100_000, headers=api._headers() | {"Content-Type": "application/json"}
    )
    assert huge.status_code == 413
    deep = b'{"name":' + b"[" * 100_000 + b"]" * 100_000 + b"}"
    answer = api.client.post("/api/v1/people", data=deep, headers=api._headers() | {"Content-Type": "application/json"})
    assert answer.status_code in (400, 422)
    fields = "&".join(f"a{place}=1" for place in range(20_000))
    form = running.app.test_client().post(
        "/check", data=fields, headers={"Content-Type": "application/x-www-form-urlencoded"}
    )
    assert form.status_code in (400, 413)
    number = api.post("/people", {"name": "x", "id_number": "9" * 5000, "agreed": True})
    assert number.status_code == 422


@pytest.mark.parametrize("long", ["1" * 100_000, "张" * 100_000, "X" * 100_000, "·" * 100_000, " " * 100_000])
def test_a87_no_pattern_is_led_astray(long):
    """Linear patterns: a hundred thousand signs are judged before a short timer ends, however they repeat."""
    began = utc_now()
    id_number_problem(clean_id_number(long), today=began.date())
    name_problem(clean_name(long))
    scrub(long)

    assert (utc_now() - began).total_seconds() < 2


@pytest.mark.parametrize(
    "path", ["/console", "/.git/config", "/.env", "/docs", "/redoc", "/wsgi.py", "/debug", "/admin"]
)
def test_a89_there_is_no_back_door(running, path):
    assert requests.get(running.url + path, timeout=5, allow_redirects=False).status_code == 404


def client_of_clerk(running):
    return at_desk(running, Role.TAX_CLERK, "tax-clerk")


def test_a79_a_file_of_somebody_else_is_not_there(running, district):
    code = confirm(running.parts, paid(running, district.adult)).code
    api = Api(running)
    api.look_up(district.neighbour)

    for tried in (code, code.lower(), f"../{code}", f"{code}%00", "..%2f..%2fwsgi"):
        assert api.get(f"/proofs/{tried}/file").status_code == 404


def test_a53_the_same_password_over_many_logins_is_slowed_down(running, district, monkeypatch):
    early_in_the_minute(20)
    monkeypatch.setattr("app.access.tally.NETWORK", ((timedelta(minutes=1), 5),))
    running.app.config["WTF_CSRF_ENABLED"] = False

    def spray(turn):
        fields = {"login": f"agent{turn:02d}", "password": PASSWORD, "code": "000000"}
        return running.app.test_client().post("/agent/login", data=fields).status_code

    assert [spray(turn) for turn in range(7)] == [401] * 5 + [429] * 2
