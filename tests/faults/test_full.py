"""What is full: the database's connections (53300), its disk (53100), the disk of the logs (F16, F22, F23). Who acts is
told to come again, nothing is half done, and afterwards everything is made good."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
import requests

from config.postgres import Server, create_database, ensure_running, stop
from config.settings import CHECKOUT
from migrations.upgrade import upgrade
from tests.builders import DEPARTMENTS
from tests.config.test_gunicorn import free_port
from tests.conftest import DATABASE
from tests.migrations.test_side_by_side import GUNICORN, WORKER, Both, Visitor, process, ready, told
from tests.system import System, eventually, system

FULL = "liangxian_full"


def asked(url: str, *, method: str = "GET") -> tuple[int, bool]:
    """The status, and whether it says when to come again."""
    answer = requests.request(method, url, data=b"{}" if method == "POST" else None, timeout=20)
    return answer.status_code, "Retry-After" in answer.headers


def test_while_no_connection_can_be_had_everybody_is_told_to_come_again(running: System, database: Server) -> None:
    """F16: 53300, as when others hold all of them."""
    looked, called = f"{running.url}/check?code=ABCD1234", f"{running.url}/callbacks/wechat"
    with psycopg.connect(database.admin_url(), autocommit=True) as admin:
        admin.execute("alter role liangxian_app connection limit 0")
        try:
            running.parts.engine.dispose()
            running.app.extensions["standing"]._looked_at = -9.0
            with pytest.raises(psycopg.OperationalError, match="too many connections"):
                psycopg.connect(database.app_url(DATABASE))
            found = [asked(looked), asked(called, method="POST"), asked(f"{running.url}/readyz")]
            assert found == [(503, True), (503, True), (503, True)]
            assert asked(f"{running.url}/livez")[0] == 200
        finally:
            admin.execute("alter role liangxian_app connection limit -1")
    running.app.extensions["standing"]._looked_at = -9.0

    assert [asked(looked)[0], asked(called, method="POST")[0], asked(f"{running.url}/readyz")[0]] == [404, 401, 200]


def test_the_full_disk_of_the_logs_stops_no_payment(
    server: Server, database: Server, engine: object, tmp_path: Path
) -> None:
    """F23: every word that web and worker say is refused by the disk."""
    port = free_port()
    theirs = f"http://127.0.0.1:{port}"
    with system(database, DATABASE, tmp_path / "outside", PUBLIC_URL=theirs) as ours:
        environ = dict(ours.environment) | {"WEB_WORKERS": "1", "LOG_LEVEL": "INFO"}
        both = Both(ours, theirs)
        with (
            process(CHECKOUT, GUNICORN, environ | {"PORT": str(port)}, Path("/dev/full")) as web,
            process(CHECKOUT, WORKER, environ, Path("/dev/full")) as worker,
        ):
            eventually(lambda: ready(theirs), 60)
            visitor = Visitor(ours.url)
            visitor.comes(theirs)
            started = visitor.begins(theirs, *both.somebody(), "wechat")
            assert asked(f"{theirs}/callbacks/wechat", method="POST")[0] == 401, "an alert that cannot be said"
            assert ours.outside.pay(started["code_url"]).status == 200

            eventually(lambda: told(both, started["number"]), 30)
            assert (web.poll(), worker.poll()) == (None, None)
        ours.write(lambda c: c.exec_driver_sql("delete from procrastinate_workers"))


@contextmanager
def small_disk(folder: Path, megabytes: int) -> Iterator[Path]:
    """A file system of that size, or a skip."""
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m,mode=0755", "tmpfs", str(folder)]
    if os.geteuid() or subprocess.run(command, check=False, capture_output=True).returncode:
        pytest.skip("a small disk can only be made by root who may mount")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


@pytest.fixture
def on_a_small_disk(reachable: Path) -> Iterator[tuple[Server, Path]]:
    """A server of its own and the disk it is on."""
    with small_disk(reachable / "disk", 220) as disk:
        folder = disk / "postgres"
        try:
            held = ensure_running(folder, pg_bin=os.environ.get("PG_BIN"), fsync=False)
            create_database(held, FULL)
            upgrade(held.owner_url(FULL), departments=DEPARTMENTS)
            yield held, disk
        finally:
            stop(folder)


def test_a_database_whose_disk_is_full_refuses_cleanly_and_goes_on_when_there_is_room(
    on_a_small_disk: tuple[Server, Path], tmp_path: Path
) -> None:
    """F22: 53100. Who looks is answered, a callback is told to come again and does."""
    held, disk = on_a_small_disk
    assert held.data.is_relative_to(disk), "the server is on the small disk"
    with system(held, FULL, tmp_path / "outside") as ours:
        both, visitor = Both(ours, ours.url), Visitor(ours.url)
        visitor.comes(ours.url)
        name, number = both.somebody()
        started = visitor.begins(ours.url, name, number, "wechat")
        waiting = both.somebody()
        with psycopg.connect(held.admin_url(), autocommit=True) as admin:
            admin.execute("checkpoint")
        ballast = disk / "ballast"
        with ballast.open("wb", buffering=0) as filled:
            _fill(filled)

        assert ours.outside.pay(started["code_url"]).status == 200
        eventually(lambda: ours.outside.callback_statuses(started["number"], 1)[:1] == [503], 10)
        looked = visitor.call("GET", f"{ours.url}/api/v1/payments/{started['number']}")
        assert looked["state"] in ("waiting", "checking")

        ballast.unlink()
        eventually(
            lambda: visitor.call("GET", f"{ours.url}/api/v1/payments/{started['number']}")["state"] == "paid", 20
        )
        assert visitor.begins(ours.url, *waiting, "wechat")["state"] == "waiting"
        assert ours.one("select count(*) from entry")[0] == 1


def _fill(filled: object) -> None:
    for size in (1 << 20, 4096, 1):
        try:
            while True:
                filled.write(b"x" * size)  # type: ignore[attr-defined]
        except OSError:
            continue
