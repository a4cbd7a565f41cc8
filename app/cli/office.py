"""flask office run: the process that does what offices asked for at their pages."""

import gc
import os
import signal
from collections.abc import Callable
from threading import Event
from typing import TYPE_CHECKING, cast

import psycopg
import structlog
from flask import current_app
from flask.cli import AppGroup
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from app.cli.parts import office_parts, settings, urls
from app.flows.hand_in.work import work
from app.log import set_up_logs
from app.office_jobs import KINDS
from core.db import connect
from core.version import COMMIT, VERSION

if TYPE_CHECKING:
    from app.flows.parts import Parts

office = AppGroup("office", help="What offices asked for at their pages (办公后台).")
POLL_S, WAIT_S = 1.0, 3.0
STOPPING = Event()


@office.command("run")
def run() -> None:
    """Work until SIGTERM; what is in hand is finished first. kill -9 is safe: the next one takes it up, and it is done
    once."""
    set_up_logs(settings().log_level)
    os.environ["PGAPPNAME"] = f"office-{os.getpid()} {VERSION}"
    structlog.get_logger("office").info("office", version=VERSION, commit=COMMIT)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda _number, _frame: STOPPING.set())
    gc.freeze()
    gc.disable()  # rows make no cycles, and looking for some takes a quarter of the time
    in_name_of = cast("Callable[[str], Parts]", current_app.extensions["joined"].office_of)
    held = connect(urls().office, pool_size=1, pooler=settings().has_pooler)
    while not STOPPING.is_set():
        try:
            if work(office_parts(), held, in_name_of, KINDS, stopped=STOPPING.is_set):
                gc.collect()
            STOPPING.wait(POLL_S)
        except (DBAPIError, PoolTimeout, psycopg.Error) as trouble:  # a database that is away is waited for
            structlog.get_logger("office").warning("database_away", exc_info=trouble)
            STOPPING.wait(WAIT_S)
