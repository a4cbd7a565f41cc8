"""flask worker run: the process that tells people, asks silent gateways, and rescues what a dead worker left."""

import asyncio
import signal
from contextlib import suppress

import psycopg
import structlog
from flask.cli import AppGroup
from procrastinate import App
from procrastinate.exceptions import ConnectorException

from app.cli.parts import parts, settings, urls
from app.jobs import jobs

worker = AppGroup("worker", help="The background process.")
WAIT_S = 3


@worker.command("run")
def run() -> None:
    """Work until SIGTERM; the job in hand is finished first. kill -9 is safe: every job may run twice."""
    asyncio.run(_go_on())


async def _go_on() -> None:
    """A database that is away, or may be read only, is waited for; the worker does not end of it."""
    told_to_stop = asyncio.Event()
    while not told_to_stop.is_set():
        try:
            return await _work(jobs(parts(), urls().app, pooler=settings().has_pooler))
        except (ConnectorException, psycopg.Error) as trouble:
            structlog.get_logger("worker").warning("database_away", exc_info=trouble)
        await _pause(told_to_stop)


async def _pause(told_to_stop: asyncio.Event) -> None:
    """A moment, or less if it is told to stop."""
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, told_to_stop.set)
    with suppress(TimeoutError):
        await asyncio.wait_for(told_to_stop.wait(), WAIT_S)
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.remove_signal_handler(number)


async def _work(queue: App) -> None:
    async with queue.open_async():
        await queue.run_worker_async(
            concurrency=4,
            install_signal_handlers=True,
            fetch_job_polling_interval=0.5,
            listen_notify=False,
            delete_jobs="successful",
        )
