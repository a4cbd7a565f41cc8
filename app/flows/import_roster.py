"""The bureaus' enrolment file → the register. One transaction: all of it, or (by choice) its good rows, or nothing.

A second thread talks to the database while this one judges and seals the next rows: both work at the same time."""

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from itertools import chain, islice
from pathlib import Path
from typing import Any, cast

import psycopg
from sqlalchemy import Connection, insert, select, text

from app.flows.entitle_late import ask_for_entitled
from app.flows.parts import Parts
from app.registry.bring_in import Batch, Merger
from app.registry.cells import plain
from app.registry.failures import Failure, failures_of_cells, failures_of_row
from app.registry.models import ImportBatch
from app.registry.register import Found, Register
from app.registry.row import Judge, Row, Wrong
from app.registry.sheet import BadFile, Source, open_file

BATCH = 3_000
ENROLMENT = "enrolment"


@dataclass(frozen=True)
class Imported:
    """How a file fared. `taken` False: nothing was changed, because of refused rows or because the same file had been
    taken `before`."""

    taken: bool
    rows_in: int
    added: int
    changed: int
    same: int
    refused: int
    skipped: tuple[str, ...] = ()
    before: datetime | None = None


def import_roster(
    parts: Parts,
    path: Path,
    *,
    good_rows: bool = False,
    sheet: str | None = None,
    report: Callable[[Failure], None] = lambda _failure: None,
    progress: Callable[[int, int], None] = lambda _rows, _about: None,
) -> Imported:
    """Bring an enrolment file in, at most once (INV-26). Every row is judged and every failure reported, in the order
    of the file; with a failure nothing is taken unless `good_rows`. `progress` is told how many rows are read and how
    many are expected (0: not known). BadFile, BadHeader, ImportUnderWay."""
    source = open_file(path, sheet=sheet)
    with parts.engine.connect() as connection:
        before = _taken_before(connection, source)
        if before:
            return before
        connection.execute(_IN_ITS_NAME, {"cause": f"import:{source.digest.hex()}"})
        merger = Merger(parts.vault)
        register = Register(_raw(connection))
        judge = Judge(register.villages(), today=parts.clocks.today())
        rows_in = 0
        for read, failures in _bring_in(register, merger, _batches(source, judge)):
            rows_in += read
            progress(rows_in, source.rows_about)
            for failure in failures:
                report(failure)
        if not rows_in:
            raise BadFile(why="表头下面一行也没有")
        fared = merger.tally
        refused = rows_in - fared.added - fared.changed - fared.same
        taken = not refused or good_rows
        result = Imported(taken, rows_in, fared.added, fared.changed, fared.same, refused, tuple(source.skipped))
        if taken:
            _record(connection, source, result)
            connection.commit()
    if taken and fared.added + fared.changed:
        ask_for_entitled(parts)  # who paid and is on a list only now gets the difference back
    return result


@dataclass
class _Read:
    """Some thousand rows of the file: how many, the good ones, what is wrong with the others."""

    rows: int
    good: list[Row]
    failures: list[Failure]


def _batches(source: Source, judge: Judge) -> Iterator[_Read]:
    for table in source.tables():
        pick, width = table.header.pick, table.header.width
        while chunk := list(islice(table.rows, BATCH)):
            read = _Read(0, [], [])
            for number, cells in chunk:
                if not any(cells):
                    continue  # an empty line is no row
                verdict: Row | list[Wrong]
                if len(cells) > width and any(cells[width:]):
                    verdict = [Wrong("", "COLUMN_COUNT", {})]
                    picked = pick(cells)
                else:
                    picked = pick(cells)
                    verdict = judge.judge(table.name, number, picked)
                if isinstance(verdict, Row):
                    read.good.append(verdict)
                elif any(plain(cell) for cell in cells):
                    read.failures += failures_of_cells(table.name, number, picked, verdict)
                else:
                    continue  # blanks are no row either
                read.rows += 1
            yield read


def _bring_in(register: Register, merger: Merger, reads: Iterator[_Read]) -> Iterator[tuple[int, list[Failure]]]:
    """(rows, failures), batch by batch. The register is asked about a batch before the one ahead of it is written, so
    that merging never waits for writing; the merger knows what it has just done."""
    with ThreadPoolExecutor(max_workers=1) as pool:
        ahead: tuple[_Read, Batch, Future[Found]] | None = None
        writing: Future[None] | None = None
        for read in chain(reads, [None]):
            asked = None
            if read is not None:
                batch = merger.batch(read.good)
                asked = (read, batch, pool.submit(register.look_up, batch.indexes, batch.households))
            if ahead is not None:
                former, batch, found = ahead
                plan = merger.merge(batch, found.result())
                if writing is not None:
                    writing.result()  # at most two batches are held
                writing = pool.submit(register.write, plan.changes)
                refused = [failure for row, wrong in plan.refused for failure in failures_of_row(row, [wrong])]
                yield former.rows, sorted(former.failures + refused, key=lambda failure: failure.row)
            ahead = asked
        if writing is not None:
            writing.result()


def _taken_before(connection: Connection, source: Source) -> Imported | None:
    found = connection.execute(
        select(ImportBatch).where(ImportBatch.kind == ENROLMENT, ImportBatch.file_hash == source.digest)
    ).one_or_none()
    if found is None:
        return None
    return Imported(
        False, found.rows_in, found.added, found.changed, found.same, found.refused, before=found.imported_at
    )


def _record(connection: Connection, source: Source, result: Imported) -> None:
    connection.execute(
        insert(ImportBatch).values(
            kind=ENROLMENT,
            file_hash=source.digest,
            file_name=source.path.name,
            rows_in=result.rows_in,
            added=result.added,
            changed=result.changed,
            same=result.same,
            refused=result.refused,
        )
    )


_IN_ITS_NAME = text("select set_config('liangxian.cause', :cause, true)")  # what the register's trail says of it


def _raw(connection: Connection) -> psycopg.Connection[Any]:
    """The driver's connection, inside the transaction that `connection` has begun."""
    connection.execute(select(1))
    return cast("psycopg.Connection[Any]", connection.connection.driver_connection)
