"""The table base, the constraint-name pattern, and how an engine is made."""

from sqlalchemy import Engine, MetaData, create_engine
from sqlalchemy.orm import DeclarativeBase

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


def connect(url: str, *, pool_size: int = 16, statement_timeout_ms: int = 15_000) -> Engine:
    """An engine with a pool as large as the threads of one process; a lock is waited for 4 s at most.

    Sessions run in UTC. `url` is a libpq URL (postgresql://…)."""
    options = f"-c timezone=UTC -c lock_timeout=4000 -c statement_timeout={statement_timeout_ms}"
    return create_engine(
        url.replace("postgresql://", "postgresql+psycopg://", 1),
        pool_size=pool_size,
        max_overflow=0,
        pool_timeout=5,
        pool_pre_ping=False,
        connect_args={"options": options, "connect_timeout": 3},
    )
