"""Nobody's name, number, phone or openid leaves its place: marked people go all ways through the system, and then
every byte it logged, every figure, every job and every column of the database is searched for them (INV-29, INV-30)."""

import base64
import io
import json
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from urllib.parse import quote

import psycopg
import pytest
import requests
import structlog
from sqlalchemy import text

from app.flows.enter.accounts import add_agent
from app.flows.keep.sealed import PLACES
from app.flows.pay.collect import take_word
from app.flows.pay.expire import ask_silent
from app.flows.pay.start import find_started
from app.log import set_up_logs
from config.postgres import Server
from core.clock import utc_now
from core.http import Door
from core.vault import HEAD, NONCE, TAG, Vault
from notifications.send import WAITS
from payments.gateways.base import Outcome, Word
from tests.browsing import Browser, a_token, code_in
from tests.builders import NOON, a_person, an_id_number
from tests.conftest import DATABASE
from tests.system import System, eventually, last_text

NAME, PHONE, NUMBER = "阙鹮嬛", "13900004527", an_id_number(sequence=731)
ID = re.compile(r"(?<![0-9A-Za-z])[1-9][0-9]{16}[0-9Xx](?![0-9A-Za-z])")
MOBILE = re.compile(r"(?<![0-9A-Za-z])1[3-9][0-9]{9}(?![0-9A-Za-z])")


def forms(value: str) -> set[str]:
    """One value as a log, an address, JSON or Python may write it."""
    escaped = json.dumps(value)[1:-1]
    return {value, value.lower(), escaped, quote(value), quote(value).lower(), repr(value.encode())[2:-1]}


@pytest.fixture
def said(running: System) -> Iterator[io.StringIO]:
    """All that this process logs, at DEBUG, from our own words and from every library's."""
    heard, before = io.StringIO(), sys.stderr
    sys.stderr = heard
    try:
        set_up_logs("DEBUG")
        yield heard
    finally:
        sys.stderr = before
        set_up_logs("WARNING")


@dataclass
class Marked:
    """A person who can be recognised wherever something of them turns up."""

    person: int
    openid: str

    @property
    def values(self) -> dict[str, str]:
        return {"name": NAME, "phone": PHONE, "number": NUMBER, "openid": self.openid}


@pytest.fixture
def marked(running: System) -> Marked:
    person = running.write(lambda c: a_person(c, name=NAME, id_number=NUMBER, phone=PHONE))
    return Marked(person, running.outside.post("/phone/login-code", {"phone": "marked"})["openid"])


def test_nothing_of_a_person_is_logged_counted_queued_or_stored_in_clear(
    running: System, marked: Marked, said: io.StringIO, database: Server
) -> None:
    browse(running)
    paid = pay_from_the_mini_program(running)
    pay_once_more(running, paid)
    lean_on_every_door(running)
    break_the_database(running, database)
    meet_silence(running)
    with running.parts.engine.connect() as connection:
        queued = str(connection.execute(text("select * from procrastinate_jobs")).all())
    running.tell()
    figures = requests.get(f"{running.url}/metrics", timeout=5).text

    heard = said.getvalue()
    assert '"event": "request"' in heard and "money_in_doubt" in heard and "unforeseen" in heard
    assert "callback_refused" in heard and "tell" in queued
    for what, written in {"log": heard, "figures": figures, "jobs": queued}.items():
        assert_nobody_in(written, marked, what)
    assert list(columns_with(running, marked)) == []
    known = {f"{place.table}.{name.split('.')[0]}" for place in PLACES for name in place.bound}
    assert {"person.phone", "payment.memo", "notice.phone"} <= sealed_in(running) <= known


def test_what_slips_into_a_log_is_taken_out_by_the_last_net(running: System, said: io.StringIO) -> None:
    deep = {"deep": [f"to {PHONE}", {"id": NUMBER}]}
    running.parts.alert("slipped", plain=f"{NUMBER} {PHONE}", nested=deep, raw=PHONE.encode())
    structlog.get_logger("x").warning("%s and %s", NUMBER, PHONE)
    try:
        raise ValueError(f"{NUMBER} of {PHONE}")
    except ValueError:
        structlog.get_logger("x").exception("failed")

    heard = said.getvalue()
    assert heard.count("<id>") >= 4 and heard.count("<phone>") >= 5
    assert not ID.search(heard) and not MOBILE.search(heard)
    for line in heard.splitlines():
        json.loads(line)


def browse(running: System) -> None:
    """A resident looks the marked person up and goes to the code; so does an agent, who also searches."""
    resident, agent = Browser(running.url), Browser(running.url)
    due = resident.look_up(NAME, NUMBER)
    assert f"{NAME[0]}*{NAME[2]}" in due.text
    resident.look_up(NAME, NUMBER[:17] + ("1" if NUMBER[17] != "1" else "2"))
    resident.look_up(NAME[::-1], NUMBER)
    add_agent(running.office, login="wang", name="王代办", password="correct horse battery", villages=["370404103901"])
    assert NAME in agent.log_in("wang", "correct horse battery").text + agent.get("/agent/villages/370404103901").text
    resident.close()
    agent.close()


def pay_from_the_mini_program(running: System) -> str:
    """Login code, look-up, JSAPI payment, callback; the payment's number."""
    code = running.outside.post("/phone/login-code", {"phone": "marked"})
    call = running.app.test_client()
    token = call.post("/api/v1/session", json={"code": code["code"]}).json["token"]
    bearer = {"Authorization": f"Bearer {token}"}
    assert call.post("/api/v1/session/phone", json={"phone": PHONE}, headers=bearer).status_code == 200
    proof = {"code": code_in(last_text(running.url, PHONE))}
    token = call.post("/api/v1/session/phone/confirm", json=proof, headers=bearer).json["token"]
    headers = {"Authorization": f"Bearer {token}", "Idempotency-Key": "canary-0001"}
    person = {"name": NAME, "id_number": NUMBER, "agreed": True}
    found = call.post("/api/v1/people", json=person, headers=headers).json
    items = [{"person": found["person"], "insurance": "RES_MEDICAL"}]
    started = call.post("/api/v1/payments", json={"items": items, "kind": "jsapi"}, headers=headers).json
    prepay = started["jsapi"]["package"].removeprefix("prepay_id=")
    assert running.outside.pay(prepay, code["openid"]).status == 200
    eventually(lambda: find_started(running.parts, started["number"]).state == "paid")
    return started["number"]


def pay_once_more(running: System, number: str) -> None:
    """The same payment paid a second time over there: money in doubt, somebody is alarmed, a notice is written."""
    row = running.one("select merchant, app, amount from payment where number = :n", n=number)
    word = take_word(
        running.parts,
        Outcome(
            gateway="wechat",
            number=number,
            word=Word.PAID,
            merchant=row.merchant,
            app=row.app,
            reference="4200000000again",
            amount=row.amount,
            currency="CNY",
            happened_at=NOON,
        ),
    )
    assert word == "surplus"


def lean_on_every_door(running: System) -> None:
    """What strangers send where nobody expects it: in addresses, headers, bodies, callbacks."""
    door = Door(hosts=frozenset({running.url.removeprefix("http://")}))
    everything = {"name": NAME, "id_number": NUMBER, "phone": PHONE, NUMBER: PHONE}
    body = json.dumps(everything).encode()
    headers = {"Content-Type": "application/json", "X-Odd": NUMBER, "User-Agent": f"phone {PHONE}"}
    for method, path in (
        ("POST", "/callbacks/wechat"),
        ("POST", "/callbacks/nobody"),
        ("POST", "/api/v1/people"),
        ("POST", "/api/v1/session"),
        ("POST", "/who"),
        ("GET", "/who"),
        ("POST", "/login"),
        ("POST", "/api/v1/session/phone"),
        ("DELETE", "/"),
    ):
        assert door.send(method, running.url + path, headers=headers, body=body).status < 500


def break_the_database(running: System, database: Server) -> None:
    """A look-up meets an error of the database that nobody foresaw."""
    call = running.app.test_client()
    token = a_token(running)
    admin_url = database.admin_url().replace("/postgres?", f"/{DATABASE}?")
    with psycopg.connect(admin_url, autocommit=True) as admin:
        admin.execute("revoke select on person from liangxian_app")
        try:
            answer = call.post(
                "/api/v1/people",
                json={"name": NAME, "id_number": an_id_number(sequence=733), "agreed": True},
                headers={"Authorization": f"Bearer {token}"},
            )
        finally:
            admin.execute("grant select on person to liangxian_app")
    assert answer.status_code == 500
    assert_nobody_in(answer.text, None, "error page")


def meet_silence(running: System) -> None:
    """Nobody answers a question about a payment, nor takes a notice: put off, given up, said aloud."""
    running.outside.fault("error", on="query", status=500, count=None)
    running.outside.fault("error", on="sms", status=500, count=None)
    running.ask_now()
    ask_silent(running.parts)
    running.tell()
    running.write(
        lambda c: c.execute(
            text("update notice set attempts = :tried, next_try_at = :now where rank = 1"),
            {"tried": len(WAITS), "now": utc_now() - timedelta(seconds=1)},
        )
    )
    running.tell()
    running.outside.clear()


def assert_nobody_in(written: str, marked: Marked | None, what: str) -> None:
    values = marked.values if marked else {"name": NAME, "phone": PHONE, "number": NUMBER}
    for which, value in values.items():
        for form in forms(value):
            at = written.find(form)
            assert at < 0, f"{which} in the {what}: {written[max(0, at - 300) : at + 60]!r}"
    assert ID.findall(written) == [], what
    assert MOBILE.findall(written) == [], what


def columns_with(running: System, marked: Marked) -> Iterator[str]:
    """Every column of every table that holds one of the values in clear."""
    places = text(
        "select table_name, column_name, data_type from information_schema.columns where table_schema = 'public'"
        " and data_type in ('text', 'jsonb', 'json', 'bytea', 'character varying', 'ARRAY', 'USER-DEFINED')"
    )
    looked = set()
    with running.parts.engine.connect() as connection:
        for table, column, kind in connection.execute(places).all():
            cast = "encode({}, 'escape')" if kind == "bytea" else "cast({} as text)"
            written = cast.format(f'"{column}"')
            for which, value in marked.values.items():
                raw = "position(:raw in {}) > 0".format(f'"{column}"') if kind == "bytea" else "false"
                count = connection.execute(
                    text(f'select count(*) from "{table}" where strpos({written}, :value) > 0 or {raw}'),
                    {"value": value} | ({"raw": value.encode()} if kind == "bytea" else {}),
                ).scalar_one()
                if count:
                    yield f"{table}.{column}: {which}"
            looked.add(table)
    assert {"person", "notice", "received", "payment", "procrastinate_jobs", "session", "request_key"} <= looked


def sealed_in(running: System) -> set[str]:
    """Every column that holds something which begins like a value that was sealed just now, in letters too."""
    head = running.parts.vault.head
    letters = f"AQ[E-H][A-Za-z0-9+/_-]{{{(NONCE + TAG) * 4 // 3},}}"  # how base64 writes the same beginning
    assert base64.b64encode(head + b"\0")[:3] == b"AQE"
    places = text(
        "select table_name, column_name, data_type from information_schema.columns where table_schema = 'public'"
        " and data_type in ('text', 'jsonb', 'json', 'bytea')"
    )
    found = set()
    with running.parts.engine.connect() as connection:
        for table, column, kind in connection.execute(places).all():
            like = f'cast("{column}" as text) ~ :letters'
            if kind == "bytea":
                like = f'substr("{column}", 1, 2) = :head and length("{column}") >= {HEAD + NONCE + TAG}'
            values = {"head": head} if kind == "bytea" else {"letters": letters}
            if connection.execute(text(f'select count(*) from "{table}" where {like}'), values).scalar_one():
                found.add(f"{table}.{column}")
    return found


def test_the_search_finds_what_is_there(running: System, marked: Marked) -> None:
    running.write(lambda c: c.execute(text("update household set number = :n"), {"n": f"x{NUMBER}x"}))
    running.write(lambda c: c.execute(text("update person set digest = :d"), {"d": f"..{NAME}".encode()}))

    assert set(columns_with(running, marked)) == {"household.number: number", "person.digest: name"}
    for form in forms(NAME):
        with pytest.raises(AssertionError):
            assert_nobody_in(f"… {form} …", marked, "log")


def test_only_the_vault_reads_them_back(running: System, marked: Marked, vault: Vault) -> None:
    row = running.one("select id, id_number, name, phone from person where id = :p", p=marked.person)

    for column, value in (("id_number", NUMBER), ("name", NAME), ("phone", PHONE)):
        assert vault.open(getattr(row, column), bound_to=f"person.{column}:{row.id}") == value
