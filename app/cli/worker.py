"""flask worker run: the process that tells people, asks silent gateways, and rescues what a dead worker left."""

import asyncio
import os
import signal
from contextlib import suppress
from typing import Any

import psycopg
import structlog
from flask.cli import AppGroup
from procrastinate import App
from procrastinate.exceptions import ConnectorException
from prometheus_client import start_http_server

from app.cli.parts import parts, settings, urls
from app.jobs import STOPPING, jobs
from app.log import set_up_logs
from core.elected import elected_url
from core.version import COMMIT, VERSION

worker = AppGroup("worker", help="The background process.")
WAIT_S = 3


@worker.command("run")
def run() -> None:
    """Work until SIGTERM; the job in hand is finished first. kill -9 is safe: every job may run twice."""
    set_up_logs(settings().log_level)
    if port := settings().worker_metrics_port:
        start_http_server(port, addr="127.0.0.1")
    os.environ["PGAPPNAME"] = f"worker-{os.getpid()} {VERSION}"
    structlog.get_logger("worker").info("worker", version=VERSION, commit=COMMIT)
    asyncio.run(_go_on())


async def _go_on() -> None:
    """A database that is away, or may be read only, is waited for; the worker does not end of it."""
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, _stop, asyncio.current_task())
    with suppress(asyncio.CancelledError):
        while True:
            try:
                await _work(jobs(parts(), elected_url(urls().app), pooler=settings().has_pooler))
            except (ConnectorException, psycopg.Error) as trouble:
                structlog.get_logger("worker").warning("database_away", exc_info=trouble)
            await asyncio.sleep(WAIT_S)


def _stop(working: "asyncio.Task[Any]") -> None:
    """The queue takes a cancellation for the word to finish what it has in hand; a second one it would obey at once."""
    if not STOPPING.is_set():
        STOPPING.set()
        working.cancel()


async def _work(queue: App) -> None:
    async with queue.open_async():
        await queue.run_worker_async(
            concurrency=4,
            install_signal_handlers=False,
            fetch_job_polling_interval=0.5,
            listen_notify=False,
            delete_jobs="successful",
        )
