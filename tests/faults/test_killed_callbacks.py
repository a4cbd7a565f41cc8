"""A web process killed at every statement of the callback path loses nothing and doubles nothing, judged by the
gateway's own list of what was paid.

Each round: a payment is paid on the far side; the callback's process is held at one gate, killed with SIGKILL, and
the gate opened; the far side repeats, another process answers. `--rounds N` goes round all gates until N are done.
"""

import os
import signal
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import text

from app.cli.stack import NotUp, Stack, free_port
from app.flows.parts import Parts
from app.flows.pay.start import Payer, Want, find_started, start_payment
from app.policy.facts import Insurance
from app.serving import create_app
from config.local import sandbox_keys
from config.postgres import Server, create_database, drop_database
from config.settings import Settings
from core.clock import utc_now
from core.http import Door
from migrations.upgrade import upgrade
from payments.gateways.base import Kind
from tests.builders import DEPARTMENTS, NOON, VAULT_LINES, a_household, a_person, an_environment, an_id_number
from tests.outside import Outside

DATABASE = "liangxian_faults"
TABLES = {
    "entry": "insert",
    "posting": "insert",
    "bill": "update",
    "payment": "update",
    "payment_bill": "update",
    "notice": "insert",
    "received": "insert",
    "procrastinate_jobs": "insert",
    "procrastinate_events": "insert",
}
AT_COMMIT = "at_commit"  # deferred: held while the database commits
IN_PYTHON = ("before_statement", "after_commit")
GATES = (*TABLES, AT_COMMIT, *IN_PYTHON)
PATIENCE_S = 120  # a killed process comes back in two seconds on an idle machine, and in thirty beside others
LOCKS = {name: 4200 + place for place, name in enumerate((*TABLES, AT_COMMIT))}


@dataclass
class Rig:
    """A running stack, the far side, a hand on the database and on the gates."""

    parts: Parts
    outside: Outside
    admin: psycopg.Connection
    folder: Path
    stack: Stack
    office: Parts

    def hold(self, gate: str) -> None:
        if gate in LOCKS:
            self.admin.execute("select pg_advisory_lock(%s)", (LOCKS[gate],))
        else:
            (self.folder / gate).touch()

    def open(self, gate: str) -> None:
        if gate in LOCKS:
            self.admin.execute("select pg_advisory_unlock(%s)", (LOCKS[gate],))
        else:
            for file in self.folder.glob(f"{gate}*"):
                file.unlink()

    def start_again(self) -> None:
        """As whoever supervises the web server does, until it has its port."""
        for _ in range(20):
            self.stack.start_web()
            with suppress(NotUp):
                return self.stack.wait_for(f"{self.parts.public_url}/readyz", "web")
            time.sleep(0.5)
        raise AssertionError("the web server did not come back")

    def ready(self) -> None:
        """Somebody is there again for the far side: with nobody at the door its repetitions soon lie minutes apart."""
        self.stack.wait_for(f"{self.parts.public_url}/readyz", "web")

    def held(self, gate: str) -> int | None:
        """The web process that waits at the gate."""
        if gate in LOCKS:
            row = self.admin.execute(
                "select substring(a.application_name from 'web-([0-9]+)')::int from pg_locks l"
                " join pg_stat_activity a using (pid) where l.locktype = 'advisory' and not l.granted"
            ).fetchone()
            return row[0] if row else None
        file = self.folder / f"{gate}.held"
        return int(file.read_text() or 0) or None if file.exists() else None


@pytest.fixture(scope="module")
def rig(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    folder = tmp_path_factory.mktemp("gates")
    create_database(server, DATABASE)
    upgrade(server.owner_url(DATABASE), departments=DEPARTMENTS)
    port, far_port = free_port(), free_port()
    far = f"http://127.0.0.1:{far_port}"
    environment = an_environment(
        DATABASE_URL=server.app_url(DATABASE),
        DATABASE_OFFICE_URL=server.office_url(DATABASE),
        DATABASE_OWNER_URL=server.owner_url(DATABASE),
        PORT=str(port),
        SANDBOX_PORT=str(far_port),
        WEB_WORKERS="3",
        WEB_THREADS="4",
        LOG_LEVEL="WARNING",
        **VAULT_LINES,
    ) | dict(sandbox_keys(folder / "outside", base_url=far))
    joined = create_app(Settings.from_environment(environment)).extensions["joined"]
    parts = joined.parts
    parts.clocks.set_to(NOON)
    stack = Stack({**os.environ, **environment, "GATES": str(folder)}, port, far_port, folder / "outside", 0.02)
    stack.application = "tests.faults.wsgi:app"
    admin = psycopg.connect(server.admin_url().replace("/postgres?", f"/{DATABASE}?"), autocommit=True)
    for gate, lock in LOCKS.items():
        admin.execute(
            f"create function hold_{gate}() returns trigger language plpgsql as $$ begin"
            f" perform pg_advisory_lock_shared({lock}); perform pg_advisory_unlock_shared({lock}); return null; end $$"
        )
    for table, verb in TABLES.items():
        admin.execute(
            f"create trigger a_gate before {verb} on {table} for each statement execute function hold_{table}()"
        )
    admin.execute(
        "create constraint trigger z_gate after insert on entry deferrable initially deferred"
        f" for each row execute function hold_{AT_COMMIT}()"
    )
    try:
        stack.start_sandbox(offset_seconds=int((NOON - utc_now()) / timedelta(seconds=1)))
        stack.start_web()
        stack.wait_for(f"{far}/healthz", "sandbox")
        stack.wait_for(f"http://127.0.0.1:{port}/readyz", "web")
        yield Rig(
            parts,
            Outside(far, None, Door(hosts=frozenset({f"127.0.0.1:{far_port}"}))),
            admin,
            folder,
            stack,
            joined.office,
        )
    finally:
        stack.stop()
        parts.engine.dispose()
        joined.office.engine.dispose()
        admin.close()
        drop_database(server, DATABASE)


def test_a_process_killed_at_every_statement_loses_and_doubles_nothing(rig: Rig, rounds: int) -> None:
    numbers, killed = [], []
    for place in range(max(rounds, len(GATES))):
        gate = GATES[place % len(GATES)]
        rig.ready()
        started = a_payment(rig, place)
        rig.hold(gate)
        rig.outside.pay(started.checkout.code_url)
        killed.append(kill_at(rig, gate))
        rig.open(gate)
        numbers.append(started.number)
        wait_until_paid(rig, started.number)

    assert all(killed), "every gate held a process"
    assert_books_equal_the_far_sides_list(rig, numbers)


def test_the_whole_web_server_killed_under_load_loses_and_doubles_nothing(rig: Rig) -> None:
    started = [a_payment(rig, place) for place in range(5000, 5040)]
    crowd = ThreadPoolExecutor(8)
    paying = [crowd.submit(rig.outside.pay, one.checkout.code_url) for one in started]

    while not any(one.done() for one in paying):
        time.sleep(0.001)
    os.killpg(rig.stack.running["web"].pid, signal.SIGKILL)  # its workers with it: an orphan would keep the port
    rig.stack.running["web"].wait()
    rig.start_again()  # whoever supervises it starts it again, and it takes the port
    crowd.shutdown()

    for one in started:
        wait_until_paid(rig, one.number)
    with rig.parts.engine.connect() as connection:
        notices = connection.execute(
            text("select count(*) from notice where cause = any(:causes)"),
            {"causes": [f"payment:{one.number}:paid" for one in started]},
        ).scalar_one()
    assert notices == 40


def a_payment(rig: Rig, place: int):
    with rig.office.engine.begin() as connection:
        person = a_person(
            connection,
            id_number=an_id_number(sequence=place % 900 + 1),
            household=a_household(connection, number=f"{place:05d}"),
            phone=None,
        )
    want = Want(person, Insurance.RES_MEDICAL)
    return start_payment(
        rig.parts, [want], Payer("resident", "self", "wechat", Kind.NATIVE), request_key=f"key-{place:05d}"
    )


def kill_at(rig: Rig, gate: str) -> int:
    until = time.monotonic() + PATIENCE_S
    while time.monotonic() < until:
        if process := rig.held(gate):
            os.kill(process, signal.SIGKILL)
            return process
        time.sleep(0.005)
    pytest.fail(f"nobody came to the gate {gate}")


def wait_until_paid(rig: Rig, number: str) -> None:
    until = time.monotonic() + PATIENCE_S
    while find_started(rig.parts, number).state != "paid":
        assert time.monotonic() < until, f"{number} was not booked after the kill"
        time.sleep(0.01)


def assert_books_equal_the_far_sides_list(rig: Rig, numbers: list[str]) -> None:
    theirs = {trade["number"]: trade["amount"] for trade in rig.outside.get("/trades")["trades"]}
    with rig.parts.engine.connect() as connection:
        rows = connection.execute(
            text(
                "select p.number, sum(g.amount)::bigint as booked, count(distinct e.cause) as entries from payment p"
                " join entry e on e.cause = 'receipt:wechat:' || p.reference"
                " join posting g on g.cause = e.cause and g.account = 'clearing:wechat' group by p.number"
            )
        ).all()
        notices = dict(connection.execute(text("select cause, count(*) from notice group by cause")).all())
        jobs = connection.execute(
            text("select sum(jsonb_array_length(args->'notices')) from procrastinate_jobs")
        ).scalar_one()
        unbalanced = connection.execute(text("select count(*) from posting having sum(amount) <> 0")).all()
    assert {row.number: row.booked for row in rows} == theirs
    assert all(row.entries == 1 for row in rows)
    assert sorted(theirs) == sorted(numbers)
    assert notices == {f"payment:{number}:paid": 1 for number in numbers}
    assert jobs == len(numbers)
    assert unbalanced == []
