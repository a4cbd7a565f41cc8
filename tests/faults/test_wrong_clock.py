"""A machine whose clock is an hour wrong: genuine callbacks are refused, which wakes somebody, and booked as soon as it
is put right, because the gateway says them again."""

import json
from pathlib import Path

import requests

from config.postgres import Server
from config.settings import CHECKOUT
from tests.config.test_gunicorn import free_port
from tests.conftest import DATABASE
from tests.migrations.test_side_by_side import GUNICORN, Both, Visitor, process, ready
from tests.system import eventually, system

WRONG = (*GUNICORN[:-1], "tests.faults.wsgi_wrong:app")


def test_a_callback_that_a_wrong_clock_refuses_is_booked_when_the_clock_is_right(
    database: Server, engine: object, tmp_path: Path
) -> None:
    port, log = free_port(), tmp_path / "web.log"
    theirs = f"http://127.0.0.1:{port}"
    with system(database, DATABASE, tmp_path / "outside", PUBLIC_URL=theirs) as ours:
        environ = dict(ours.environment) | {"WEB_WORKERS": "1", "PORT": str(port)}
        visitor = Visitor(ours.url)
        visitor.comes(ours.url)
        started = visitor.begins(ours.url, *Both(ours, theirs).somebody(), "wechat")
        with process(CHECKOUT, WRONG, environ, log):
            eventually(lambda: ready(theirs), 60)
            ours.outside.pay(started["code_url"])
            assert ours.outside.callback_statuses(started["number"], 1, 10)[:1] == [401]
        state = requests.get(
            f"{ours.url}/api/v1/payments/{started['number']}", headers=visitor.headers, timeout=9
        ).json()
        assert state["state"] in ("waiting", "checking"), "nobody is told that it failed"
        with process(CHECKOUT, GUNICORN, environ, log):
            eventually(lambda: ready(theirs), 60)
            paid = f"{ours.url}/api/v1/payments/{started['number']}"
            eventually(lambda: visitor.call("GET", paid)["state"] == "paid", 60)

    said = [json.loads(line) for line in log.read_text().splitlines() if line.startswith("{")]
    refused = [line for line in said if line["event"] == "callback_refused"]
    assert refused and "too far from our clock" in refused[0]["verdict"]
