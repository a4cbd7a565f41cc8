"""Lists and their rows, as a department, a town or the medical bureau sees them: the latest first, a page at a time,
names masked. What somebody may not see the database does not show him (app/access/scope.sql)."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, text

from app.flows.helped.take import NoSuchList
from app.flows.parts import Parts
from app.policy.words import phrases
from app.registry.helped_columns import columns_of
from app.registry.helped_reasons import NOTES, reason
from core.redact import mask_id, mask_name

PAGE = 50
PATIENCE = timedelta(days=3)


@dataclass(frozen=True)
class Shown:
    """A row as a page shows it. `days`: how long it is open; `late`: too long."""

    row: Any
    name: str
    id_number: str
    reason: str
    notes: tuple[str, ...]
    days: int
    late: bool


def batches(parts: Parts, *, department: str = "", page: int = 1) -> tuple[Sequence[Row], bool]:
    """A page of lists, each with how many rows are good, failed and open; and whether more follow."""
    with parts.reading() as connection:
        rows = connection.execute(_BATCHES, _page(page) | {"department": department, "id": None}).all()
    return rows[:PAGE], len(rows) > PAGE


def batch(parts: Parts, number: int) -> Row:
    """One list with the same counts. NoSuchList."""
    with parts.reading() as connection:
        row = connection.execute(_BATCHES, _page(1) | {"department": "", "id": number}).one_or_none()
    if row is None:
        raise NoSuchList(str(number))
    return row


def failed(parts: Parts, number: int, *, page: int = 1) -> tuple[list[Shown], bool]:
    """A page of a list's failed rows, in the order of the file. NoSuchList."""
    with parts.reading() as connection:
        found = connection.execute(_FAILED, _page(page) | {"id": number}).all()
        return [_shown(parts, connection, row) for row in found[:PAGE]], len(found) > PAGE


def waiting(parts: Parts, *, page: int = 1) -> tuple[list[Shown], bool]:
    """A page of all rows that are open, those that wait longest first."""
    with parts.reading() as connection:
        found = connection.execute(_WAITING, _page(page)).all()
        return [_shown(parts, connection, row) for row in found[:PAGE]], len(found) > PAGE


def open_count(parts: Parts) -> int:
    """How many rows are open, of those that the asker may see."""
    with parts.reading() as connection:
        return int(connection.execute(_OPEN).scalar_one())


def people(parts: Parts, number: int) -> int:
    """How many people its rows name: one for each number, and for each line without a number that can be right."""
    with parts.reading() as connection:
        return int(connection.execute(_PEOPLE, {"id": number}).scalar_one())


def codes(parts: Parts, number: int) -> Sequence[Row]:
    """Why rows of a list failed: code, how many."""
    with parts.reading() as connection:
        return connection.execute(_CODES, {"id": number}).all()


def taken_back(parts: Parts, number: int) -> Sequence[Row]:
    """Rows of a list whose people were named by mistake, as they stood in the file."""
    with parts.reading() as connection:
        return connection.execute(_TAKEN_BACK, {"id": number}).all()


def cells_of(parts: Parts, row: Any) -> list[str]:
    """The row as the department wrote it; empty once it was let go of."""
    if row.cells is None:
        return []
    found: list[str] = json.loads(parts.vault.open(row.cells, bound_to=f"special_row.cells:{row.batch_id}:{row.no}"))
    return found


def why(row: Any) -> str:
    """What is wrong with a row, as people say it; empty for one that is good."""
    said = {name: phrases("categories").get(word, word) for name, word in row.words.items()}
    return reason(row.code, said) if row.code else ""


def _shown(parts: Parts, connection: Connection, row: Row) -> Shown:
    cells = cells_of(parts, row)
    said = connection.execute(_COLUMNS, {"department": row.department}).scalar_one_or_none() or {}
    where = columns_of(row.titles, said)
    name, number = (str(where.cell(cells, field)) for field in ("name", "id_number"))
    now: datetime = parts.clocks.now()
    age = (row.ended_at or now) - (row.fed_back_at or now)
    return Shown(
        row,
        mask_name(name) if name else "",
        mask_id(number) if len(number) >= 15 else "*" * len(number),
        why(row),
        tuple(NOTES[note] for note in row.notes),
        age.days,
        row.ended_at is None and age > PATIENCE,
    )


def _page(page: int) -> dict[str, int]:
    return {"most": PAGE + 1, "from": (max(page, 1) - 1) * PAGE}


_BATCHES = text(
    "select b.*, counted.* from special_batch b cross join lateral ("
    "  select count(*) filter (where r.state = 'OK') as good, count(*) filter (where r.code is not null) as failed,"
    "         count(*) filter (where r.state in ('FAILED', 'FED_BACK', 'PERSON_TOLD')) as open"
    "    from special_row r where r.batch_id = b.id) counted"
    " where (cast(:department as text) = '' or b.department = :department)"
    "   and (cast(:id as bigint) is null or b.id = :id)"
    " order by b.id desc limit :most offset :from"
)
_FAILED = text(
    "select r.*, b.titles from special_row r join special_batch b on b.id = r.batch_id"
    " where r.batch_id = :id and r.code is not null order by r.no limit :most offset :from"
)
_WAITING = text(
    "select r.*, b.titles from special_row r join special_batch b on b.id = r.batch_id"
    " where r.state in ('FED_BACK', 'PERSON_TOLD') order by r.fed_back_at, r.batch_id, r.no limit :most offset :from"
)
_OPEN = text("select count(*) from special_row where state in ('FED_BACK', 'PERSON_TOLD')")
_PEOPLE = text("select count(distinct coalesce(encode(id_index, 'hex'), place)) from special_row where batch_id = :id")
_CODES = text(
    "select code, count(*) as rows from special_row where batch_id = :id and code is not null group by code"
    " order by 2 desc, 1"
)
_TAKEN_BACK = text("select * from special_row where batch_id = :id and taken_back_at is not null order by no")
_COLUMNS = text("select columns from special_layout where department = :department")
