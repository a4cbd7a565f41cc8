"""The real server with every thread taken: who would wait behind them is told so at once, whom we must hear is not, and
who has not spoken yet loses nothing."""

import http.client
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

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


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("crowded")


@pytest.fixture(scope="module")
def port(folder) -> Iterator[int]:
    port = free_port()
    (folder / "held.py").write_text(APP)
    settings = {"PORT": str(port), "WEB_WORKERS": "1", "WEB_THREADS": "1", "WEB_DRAIN_S": "0", "PATH": os.defpath}
    environ = an_environment(**settings) | {"PYTHONPATH": f"{CHECKOUT}:{folder}"}
    command = [sys.executable, "-m", "gunicorn", "--config", "python:config.gunicorn", "held:app"]
    with subprocess.Popen(command, env=environ, cwd=folder, stderr=subprocess.DEVNULL) as running:
        try:
            eventually(lambda: spoken(port) == 200, 60)
            yield port
        finally:
            running.kill()


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


def test_who_would_wait_behind_every_thread_is_sent_away(port, folder, taken):
    assert spoken(port, "/due") == 503
    assert spoken(port, "/pay", method="POST", body=b"x" * 40_000) == 503  # its body is read, or the answer were lost
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


def test_a_connection_that_says_nothing_yet_is_kept(port, folder, taken):
    with (
        socket.create_connection(("127.0.0.1", port), timeout=20) as silent,
        socket.create_connection(("127.0.0.1", port), timeout=20) as gone,
    ):
        gone.shutdown(socket.SHUT_WR)
        time.sleep(0.2)  # the server has seen them both
        (folder / "go").touch()
        assert [each.result() for each in taken] == [200] * THREADS
        silent.sendall(b"GET /due HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        assert silent.makefile("rb").readline() == b"HTTP/1.1 200 OK\r\n"
        assert gone.recv(1) == b""


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
