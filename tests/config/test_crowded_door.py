"""The real server, crowded, at its edges: who is silent takes nobody's place, who sends more than fits is told all the
same, and who waits at the door when it closes is told too."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from pathlib import Path

import pytest

from tests.builders import an_environment
from tests.config.test_crowded import APP, THREADS, spoken
from tests.config.test_gunicorn import CHECKOUT, free_port
from tests.system import eventually

ASKED = b"GET /due HTTP/1.1\r\nHost: x\r\n\r\n"


@pytest.fixture
def folder(tmp_path):
    return tmp_path


@pytest.fixture
def server(folder) -> Iterator[tuple[int, int]]:
    """Its port and the number of its process; it drains for two seconds."""
    port = free_port()
    (folder / "held.py").write_text(APP)
    settings = {"PORT": str(port), "WEB_WORKERS": "1", "WEB_THREADS": "1", "WEB_DRAIN_S": "2", "PATH": os.defpath}
    environ = an_environment(**settings) | {"PYTHONPATH": f"{CHECKOUT}:{folder}"}
    command = [sys.executable, "-m", "gunicorn", "--config", "python:config.gunicorn", "held:app"]
    with subprocess.Popen(command, env=environ, cwd=folder, stderr=subprocess.DEVNULL) as running:
        try:
            eventually(lambda: spoken(port) == 200, 60)
            yield port, running.pid
        finally:
            (folder / "go").touch()
            running.terminate()
            with suppress(subprocess.TimeoutExpired):
                running.wait(15)
            running.kill()


@pytest.fixture
def taken(server, folder):
    """Every thread holds a request, until the folder says go."""
    port, _ = server
    with ThreadPoolExecutor(THREADS) as pool:
        held = [pool.submit(spoken, port, f"/held?{place}") for place in range(THREADS)]
        try:
            eventually(lambda: len(list(folder.glob("in-*"))) == THREADS, 20)
            yield held
        finally:
            (folder / "go").touch()


def knock(port: int) -> socket.socket:
    return socket.create_connection(("127.0.0.1", port), timeout=20)


def told(line: socket.socket) -> bytes:
    """The first line of the answer; empty for who was reset."""
    with suppress(ConnectionResetError, BrokenPipeError, TimeoutError):
        return line.makefile("rb").readline()
    return b""


def worker_of(master: int) -> int:
    [child] = Path(f"/proc/{master}/task/{master}/children").read_text().split()
    return int(child)


def test_who_says_nothing_takes_nobodys_place(server):
    port, _ = server
    with ExitStack() as silent:
        for _ in range(THREADS):
            silent.enter_context(knock(port))
        assert spoken(port, "/due") == 200, "no thread works: four connections have said nothing"


def test_who_sends_more_than_fits_is_told_so(server, taken):
    port, _ = server
    with knock(port) as line:
        head = b"POST /pay HTTP/1.1\r\nHost: x\r\nContent-Length: 20000000\r\n\r\n"
        with suppress(ConnectionResetError, BrokenPipeError):
            line.sendall(head + b"x" * 20_000_000)
        assert told(line) == b"HTTP/1.1 503 Service Unavailable\r\n"


def test_a_body_that_comes_after_the_answer_resets_nobody(server, taken):
    port, _ = server
    with knock(port) as line:
        line.sendall(b"POST /pay HTTP/1.1\r\nHost: x\r\nContent-Length: 200000\r\n\r\n")
        time.sleep(0.3)
        with suppress(ConnectionResetError, BrokenPipeError):
            for _ in range(20):
                line.sendall(b"x" * 10_000)
                time.sleep(0.01)
        assert told(line) == b"HTTP/1.1 503 Service Unavailable\r\n"


def test_who_waits_at_the_door_when_it_closes_is_told_so(server, folder, taken):
    port, master = server
    worker = worker_of(master)
    os.kill(master, signal.SIGTERM)
    time.sleep(0.5)
    os.kill(worker, signal.SIGSTOP)
    with ExitStack() as waiting:
        lines = [waiting.enter_context(knock(port)) for _ in range(8)]
        for line in lines:
            line.sendall(ASKED)
        time.sleep(2.5)  # the pause is over when the worker goes on
        os.kill(worker, signal.SIGCONT)
        time.sleep(1)  # the door is closed behind them
        (folder / "go").touch()
        assert [told(line)[:8] for line in lines] == [b"HTTP/1.1"] * len(lines), "who is reset is told nothing"
    (folder / "go").touch()
    assert [each.result() for each in taken] == [200] * THREADS


def test_after_two_thousand_refusals_it_takes_connections(server, folder, taken):
    port, master = server
    before = len(list(Path(f"/proc/{worker_of(master)}/fd").iterdir()))
    assert {spoken(port, "/due") for _ in range(2000)} == {503}
    eventually(lambda: len(list(Path(f"/proc/{worker_of(master)}/fd").iterdir())) <= before, 5)
    (folder / "go").touch()
    assert [each.result() for each in taken] == [200] * THREADS
    assert spoken(port, "/due") == 200


def test_who_comes_in_pieces_is_answered_once(server, folder, taken):
    port, _ = server
    with knock(port) as line:
        line.sendall(b"GET /du")
        time.sleep(0.3)
        line.sendall(b"e HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        (folder / "go").touch()
        assert told(line).startswith(b"HTTP/1.1 ")
