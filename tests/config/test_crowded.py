"""The real server with every thread taken: who would wait behind them is told so at once, whom we must hear is not, and
who has not spoken yet loses nothing."""

import http.client
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import pytest

from tests.builders import an_environment
from tests.config.test_gunicorn import CHECKOUT, free_port
from tests.system import eventually

THREADS = 4  # one that works, three that wait in line
APP = """
from pathlib import Path
from time import sleep
from types import SimpleNamespace

from app.web.door.full import Full

HERE = Path(__file__).parent


class App:
    extensions = {"standing": SimpleNamespace(draining=False), "full": Full(frozenset({"/callbacks/", "/livez"}))}

    def __call__(self, environ, start_response):
        environ["wsgi.input"].read()
        if environ["PATH_INFO"] == "/held":
            (HERE / f"in-{environ['QUERY_STRING']}").touch()
            while not (HERE / "go").exists():
                sleep(0.01)
        start_response("200 OK", [("Content-Length", "4")])
        return [b"here"]


app = App()
"""


def workers_of(master: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{master}/task/{master}/children").read_text().split()]


@contextmanager
def serving(folder: Path, **settings: str) -> Iterator[tuple[int, int]]:
    """The door's port and the number of the master."""
    port = free_port()
    (folder / "held.py").write_text(APP)
    environ = an_environment(PORT=str(port), WEB_THREADS="1", PATH=os.defpath, **settings)
    environ |= {"PYTHONPATH": f"{CHECKOUT}:{folder}"}
    command = [sys.executable, "-m", "gunicorn", "--config", "python:config.gunicorn", "held:app"]
    with subprocess.Popen(command, env=environ, cwd=folder, stderr=subprocess.DEVNULL) as running:
        try:
            eventually(lambda: spoken(port) == 200 and len(workers_of(running.pid)) == int(settings["WEB_WORKERS"]), 60)
            yield port, running.pid
        finally:
            (folder / "go").touch()
            running.terminate()
            with suppress(subprocess.TimeoutExpired):
                running.wait(15)
            running.kill()


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("crowded")


@pytest.fixture(scope="module")
def server(folder) -> Iterator[tuple[int, int]]:
    with serving(folder, WEB_WORKERS="1", WEB_DRAIN_S="0") as held:
        yield held


@pytest.fixture
def port(server) -> int:
    return server[0]


@pytest.fixture
def taken(port, folder):
    """Every thread holds a request, until the folder says go."""
    (folder / "go").unlink(missing_ok=True)
    for left in folder.glob("in-*"):
        left.unlink()
    with ThreadPoolExecutor(THREADS) as pool:
        held = [pool.submit(spoken, port, f"/held?{place}") for place in range(THREADS)]
        try:
            eventually(lambda: len(list(folder.glob("in-*"))) == THREADS, 20)
            yield held
        finally:
            (folder / "go").touch()


def spoken(port: int, path: str = "/livez", *, method: str = "GET", body: bytes | None = None) -> int:
    """The status; 0 while nobody listens."""
    line = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        line.request(method, path, body)
        answer = line.getresponse()
        answer.read()
        return answer.status
    except ConnectionRefusedError:
        return 0
    finally:
        line.close()


def knock(port: int) -> socket.socket:
    return socket.create_connection(("127.0.0.1", port), timeout=20)


def told(line: socket.socket) -> bytes:
    """The first line of the answer."""
    return line.makefile("rb").readline()


def test_who_would_wait_behind_every_thread_is_sent_away(port, folder, taken):
    assert spoken(port, "/due") == 503
    with knock(port) as line:
        line.sendall(b"POST /pay HTTP/1.1\r\nHost: x\r\nContent-Length: 3000\r\n\r\n" + b"x" * 3000)
        assert told(line) == b"HTTP/1.1 503 Service Unavailable\r\n"  # its body is read, or the answer were lost
    (folder / "go").touch()
    assert [each.result() for each in taken] == [200] * THREADS
    assert spoken(port, "/due") == 200


def test_whom_we_must_hear_waits_for_a_thread(port, folder, taken):
    with ThreadPoolExecutor(1) as pool:
        callback = pool.submit(spoken, port, "/callbacks/wechat", method="POST", body=b"{}")
        assert spoken(port, "/due") == 503
        assert not callback.done()
        (folder / "go").touch()
        assert callback.result() == 200


@pytest.mark.parametrize("body", [20_000_000, 20_000])
def test_who_has_not_said_all_of_it_waits_for_a_thread(port, folder, taken, body):
    """Told at once, he would be reset while he speaks, and hear nothing."""
    with knock(port) as line, ThreadPoolExecutor(1) as pool:
        line.sendall(f"POST /pay HTTP/1.1\r\nHost: x\r\nContent-Length: {body}\r\n\r\n".encode())
        assert spoken(port, "/due") == 503
        rest = pool.submit(line.sendall, b"x" * body)
        (folder / "go").touch()
        assert told(line) == b"HTTP/1.1 200 OK\r\n"
        rest.result()


def test_who_says_nothing_takes_nobodys_place_and_loses_nothing(port, folder):
    with ExitStack() as open_lines:
        silent = [open_lines.enter_context(knock(port)) for _ in range(2 * THREADS)]
        gone = open_lines.enter_context(knock(port))
        gone.shutdown(socket.SHUT_WR)
        assert spoken(port, "/due") == 200
        assert gone.recv(1) == b""
        for line in silent:
            with line:  # who is answered hangs up, or the server waits for it
                line.sendall(b"GET /due HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
                assert told(line) == b"HTTP/1.1 200 OK\r\n"


def test_refusals_leave_nothing_behind(server, taken):
    port, master = server
    [worker] = workers_of(master)
    before = len(list(Path(f"/proc/{worker}/fd").iterdir()))
    assert {spoken(port, "/due") for _ in range(500)} == {503}
    eventually(lambda: len(list(Path(f"/proc/{worker}/fd").iterdir())) <= before)


def test_a_kept_connection_is_sent_away_too_and_ends(port, folder):
    (folder / "go").touch()
    line = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    line.request("GET", "/due")
    assert line.getresponse().read() == b"here"
    (folder / "go").unlink()
    with ThreadPoolExecutor(THREADS) as pool:
        for left in folder.glob("in-*"):
            left.unlink()
        held = [pool.submit(spoken, port, f"/held?{place}") for place in range(THREADS)]
        try:
            eventually(lambda: len(list(folder.glob("in-*"))) == THREADS, 20)
            line.request("GET", "/due")
            answer = line.getresponse()
            assert (answer.status, answer.getheader("Connection")) == (503, "close")
        finally:
            (folder / "go").touch()
        assert [each.result() for each in held] == [200] * THREADS
