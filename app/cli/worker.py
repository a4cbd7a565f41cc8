"""flask worker run: the process that tells people, asks silent gateways, and rescues what a dead worker left."""

import asyncio

from flask.cli import AppGroup
from procrastinate import App

from app.cli.parts import parts, urls
from app.jobs import jobs

worker = AppGroup("worker", help="The background process.")


@worker.command("run")
def run() -> None:
    """Work until SIGTERM; the job in hand is finished first. kill -9 is safe: every job may run twice."""
    queue = jobs(parts(), urls().app)
    asyncio.run(_work(queue))


async def _work(queue: App) -> None:
    async with queue.open_async():
        await queue.run_worker_async(
            concurrency=4,
            install_signal_handlers=True,
            fetch_job_polling_interval=0.5,
            listen_notify=False,
            delete_jobs="successful",
        )
