"""F7: requests that never end stop no process: nothing more is read of them after a while, proxy or not."""

import socket
import threading
from pathlib import Path

import pytest

from tests.config.test_gunicorn import free_port
from tests.faults.test_restart import ask, serving

HEAD = b"GET / HTTP/1.1\r\nHost: here\r\nX-Never: "
BODY = b"POST / HTTP/1.1\r\nHost: here\r\nContent-Length: 1000\r\n\r\nhalf"


@pytest.mark.parametrize("half", [HEAD, BODY], ids=["head", "body"])
@pytest.mark.parametrize("drips", [False, True], ids=["silent", "dripping"])
def test_more_unfinished_requests_than_threads_stop_nobody_for_long(tmp_path: Path, half: bytes, drips: bool) -> None:
    port, held, over = free_port(), [], threading.Event()
    with serving(tmp_path, port) as running:  # two processes of eight threads
        for _ in range(24):
            line = socket.create_connection(("127.0.0.1", port))
            line.sendall(half)
            held.append(line)
        dripping = threading.Thread(target=_drip, args=(held if drips else [], over))
        dripping.start()
        answer = ask(port, "/")  # it waits twenty seconds, the server ten for the rest of a request
        over.set()
        dripping.join()
        for line in held:
            line.close()

        assert answer == 200 and running.poll() is None


def _drip(lines: list[socket.socket], over: threading.Event) -> None:
    """A letter a second, which a time-out between two letters would never notice."""
    while not over.wait(1):
        for line in lines:
            try:
                line.sendall(b"x")
            except OSError:
                continue
