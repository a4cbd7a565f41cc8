"""D8: a database that stands still, and answers neither yes nor no, holds nobody: whoever waits is told to come again
in time, a gateway within its five seconds, and everything goes on when it moves again."""

import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Thread

import psycopg
import requests

from config.postgres import Server
from tests.system import System


@contextmanager
def frozen(server: Server) -> Iterator[None]:
    """The server's every process stops where it stands; TCP and sockets go on taking what is sent."""
    leader = int((server.data / "postmaster.pid").read_text().split()[0])
    stopped = [leader, *map(int, Path(f"/proc/{leader}/task/{leader}/children").read_text().split())]
    for pid in stopped:
        os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in reversed(stopped):
            os.kill(pid, signal.SIGCONT)


def test_nobody_waits_for_a_database_that_stands_still(running: System, database: Server) -> None:
    asked = {
        "/readyz": (4.5, 503),
        "/check?code=ABCD1234": (10.0, 503),
        "/callbacks/wechat": (5.0, 503),
        "/livez": (1.0, 200),
    }
    took: dict[str, tuple[float, int, str | None]] = {}

    def ask(path: str) -> None:
        began = time.monotonic()
        method = "POST" if "callbacks" in path else "GET"
        answer = requests.request(method, running.url + path, data=b"x", timeout=30)
        took[path] = (time.monotonic() - began, answer.status_code, answer.headers.get("Retry-After"))

    ask("/check?code=ABCD1234")  # a connection is there before
    ask("/callbacks/wechat")
    assert [status for _, status, _ in took.values()] == [404, 401]

    with frozen(database):
        running.app.extensions["standing"]._looked_at = -9.0
        threads = [Thread(target=ask, args=(path,)) for path in asked]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    for path, (most, status) in asked.items():
        seconds, answered, again = took[path]
        assert (answered, seconds < most) == (status, True), (path, took[path])
        assert (again is not None) is (status == 503)
    with psycopg.connect(database.admin_url()) as admin:
        assert admin.execute("select 1").fetchone() == (1,)
    ask("/check?code=ABCD1234")
    ask("/callbacks/wechat")
    assert [took[path][1] for path in ("/check?code=ABCD1234", "/callbacks/wechat")] == [404, 401]
