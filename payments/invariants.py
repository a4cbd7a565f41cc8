"""Asks the queries of invariants.sql, which find no row while all is well."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from time import perf_counter_ns

from sqlalchemy import Connection

SAMPLE = 20
_HEAD = re.compile(r"^-- (INV-\d\d) (.+)$", re.MULTILINE)


@dataclass(frozen=True)
class Invariant:
    """One truth: its number in docs/proof.md, a title for the clerk, and the query for what breaks it."""

    number: str
    title: str
    sql: str


@dataclass(frozen=True)
class Finding:
    """What a look at one truth found: how many rows break it, the first of them by name, and how long it took."""

    number: str
    title: str
    rows: int
    sample: Sequence[str]
    took_ms: int


def _read() -> Mapping[str, Invariant]:
    pieces = _HEAD.split(Path(__file__).with_suffix(".sql").read_text(encoding="utf-8"))[1:]
    found = [Invariant(*(piece.strip() for piece in pieces[at : at + 3])) for at in range(0, len(pieces), 3)]
    return {invariant.number: invariant for invariant in found}


INVARIANTS = _read()


def look(connection: Connection, invariant: Invariant, *, wall: datetime) -> Finding:
    """Ask for the rows that break it; `wall` is the system clock."""
    began = perf_counter_ns()
    found = connection.exec_driver_sql(
        f"select what, count(*) over () as rows from ({invariant.sql}) broken limit {SAMPLE}", {"wall": wall}
    ).all()
    rows = found[0].rows if found else 0
    return Finding(
        invariant.number, invariant.title, rows, [row.what for row in found], (perf_counter_ns() - began) // 1_000_000
    )
