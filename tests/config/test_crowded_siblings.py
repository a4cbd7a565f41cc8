"""Two workers at one door: while one of them has threads to spare, nobody is sent away by the other."""

import os
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

from tests.builders import an_environment
from tests.config.test_crowded import APP, THREADS, spoken
from tests.config.test_gunicorn import CHECKOUT, free_port
from tests.system import eventually


def workers_of(master: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{master}/task/{master}/children").read_text().split()]


def test_a_worker_with_every_thread_taken_sends_nobody_away_from_an_idle_one(tmp_path):
    port = free_port()
    (tmp_path / "held.py").write_text(APP)
    settings = {"PORT": str(port), "WEB_WORKERS": "2", "WEB_THREADS": "1", "WEB_DRAIN_S": "0", "PATH": os.defpath}
    environ = an_environment(**settings) | {"PYTHONPATH": f"{CHECKOUT}:{tmp_path}"}
    command = [sys.executable, "-m", "gunicorn", "--config", "python:config.gunicorn", "held:app"]
    with (
        subprocess.Popen(command, env=environ, cwd=tmp_path, stderr=subprocess.DEVNULL) as running,
        ThreadPoolExecutor(THREADS) as pool,
    ):
        try:
            eventually(lambda: spoken(port) == 200 and len(workers_of(running.pid)) == 2, 60)
            eventually(lambda: all(spoken(port) == 200 for _ in range(20)), 20)
            full, idle = workers_of(running.pid)
            os.kill(idle, signal.SIGSTOP)
            held = [pool.submit(spoken, port, f"/held?{place}") for place in range(THREADS)]
            eventually(lambda: len(list(tmp_path.glob("in-*"))) == THREADS, 20)
            os.kill(idle, signal.SIGCONT)
            os.kill(full, signal.SIGSTOP)
            assert spoken(port, "/due") == 200, "the idle one is there"
            os.kill(full, signal.SIGCONT)

            assert [spoken(port, "/due") for _ in range(60)].count(503) == 0, "half of the threads are free"

            (tmp_path / "go").touch()
            assert [each.result() for each in held] == [200] * THREADS
        finally:
            (tmp_path / "go").touch()
            running.terminate()
            with suppress(subprocess.TimeoutExpired):
                running.wait(15)
            running.kill()
