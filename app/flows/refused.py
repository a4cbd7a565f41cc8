"""A try that is refused counts like any other: what was counted stays, though the act does not."""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection

from core.errors import AppError


@contextmanager
def kept_though_refused(connection: Connection) -> Iterator[None]:
    """What is written inside is committed at its end, and also when an AppError says no. Whatever else goes wrong is
    told as itself, and nothing of it is kept."""
    try:
        yield
    except AppError:
        connection.commit()
        raise
    connection.commit()
