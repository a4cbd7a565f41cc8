"""The worker as it is really run: what a transaction asked for is done, and a kill loses nothing."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Event, Thread

import pytest
from sqlalchemy import Connection, text

from app.flows.pay.start import Payer, Started, Want, find_started, start_payment
from app.jobs import STOPPING, _turn_by_turn
from app.jobs import jobs as queue
from app.policy.facts import Insurance
from config.settings import CHECKOUT
from core.clock import utc_now
from notifications.receipts import DELIVERED
from notifications.send import SENT, notice_of
from payments.gateways.base import Kind
from tests.builders import a_person
from tests.notifications.texts import approve, on_phone
from tests.system import System, eventually

PHONE = "13800000000"
CAUSE = "payment:W1:paid"
FIELDS = json.dumps(
    {"village": "榴园镇示例村", "names": "张*例", "items": "居民医保", "amount": "320", "check_code": "K3W9X0T2"}
)
Start = Callable[..., subprocess.Popen[bytes]]


@pytest.fixture
def worker(running: System, tmp_path: Path) -> Iterator[Start]:
    """Starts a worker and waits until it is at work; all end with the test."""
    started: list[subprocess.Popen[bytes]] = []

    def start(**changed: str) -> subprocess.Popen[bytes]:
        before = workers(running)
        with (tmp_path / "worker.log").open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "app", "worker", "run"],
                cwd=CHECKOUT,
                env={**os.environ, **running.environment, **changed},
                stdout=log,
                stderr=log,
            )
        started.append(process)
        eventually(lambda: process.poll() is None and bool(workers(running) - before), 20)
        return process

    yield start
    for process in started:
        process.terminate()
    for process in started:
        process.wait(timeout=15)
    running.write(lambda c: c.execute(text("delete from procrastinate_workers")))


def workers(running: System) -> set[int]:
    with running.parts.engine.connect() as connection:
        return set(connection.execute(text("select id from procrastinate_workers")).scalars())


def write_notice(running: System, connection: Connection, *, cause: str = CAUSE) -> None:
    """A notice and its job, as collect() writes them; the sweep for lost ones comes half a minute later."""
    phone = running.parts.vault.seal(PHONE, bound_to=f"notice.phone:{cause.rsplit(':', 1)[0]}")
    connection.execute(
        text("select enqueue_notice(7, :cause, 'paid', cast(:fields as jsonb), null, :phone, :due)"),
        {"cause": cause, "fields": FIELDS, "phone": phone, "due": utc_now() + timedelta(seconds=30)},
    )
    connection.execute(text("select defer_telling(array[7::bigint], array[:cause])"), {"cause": cause})


def paid_without_callback(running: System) -> Started:
    """A payment that was paid over there, of which nobody tells us."""
    person = running.write(a_person)
    want = Want(person, Insurance.RES_MEDICAL)
    started = start_payment(
        running.parts, [want], Payer("resident", "self", "wechat", Kind.NATIVE), request_key="key-0001"
    )
    running.outside.fault("callback_drop", started.number, count=None)
    running.outside.pay(started.checkout.code_url)
    return started


def jobs(running: System, task: str, *states: str) -> int:
    with running.parts.engine.connect() as connection:
        return connection.execute(
            text("select count(*) from procrastinate_jobs where task_name = :task and status::text = any (:states)"),
            {"task": task, "states": list(states)},
        ).scalar_one()


def rank(running: System) -> int | None:
    with running.parts.engine.connect() as connection:
        notice = notice_of(connection, 7, CAUSE)
    return notice.rank if notice else None


@contextmanager
def slow_provider() -> Iterator[tuple[str, list[str], Event]]:
    """A provider of text messages that keeps its first sender waiting; (address, keys that came, let go)."""
    keys: list[str] = []
    let_go = Event()

    class Answers(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            keys.append(json.loads(self.rfile.read(int(self.headers["Content-Length"])))["key"])
            if len(keys) == 1:
                let_go.wait(7)
            body = b'{"id": "S1"}'
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *words: object) -> None:
            """Quiet."""

        def handle(self) -> None:
            try:
                super().handle()
            except OSError:
                self.close_connection = True  # its sender was killed

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    server.daemon_threads = True
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", keys, let_go
    finally:
        let_go.set()
        server.shutdown()
        thread.join()
        server.server_close()


def test_what_a_transaction_asked_for_is_told_within_seconds_and_a_rollback_asks_for_nothing(
    running: System, worker: Start, tmp_path: Path
) -> None:
    worker(LOG_LEVEL="DEBUG")
    with pytest.raises(ZeroDivisionError), running.parts.engine.begin() as connection:
        write_notice(running, connection, cause="payment:W0:paid")
        1 / 0  # noqa: B018 the transaction fails after it wrote its job

    running.write(lambda connection: write_notice(running, connection))

    eventually(lambda: rank(running) == SENT, 6)
    told = running.outside.get("/messages")["messages"]
    assert [message["key"] for message in told] == [f"7:{CAUSE}"]
    eventually(lambda: jobs(running, "tell", "todo", "doing", "failed", "succeeded") == 0)
    log = (tmp_path / "worker.log").read_text(encoding="utf-8")
    assert log and PHONE not in log


def test_a_payment_nobody_reported_is_found_by_the_clock(running: System, worker: Start) -> None:
    started = paid_without_callback(running)
    running.ask_now()

    worker()

    eventually(lambda: find_started(running.parts, started.number).state == "paid", 8)
    eventually(lambda: len(running.outside.get("/messages")["messages"]) == 1, 8)


def test_a_killed_worker_loses_nothing_and_blocks_nobody(running: System, worker: Start) -> None:
    started = paid_without_callback(running)
    running.outside.fault("silent", started.number, on="query", seconds=6)
    with slow_provider() as (url, keys, let_go):
        first = worker(SMS_URL=url)
        running.ask_now()
        running.write(lambda connection: write_notice(running, connection))
        eventually(lambda: bool(keys) and jobs(running, "ask", "doing") == 1 and jobs(running, "tell", "doing") == 1, 8)

        first.send_signal(signal.SIGKILL)
        first.wait()
        running.write(make_everything_overdue)
        worker(SMS_URL=url)

        eventually(lambda: rank(running) == SENT, 8)
        eventually(lambda: find_started(running.parts, started.number).state == "paid", 16)
        eventually(lambda: jobs(running, "tell", "doing", "failed") == 0, 16)
        assert set(keys) >= {f"7:{CAUSE}"}
        assert keys.count(f"7:{CAUSE}") == 2, "handed over again, with the same key"
        let_go.set()


def test_the_clock_turns_as_often_as_it_should(running: System) -> None:
    now = 1_636_084_981.0  # in an odd minute, at a second that is no multiple of anything
    tasks = jobs_of_the_queue(running)

    next_turns = {name: cron.get_next(float, start_time=now) - now for name, cron in tasks.items()}
    later = {name: cron.get_next(float) - cron.get_prev(float) for name, cron in tasks.items()}

    assert [name for name, wait in next_turns.items() if wait > later[name]] == []
    assert later == {
        "ask": 2,
        "tell_due": 5,
        "receipts": 5,
        "refund": 2,
        "surplus": 10,
        "entitled": 86400,
        "suspense": 3600,
        "statements": 60,
        "complaint_talk": 5,
        "complaints": 180,
        "complaint_bells": 60,
        "watch_backups": 300,
        "complaint_address": 600,
        "watch_pauses": 3600,
        "helped_rows": 3600,
        "conflicts": 3600,
        "watch_book": 60,
        "rosters": 60,
        "roster_bells": 3600,
        "cash_bells": 3600,
        "watch_whole_book": 3600,
        "watch_keys": 86400,
        "watch_last_day": 3600,
        "watch_clock": 60,
        "glass": 60,
        "retention": 86400,
        "rescue": 10,
        "sweep": 3600,
    }


def jobs_of_the_queue(running: System):
    app = queue(running.parts, running.environment["DATABASE_URL"])
    return {one.task.name: one.croniter for one in app.periodic_registry.periodic_tasks.values()}


def make_everything_overdue(connection: Connection) -> None:
    """As if a minute had passed: leases are over, and the dead worker's heart has long stopped."""
    connection.execute(text("update procrastinate_workers set last_heartbeat = now() - interval '5 minutes'"))
    connection.execute(text("update notice set next_try_at = now() where rank < 2"))
    connection.execute(text("update payment set next_query_at = now() where next_query_at is not null"))


def test_a_long_round_ends_when_the_process_is_told_to_stop() -> None:
    """F7: it is looked at after each turn; what is left is the next process's."""
    turns: list[int] = []

    def one_turn() -> int:
        turns.append(1)
        if len(turns) == 2:
            STOPPING.set()
        return 50

    try:
        _turn_by_turn("ask", one_turn, full=50)
    finally:
        STOPPING.clear()

    assert len(turns) == 2


@pytest.mark.parametrize("provider", ["aliyun", "tencent"])
def test_a_worker_killed_while_a_provider_answers_tells_nobody_twice(
    running: System, worker: Start, provider: str
) -> None:
    """These drop no repetition: the next worker asks first, and then asks until the carrier has answered."""
    approve(running.outside, provider)
    running.outside.fault("silent", PHONE, on="sms", gateway=provider, seconds=6)
    first = worker(SMS_PROVIDER=provider)
    running.write(lambda connection: write_notice(running, connection))
    running.write(make_everything_overdue)
    eventually(lambda: len(on_phone(running.outside, PHONE)) == 1, 16)

    first.send_signal(signal.SIGKILL)
    first.wait()
    running.write(make_everything_overdue)
    worker(SMS_PROVIDER=provider)

    eventually(lambda: rank(running) == SENT, 16)
    running.write(lambda connection: connection.execute(text("update notice set ask_at = now()")))
    eventually(lambda: rank(running) == DELIVERED, 16)
    assert len(on_phone(running.outside, PHONE)) == 1
