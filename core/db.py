"""The table base, the constraint-name pattern, and how an engine is made."""

import re
from contextvars import ContextVar
from typing import Any

from sqlalchemy import Engine, MetaData, create_engine, event
from sqlalchemy.orm import DeclarativeBase

PLACES: ContextVar[str] = ContextVar("places", default="")  # what this thread may see; empty: everything
SHORT: ContextVar[bool] = ContextVar("short", default=False)  # this thread asks by key: a statement is planned once
NAMES = {
    "ix": "ix__%(table_name)s__%(column_0_N_name)s",
    "uq": "uq__%(table_name)s__%(column_0_N_name)s",
    "ck": "ck__%(table_name)s__%(constraint_name)s",
    "fk": "fk__%(table_name)s__%(column_0_N_name)s",
    "pk": "pk__%(table_name)s",
}


class Table(DeclarativeBase):
    """Every table of ours; names of constraints follow one pattern."""

    metadata = MetaData(naming_convention=NAMES)


def connect(url: str, *, pool_size: int = 16, statement_timeout_ms: int = 15_000, actor: str = "") -> Engine:
    """An engine with a pool as large as the threads of one process; a lock is waited for 4 s at most.

    Sessions run in UTC. `url` is a libpq URL (postgresql://…). `actor`: in whose name the database notes what is done
    to accounts and the register; letters, digits, dots and dashes stay of it."""
    options = f"-c timezone=UTC -c lock_timeout=4000 -c statement_timeout={statement_timeout_ms}"
    options += f" -c liangxian.actor={re.sub(r'[^A-Za-z0-9:._-]', '', actor)}" if actor else ""
    engine = create_engine(
        url.replace("postgresql://", "postgresql+psycopg://", 1),
        pool_size=pool_size,
        max_overflow=0,
        pool_timeout=5,
        pool_use_lifo=True,  # the fewest connections stay warm: each has planned its statements for itself
        pool_pre_ping=False,
        connect_args={"options": options, "connect_timeout": 3},
    )
    event.listen(engine, "checkout", _keep_to_places)
    return engine


def _keep_to_places(connection: Any, record: Any, _proxy: object) -> None:
    """A connection sees what its user may see (row level security, migrations/functions/85_scope.sql), and plans as its
    user needs: planning a look-up by key anew costs more than the look-up. It is told only when either changes."""
    wanted = (PLACES.get(), "force_generic_plan" if SHORT.get() else "auto")
    if record.info.get("told", ("", "auto")) != wanted:
        connection.execute(
            "select set_config('liangxian.places', %s, false), set_config('plan_cache_mode', %s, false)", wanted
        )
        connection.commit()
        record.info["told"] = wanted
