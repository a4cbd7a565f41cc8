"""One statement that stands alone, with no transaction around it: fast and odd, for the one question that every look at
what is due begins with, and the note that its session is in use.

What a transaction is told when it begins (core/db.py) the statement says itself, so there is one message to the server
and one answer instead of three; and rows come as the driver reads them, without a description of each column. Together
a fifth of a look-up (docs/performance.md). For what is found by a key only: nobody but the asker's patience ends it."""

from collections.abc import Sequence
from typing import Any, NoReturn

import psycopg
from sqlalchemy import Engine, PoolProxiedConnection
from sqlalchemy.exc import DBAPIError

from core.db import Told


def ask_alone(engine: Engine, statement: str, values: Sequence[object]) -> list[tuple[Any, ...]]:
    """Its rows. `statement` names its columns and its values as psycopg does (%s). DBAPIError, PoolTimeout."""
    try:
        held = engine.raw_connection()
    except psycopg.Error as error:
        _raise(engine, statement, error, None)
    try:
        told = held.driver_connection
        assert isinstance(told, Told)
        with told.alone(), told.cursor(binary=True) as cursor:
            return cursor.execute(statement, values).fetchall()
    except psycopg.Error as error:
        _raise(engine, statement, error, held)
    finally:
        held.close()


def _raise(engine: Engine, statement: str, error: psycopg.Error, held: PoolProxiedConnection | None) -> NoReturn:
    """As the engine itself would: a connection that is gone is thrown away, and so are those made before it."""
    gone = held is not None and engine.dialect.is_disconnect(error, held, None)  # type: ignore[arg-type]
    if held is not None and gone:
        engine.pool._invalidate(held, error)
    raise DBAPIError.instance(
        statement,
        None,
        error,
        psycopg.Error,
        hide_parameters=True,
        connection_invalidated=gone,
        dialect=engine.dialect,
    ) from error
