"""Workers at a door: while one of them has threads to spare, nobody is sent away by the other; who waits at the door
while it closes is heard."""

import os
import signal
import time
from concurrent.futures import ThreadPoolExecutor

from tests.config.test_crowded import THREADS, knock, serving, spoken, told, workers_of
from tests.system import eventually


def each_serves(port: int, master: int) -> None:
    """Two workers, both of them through with what they read at their start."""
    one, other = workers_of(master)
    for stopped in (one, other):
        os.kill(stopped, signal.SIGSTOP)
        assert spoken(port, "/due") == 200
        os.kill(stopped, signal.SIGCONT)


def test_a_worker_with_every_thread_taken_sends_nobody_away_from_an_idle_one(tmp_path):
    with serving(tmp_path, WEB_WORKERS="2", WEB_DRAIN_S="0") as (port, master), ThreadPoolExecutor(THREADS) as pool:
        each_serves(port, master)
        full, idle = workers_of(master)
        os.kill(idle, signal.SIGSTOP)
        held = [pool.submit(spoken, port, f"/held?{place}") for place in range(THREADS)]
        eventually(lambda: len(list(tmp_path.glob("in-*"))) == THREADS, 20)
        os.kill(idle, signal.SIGCONT)
        os.kill(full, signal.SIGSTOP)
        assert spoken(port, "/due") == 200, "the idle one is there"
        os.kill(full, signal.SIGCONT)
        assert [spoken(port, "/due") for _ in range(60)] == [200] * 60
        (tmp_path / "go").touch()
        assert [each.result() for each in held] == [200] * THREADS


def test_a_worker_that_was_killed_has_no_room(tmp_path):
    with serving(tmp_path, WEB_WORKERS="2", WEB_DRAIN_S="0") as (port, master), ThreadPoolExecutor(4 * THREADS) as pool:
        each_serves(port, master)
        killed, _ = workers_of(master)
        os.kill(killed, signal.SIGKILL)
        eventually(lambda: len(workers_of(master)) == 2 and killed not in workers_of(master), 20)
        each_serves(port, master)
        # More than both can hold: who was taken in before he spoke waits where he is.
        held = [pool.submit(spoken, port, f"/held?{place}") for place in range(4 * THREADS)]
        eventually(lambda: len(list(tmp_path.glob("in-*"))) == 2 * THREADS, 20)
        assert spoken(port, "/due") == 503, "both are full, and nobody waits for a third"
        (tmp_path / "go").touch()
        answered = [each.result() for each in held]
        assert set(answered) <= {200, 503} and answered.count(200) >= 2 * THREADS


def test_who_waits_at_the_door_while_it_closes_is_heard(tmp_path):
    with serving(tmp_path, WEB_WORKERS="1", WEB_DRAIN_S="2") as (port, master), ThreadPoolExecutor(THREADS) as pool:
        held = [pool.submit(spoken, port, f"/held?{place}") for place in range(THREADS)]
        eventually(lambda: len(list(tmp_path.glob("in-*"))) == THREADS, 20)
        [worker] = workers_of(master)
        os.kill(master, signal.SIGTERM)
        time.sleep(0.5)
        os.kill(worker, signal.SIGSTOP)
        lines = [knock(port) for _ in range(8)]
        for line in lines:
            line.sendall(b"GET /due HTTP/1.1\r\nHost: x\r\n\r\n")
        time.sleep(2.5)  # the pause is over when the worker goes on
        os.kill(worker, signal.SIGCONT)
        time.sleep(1)  # the door is closed behind them
        (tmp_path / "go").touch()
        for line in lines:
            with line:
                assert told(line).startswith(b"HTTP/1.1 "), "who is reset is told nothing"
        assert [each.result() for each in held] == [200] * THREADS
