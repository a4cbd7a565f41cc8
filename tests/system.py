"""The whole system over real HTTP: our application on a loopback port, the outside world on another."""

import socket
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from threading import Thread

from flask import Flask
from sqlalchemy import Connection, text, update
from werkzeug.serving import make_server

from app.access.models import Agent, Staff
from app.access.tally import MINUTE, seconds_left
from app.flows.enter.second import code_of_now, issue_second
from app.flows.parts import Parts
from app.flows.tell.send import tell_due
from app.serving import create_app
from config.local import sandbox_keys
from config.postgres import Server
from config.settings import Settings
from core.clock import utc_now
from tests.builders import NOON, VAULT_LINES, an_environment, in_a_files_name
from tests.outside import COMPILED, Outside, outside


@dataclass(frozen=True)
class System:
    """A running system on the test database, its business clock at NOON on 5 November 2021 at the start."""

    app: Flask
    url: str
    outside: Outside
    environment: Mapping[str, str]  # what another process of this system starts with

    @property
    def parts(self) -> Parts:
        """The joined parts of the application."""
        return self.app.extensions["joined"].parts

    @property
    def office(self) -> Parts:
        """The same as the office commands have it."""
        return self.app.extensions["joined"].office

    def turn(self, moment: datetime) -> None:
        """Turn both business clocks."""
        offset = self.parts.clocks.set_to(moment)
        self.outside.post("/clock", {"offset_seconds": int(offset.total_seconds())})

    def tell(self) -> None:
        """Send what waits, as the worker would."""
        with self.parts.engine.begin() as connection:
            connection.execute(text("update notice set next_try_at = :now where rank = 0"), {"now": utc_now()})
        tell_due(self.parts)

    def ask_now(self) -> None:
        """Make every open question due."""
        with self.parts.engine.begin() as connection:
            connection.execute(
                text("update payment set next_query_at = :now where next_query_at is not null"), {"now": utc_now()}
            )

    def one(self, statement: str, **values: object) -> object:
        """One row of the database."""
        with self.parts.engine.connect() as connection:
            return connection.execute(text(statement), values).one()

    def write(self, act: Callable[[Connection], object]) -> object:
        """Prepare rows in a transaction of its own, people and accounts too."""
        with self.office.engine.begin() as connection:
            in_a_files_name(connection)
            return act(connection)


_RUNNING: dict[str, System] = {}  # by the address a browser knows


def last_text(url: str, phone: str) -> str:
    """The newest text message that the system at `url` sent to a phone."""
    found = _RUNNING[url].outside.get("/messages")["messages"]
    return [message["text"] for message in found if message["channel"] == "sms" and message["to"] == phone][-1]


def second_code(url: str, login: str) -> str:
    """What the telephone of an agent or of somebody of an office shows; one is given out if there is none yet, and
    the step counts as not used, so that a test need not wait for the next."""
    parts = _RUNNING[url].office
    for whose in (Agent, Staff):
        with parts.engine.begin() as connection:
            known = connection.execute(
                update(whose).where(whose.login == login.strip().lower()).values(second_step=0).returning(whose.second)
            ).one_or_none()
        if known is not None:
            if known.second is None:
                issue_second(parts, whose, login=login)
            return code_of_now(parts, whose, login=login)
    return "000000"


def eventually(true: Callable[[], bool], seconds: float = 5) -> None:
    """Wait for something that another thread brings about."""
    until = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < until, "it did not come about"
        time.sleep(0.02)


def early_in_the_minute(seconds: int) -> None:
    """Limits count by the minute of the clock: wait for the next one if this has fewer seconds left."""
    left = seconds_left(MINUTE, utc_now())
    if left < seconds:
        time.sleep(left)


def _wait_for_answers(running: System) -> None:
    """A callback that came last may still be answered, and holds a connection while it is."""
    until = time.monotonic() + 5
    while running.parts.engine.pool.checkedout() and time.monotonic() < until:  # type: ignore[attr-defined]
        time.sleep(0.01)


@contextmanager
def system(server: Server, database: str, folder: Path, **changed: str) -> Iterator[System]:
    """Start both sides; both end with the block. `changed` variables win."""
    offset = int((NOON - utc_now()) / timedelta(seconds=1))
    with (
        outside(folder, notify_factor=0.01, offset_seconds=offset) as far,
        socket.create_server(("127.0.0.1", 0)) as held,  # ours at once: who looks for a free port first may lose it
    ):
        port = held.getsockname()[1]
        environment = an_environment(
            DATABASE_URL=server.app_url(database),
            DATABASE_OFFICE_URL=server.office_url(database),
            DATABASE_OWNER_URL=server.owner_url(database),
            PORT=str(port),
            SANDBOX_PORT=far.url.rpartition(":")[2],
            MINIPROGRAM_BASE_URL=far.url,
            MINIPROGRAM_TEMPLATES="paid:sandbox-paid",
            SMS_PROVIDER="sandbox",
            SMS_URL=far.url,
            LOG_LEVEL="WARNING",
            **VAULT_LINES,
        ) | dict(sandbox_keys(folder, base_url=far.url))
        environment |= changed
        app = create_app(Settings.from_environment(environment))
        app.jinja_env.bytecode_cache = COMPILED
        running = System(app, f"http://127.0.0.1:{port}", far, environment)
        running.parts.clocks.set_to(NOON)
        http = make_server("127.0.0.1", port, app, threaded=True, fd=held.fileno())
        thread = Thread(target=http.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        _RUNNING[running.url] = running
        try:
            yield running
        finally:
            del _RUNNING[running.url]
            http.shutdown()
            thread.join()
            http.server_close()
            _wait_for_answers(running)
            running.parts.engine.dispose()
            running.office.engine.dispose()
