"""D4: a restart under load loses no request: the process that is told to stop says so, goes on for a while, takes who
waits at its door, closes it, and finishes what it has in hand."""

import http.client
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.builders import an_environment
from tests.config.test_gunicorn import CHECKOUT, free_port

SLOW = """
import time
from types import SimpleNamespace


class App:
    extensions = {"standing": SimpleNamespace(draining=False)}

    def __call__(self, environ, start_response):
        environ["wsgi.input"].read()
        ready = environ["PATH_INFO"] != "/readyz" or not self.extensions["standing"].draining
        if environ["PATH_INFO"] != "/readyz":
            time.sleep(0.05)
        start_response("200 OK" if ready else "503 NOT READY", [("Content-Length", "4")])
        return [b"here"]


app = App()
"""


@contextmanager
def serving(folder: Path, port: int) -> Iterator[subprocess.Popen[bytes]]:
    (folder / "slow.py").write_text(SLOW)
    settings = {"PORT": str(port), "WEB_WORKERS": "2", "WEB_THREADS": "2", "WEB_DRAIN_S": "2", "PATH": os.defpath}
    environ = an_environment(**settings) | {"PYTHONPATH": f"{CHECKOUT}:{folder}"}
    command = [sys.executable, "-m", "gunicorn", "--config", "python:config.gunicorn", "slow:app"]
    with subprocess.Popen(command, env=environ, cwd=folder, stderr=subprocess.DEVNULL) as running:
        try:
            until = time.monotonic() + 60
            while ask(port, "/readyz") != 200:
                assert time.monotonic() < until and running.poll() is None
                time.sleep(0.1)
            yield running
        finally:
            running.kill()


def ask(port: int, path: str) -> int:
    """The status; 0 if nobody listens, -1 if the connection was lost in between."""
    line = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    try:
        line.connect()
    except ConnectionRefusedError:
        return 0
    try:
        line.request("GET", path)
        return line.getresponse().status
    except (OSError, http.client.HTTPException):
        return -1
    finally:
        line.close()


class Proxy:
    """Sends requests as long as the process says that it is ready, as a reverse proxy does; what became of each."""

    def __init__(self, port: int, clients: int) -> None:
        self.answers: list[int] = []
        self.stopped = threading.Event()
        self._port = port
        self._threads = [threading.Thread(target=self._send) for _ in range(clients)]
        self._health = threading.Thread(target=self._look)
        for thread in (*self._threads, self._health):
            thread.start()

    def _send(self) -> None:
        while not self.stopped.is_set():
            self.answers.append(ask(self._port, "/"))

    def _look(self) -> None:
        while not self.stopped.is_set():
            if ask(self._port, "/readyz") != 200:
                self.stopped.set()
            time.sleep(0.1)

    def end(self) -> None:
        self.stopped.set()
        for thread in (*self._threads, self._health):
            thread.join()


def test_a_stop_under_load_loses_no_request(tmp_path: Path) -> None:
    port = free_port()
    with serving(tmp_path, port) as running:
        proxy = Proxy(port, clients=24)  # more than all its threads: some always wait at the door
        time.sleep(1)
        running.send_signal(signal.SIGTERM)
        assert proxy.stopped.wait(2), "it says that it is not ready before it closes"
        proxy.end()
        assert running.wait(15) == 0

    assert len(proxy.answers) > 20 and set(proxy.answers) == {200}


def test_who_is_told_nothing_of_the_stop_is_answered_or_told_at_once_that_nobody_is_there(tmp_path: Path) -> None:
    """As nginx, which does not look at /readyz: it asks the next one, if nothing of the request was sent."""
    port = free_port()
    with serving(tmp_path, port) as running:
        clients = [Client(port) for _ in range(12)]
        time.sleep(0.5)
        running.send_signal(signal.SIGTERM)
        assert running.wait(15) == 0
    for client in clients:
        client.join(10)

    answers = [each for client in clients for each in client.answers]
    assert len(answers) > 100 and set(answers) == {200}, "each before the first that found nobody"


class Client(threading.Thread):
    """Asks until nobody is there."""

    def __init__(self, port: int) -> None:
        super().__init__()
        self.answers: list[int] = []
        self._port = port
        self.start()

    def run(self) -> None:
        while found := ask(self._port, "/"):
            self.answers.append(found)


def test_a_reload_under_load_loses_no_request_and_is_never_not_ready(tmp_path: Path) -> None:
    port = free_port()
    with serving(tmp_path, port) as running:
        proxy = Proxy(port, clients=8)
        for _ in range(2):
            time.sleep(1)
            running.send_signal(signal.SIGHUP)
        time.sleep(2)
        stopped_by_itself = proxy.stopped.is_set()
        proxy.end()

    assert not stopped_by_itself
    assert len(proxy.answers) > 20 and set(proxy.answers) == {200}
