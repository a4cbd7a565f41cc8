"""How the web server runs: threads, because a request waits for a gateway; workers, because there are cores.

`gunicorn --config python:config.gunicorn wsgi:app`. Refuses to start on bad settings before anything is forked.
"""

import gc
import os
from importlib import import_module
from pathlib import Path
from typing import Any

from prometheus_client import multiprocess

from config.draining import reloading
from config.lean import begin_lean
from config.listening import gone
from config.settings import Settings, environment
from core.version import COMMIT, VERSION

begin_lean()
AHEAD = (
    "app.serving",
    "app.documents.proof",
    "xlsxwriter",
)  # the pages, and what the first paper and sheet would wait for
_settings = Settings.from_environment(environment())
_metrics = environment(None).get("PROMETHEUS_MULTIPROC_DIR")  # the library's own variable; it wants the process's

bind = f"127.0.0.1:{_settings.port}"  # a reverse proxy stands in front
worker_class = "config.draining.DrainingWorker"  # threads, and nobody lost when it stops
workers = _settings.web_workers
threads = _settings.web_threads + _settings.web_line  # who waits in line waits in a thread (app/web/door/load.py)
timeout = 30
graceful_timeout = 30
keepalive = 5
limit_request_line = 4094  # a payer coming back from a gateway brings long signed words
limit_request_fields = 64
accesslog = None  # addresses may hold a check code; the application logs its own line
errorlog = "-"
logger_class = "app.log.ServerLog"  # one JSON line, scrubbed, as everything that is said here
loglevel = _settings.log_level.lower()
control_socket_disable = True
if Path("/dev/shm").is_dir():  # noqa: S108 the worker's heartbeat must never wait for a disk
    worker_tmp_dir = "/dev/shm"  # noqa: S108


def on_starting(server: Any) -> None:
    """Figures of a process that is gone are not ours; the worker's are, which shares the folder.

    And the code is read before the door is there: who knocked while a process reads it for two seconds would wait."""
    if server.app.app_uri == "wsgi:app":
        for name in AHEAD:
            import_module(name)
    for left in Path(_metrics).glob("*_*.db") if _metrics else ():
        if not Path(f"/proc/{left.stem.rpartition('_')[2]}").exists():
            left.unlink()


def when_ready(server: Any) -> None:
    """The first line of a life says what lives."""
    server.log.info("web %s %s", VERSION, COMMIT)


def on_reload(_server: Any) -> None:
    """New processes take over at the same door."""
    reloading()


def child_exit(_server: Any, worker: Any) -> None:
    """A dead worker's gauges leave the sum, and nobody leaves anything to it."""
    gone(worker)
    if _metrics:  # without the folder the library fails here, and with it the shutdown
        multiprocess.mark_process_dead(worker.pid)


def post_fork(_server: Any, worker: Any) -> None:
    """The database shows which worker of which version holds a connection."""
    os.environ["PGAPPNAME"] = f"web-{worker.pid} {VERSION}"


def post_worker_init(worker: Any) -> None:
    """Join the parts now, so that a key nobody can use stops the server and not its first payer.

    What is loaded then stays for good: the collector need not walk through it again with every few requests."""
    if joined := getattr(worker.wsgi, "extensions", {}).get("joined"):
        _ = joined.parts
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 100)
