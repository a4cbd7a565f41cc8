"""D2: a database that may be read only, as a standby is while another one takes over: looking up goes on, every act is
told to come again, the process says that it is not ready, and the worker waits."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest
from flask import render_template_string
from sqlalchemy import text

from config.postgres import Server
from config.settings import CHECKOUT
from tests.browsing import a_token
from tests.conftest import DATABASE
from tests.faults.test_lost_database import end_all_connections
from tests.system import System, eventually


@pytest.fixture
def read_only(database: Server) -> Iterator[Callable[[bool], None]]:
    """Turns the database: new sessions may read only, old ones end."""

    def turn(on: bool) -> None:
        with psycopg.connect(database.admin_url(), autocommit=True) as admin:
            admin.execute(f"alter database {DATABASE} set default_transaction_read_only = {'on' if on else 'off'}")
        end_all_connections(database)

    yield turn
    turn(False)


def test_acts_are_told_to_come_again_and_the_process_is_not_ready(
    running: System, read_only: Callable[[bool], None]
) -> None:
    client = running.app.test_client()
    standing = running.app.extensions["standing"]
    ready = client.get("/readyz")
    assert ready.status_code == 200, ready.json

    read_only(True)
    running.parts.engine.dispose()
    standing._looked_at = -9.0
    not_ready = client.get("/readyz")
    act = client.get("/check?code=ABCD1234")
    look = client.get("/")

    assert (not_ready.status_code, not_ready.json["writable"], not_ready.json["schema"]) == (503, False, True)
    assert (act.status_code, act.headers["Retry-After"]) == (503, "60") and "只能查询" in act.text
    assert look.status_code == 200
    with running.app.test_request_context("/"):
        assert render_template_string("{{ writable() }}") == "False", "a page can ask, and offers no payment"

    read_only(False)
    running.parts.engine.dispose()
    standing._looked_at = -9.0
    assert client.get("/readyz").status_code == 200
    assert client.get("/check?code=ABCD1234").status_code == 404


def test_who_was_there_before_goes_on_looking(running: System, read_only: Callable[[bool], None]) -> None:
    """Once a minute a session is written to; where it cannot be, nobody is turned away for it."""
    client = running.app.test_client()
    client.set_cookie("session", a_token(running))
    with running.parts.engine.begin() as connection:
        connection.execute(text("update session set expires_at = expires_at - interval '5 minutes'"))

    read_only(True)
    running.parts.engine.dispose()
    look = client.get("/me")

    assert look.status_code == 200, look.text


def test_the_worker_waits_and_goes_on(running: System, read_only: Callable[[bool], None], tmp_path: Path) -> None:
    log = tmp_path / "worker.log"
    with log.open("ab") as out:
        worker = subprocess.Popen(
            [sys.executable, "-m", "app", "worker", "run"],
            cwd=CHECKOUT,
            env={**os.environ, **running.environment},
            stdout=out,
            stderr=out,
        )
    try:
        eventually(lambda: beats(running) > 0, 60)
        read_only(True)
        running.parts.engine.dispose()
        eventually(lambda: "database_away" in log.read_text(), 60)
        assert worker.poll() is None
        read_only(False)
        running.parts.engine.dispose()
        before = jobs(running)
        eventually(lambda: jobs(running) > before, 60)
        assert worker.poll() is None
    finally:
        worker.terminate()
        assert worker.wait(20) == 0, log.read_text()
    running.write(lambda c: c.execute(text("delete from procrastinate_workers")))


def beats(running: System) -> int:
    return running.one("select count(*) from procrastinate_workers")[0]


def jobs(running: System) -> int:
    return running.one("select coalesce(max(id), 0) from procrastinate_jobs")[0]
