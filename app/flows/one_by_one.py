"""Rows of a worker's work, one by one: what goes wrong with one is its own, said by name and counted; the others go
on. An act whose row is leased needs nothing else: the lease ends by its time, and the row is tried again."""

import traceback
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from itertools import chain, islice
from pathlib import Path
from threading import Lock
from typing import Any

from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from app.flows.parts import Parts


def one_by_one(
    parts: Parts,
    task: str,
    rows: Iterable[Any],
    act: Callable[[Any], object],
    *,
    name: Callable[[Any], str],
    at_once: int = 1,
) -> int:
    """Do `act` for each row, `at_once` of them together; how many went through. A row is taken when somebody is free
    for it.

    `name` is our own number or cause of a row, never a person. A row that fails again and again breaks INV-60. Raises
    only when not even the trouble can be written down: then it is nobody's own."""
    each = iter(rows)
    first = list(islice(each, 1))
    if not first:
        return 0
    before = _troubled(parts, task)

    def go(row: Any) -> bool:
        subject = name(row)
        try:
            act(row)
        except Exception as trouble:  # noqa: BLE001 whatever it is, the other rows are not to blame
            _write_down(parts, task, subject, trouble)
            return False
        if subject in before:
            _forget(parts, task, subject)
        return True

    rest = chain(first, each)
    if at_once <= 1:
        return sum(go(row) for row in rest)
    taking = Lock()

    def take() -> list[Any]:
        """One row or none: rows may be fetched as they are asked for, by one at a time."""
        with taking:
            return list(islice(rest, 1))

    def work() -> int:
        went = 0
        while row := take():
            went += go(*row)
        return went

    with ThreadPoolExecutor(at_once, thread_name_prefix=task) as pool:
        return sum(future.result() for future in [pool.submit(work) for _ in range(at_once)])


def _troubled(parts: Parts, task: str) -> set[str]:
    with parts.reading() as connection:
        return set(connection.execute(text("select subject from trouble where task = :task"), {"task": task}).scalars())


def _write_down(parts: Parts, task: str, subject: str, trouble: Exception) -> None:
    wanted = {"task": task, "subject": subject, "error": _kind_of(trouble), "at": parts.clocks.wall()}
    with parts.engine.begin() as connection:
        connection.execute(_ONCE_MORE, wanted)
    parts.alert("row_failed", task=task, subject=subject, error=wanted["error"])


def _forget(parts: Parts, task: str, subject: str) -> None:
    gone = text("delete from trouble where task = :task and subject = :subject")
    with parts.engine.begin() as connection:
        connection.execute(gone, {"task": task, "subject": subject})


def _kind_of(trouble: Exception) -> str:
    """What it is and where, without its message: that may carry a person."""
    code = getattr(trouble.orig, "sqlstate", None) if isinstance(trouble, DBAPIError) else None
    place = traceback.extract_tb(trouble.__traceback__)[-1]
    return " ".join(filter(None, (type(trouble).__name__, code, f"{Path(place.filename).name}:{place.lineno}")))


_ONCE_MORE = text(
    "insert into trouble (task, subject, error, last_at) values (:task, :subject, :error, :at)"
    " on conflict (task, subject) do update set times = trouble.times + 1, error = excluded.error,"
    " last_at = excluded.last_at"
)
