"""The bureaus' enrolment file → the register. One transaction: all of it, or (by choice) its good rows, or nothing.

A second thread talks to the database while this one judges and seals the next rows: both work at the same time."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import chain
from math import inf
from pathlib import Path
from typing import Any, cast

import psycopg
from sqlalchemy import Connection, insert, select, text

from app.flows.conflicts.contradicts import Contradicts
from app.flows.levy import YearClosed
from app.flows.parts import Parts
from app.flows.refund.entitle_late import ask_for_entitled
from app.flows.register.open_year import YearNeverOpened
from app.flows.register.read_rows import Read, batches
from app.policy.facts import Insurance
from app.registry import find
from app.registry.bring_in import Batch, Merger, Plan, Tally
from app.registry.bring_in_former import FormerMerger
from app.registry.failures import Failure, failures_of_row
from app.registry.former_register import FormerRegister
from app.registry.models import ImportBatch
from app.registry.register import Found, Register
from app.registry.row import Collects, Judge
from app.registry.sheet import Source, open_file
from app.registry.workbook import BadFile
from app.registry.year_tables import LevyYear
from core.db import may_take

ENROLMENT = "enrolment"


@dataclass(frozen=True)
class Imported:
    """How a file fared for a levy year: `rows_in` = added + changed + same + refused, and `ignored` are rows that are
    nobody, by name.
    `taken` False: nothing was changed, because of refused rows or because the same file had been taken `before`.
    `stale` rows of such a file say something else than the register, which later files have changed.
    `skipped` sheets have no header, `unseen` ones are hidden; `hidden` rows were read. `batch`: its row, if taken.
    `conflicts` that it opens, by kind; `ended`: those that it ends; `twice`: who seems to stand under two numbers."""

    year: int
    taken: bool
    rows_in: int
    added: int
    changed: int
    same: int
    refused: int
    skipped: tuple[str, ...] = ()
    before: datetime | None = None
    stale: int = 0
    ignored: tuple[str, ...] = ()
    unseen: tuple[str, ...] = ()
    hidden: int = 0
    batch: int | None = None
    conflicts: Mapping[str, int] = field(default_factory=dict)
    ended: int = 0
    twice: Sequence[tuple[str, str]] = ()


@dataclass(frozen=True)
class Office:
    """What a bureau's page asks for beside: `only` its own insurance's rows are taken; `watch` sees what a batch does
    to the register; `settle` hears, in the very transaction, how the file fared, and says whether it stays so."""

    only: str | None = None
    watch: Callable[[Plan], None] = lambda _plan: None
    settle: Callable[[Connection, Imported], bool] = lambda _connection, _result: True


def import_roster(
    parts: Parts,
    path: Path,
    *,
    good_rows: bool = False,
    again: bool = False,
    sheet: str | None = None,
    year: int | None = None,
    report: Callable[[Failure], None] = lambda _failure: None,
    progress: Callable[[int, int], None] = lambda _rows, _about: None,
    office: Office = Office(),
) -> Imported:
    """Bring an enrolment file in. Every row is judged and every failure reported, in the order of the file; with a
    failure nothing is taken unless `good_rows`. A file that was taken before brings what was refused then; once others
    have come after it, it changes nothing unless `again`. `progress` is told how many rows are read and how many are
    expected (0: not known). `year`: the newest (None), or a former one that is still collected: only what it says of
    that year changes then, and what no year owns. BadFile, BadHeader, ImportUnderWay, YearNeverOpened, YearClosed."""
    source = open_file(path, sheet=sheet)
    ignored: list[str] = []
    with parts.engine.connect() as connection:
        may_take(connection, inf)  # its rows are written in one piece
        cause = f"import:{source.digest.hex()}"
        connection.execute(_IN_ITS_NAME, {"cause": cause})
        said = _of_year(parts, connection, year)
        former = _taken_before(connection, source, said)
        rows_in, contradicts = 0, Contradicts(office.watch)
        reads = batches(source, _judge(parts, said, source), ignored, only=office.only)
        for read, failures in _bring_in(said, reads, contradicts.hear):
            rows_in += read
            progress(rows_in, source.rows_about)
            for failure in failures:
                report(failure)
        said.register.count()
        result = _fared(former, said.merger.tally, rows_in, good_rows=good_rows, again=again)
        result = _told_of(source, result, said.year, ignored)
        if said.began is None:  # a former year's file says nothing of what the police or the other bureau say now
            result = replace(result, **contradicts.found(parts, connection, cause))
        if result.taken:
            result = replace(result, batch=_record(connection, source, said.kind, result))
        if office.settle(connection, result) and result.taken:
            connection.commit()
        else:
            result = replace(result, taken=False, batch=None)
    if result.taken and result.added + result.changed:
        ask_for_entitled(parts)  # who paid and is on a list only now gets the difference back
    return result


def _told_of(source: Source, result: Imported, year: int, ignored: list[str]) -> Imported:
    """With what the file has besides people."""
    return replace(
        result,
        year=year,
        skipped=tuple(source.skipped),
        ignored=tuple(ignored),
        unseen=tuple(source.unseen),
        hidden=source.hidden,
    )


@dataclass(frozen=True)
class _OfYear:
    """Whose year a file is, and the tables and the merger that are meant by it; `began` is when the year after a former
    one did (system clock)."""

    year: int
    register: Register
    merger: Merger
    began: datetime | None = None

    @property
    def kind(self) -> str:
        """How its batches are called: those of the newest year's register without the year, which moves on."""
        return ENROLMENT if self.began is None else f"{ENROLMENT}:{self.year}"


def _of_year(parts: Parts, connection: Connection, year: int | None) -> _OfYear:
    """The lock comes first: no year begins between what is read here and the end of the import."""
    register = Register(_raw(connection))
    years = {row.year: row for row in connection.execute(select(LevyYear.__table__))}
    newest = max(years, default=parts.rules.year)
    corrected = find.corrected_phones(connection)
    if year is None or year == newest:
        return _OfYear(newest, register, Merger(parts.vault, corrected))
    if year not in years:
        raise YearNeverOpened(str(year))
    if years[year].closed_at is not None:
        raise YearClosed(str(year), year=year)
    former = FormerRegister(_raw(connection), year)
    return _OfYear(year, former, FormerMerger(parts.vault, year, corrected), began=years[year + 1].opened_at)


def _judge(parts: Parts, said: _OfYear, source: Source) -> Judge:
    """Who judges the file's rows by what its year collects."""
    rules = parts.levy.rules(said.year)
    collects = Collects(said.year, frozenset(each for each in Insurance if rules.offers(each)), rules.groups)
    return Judge(said.register.villages(), collects, today=parts.clocks.today(), day_0=source.day_0)


def _fared(former: "_Former | None", tally: Tally, rows_in: int, *, good_rows: bool, again: bool) -> Imported:
    """What comes of the file: all or the good rows of a new one; of one that was taken before, what it has to add.
    BadFile where nothing stands in it."""
    if not rows_in:
        raise BadFile(why="表头下面一行也没有")
    moved = tally.added + tally.changed
    refused = rows_in - moved - tally.same
    taken = not refused or good_rows
    before, stale = None, 0
    if former is not None:
        before = former.at
        stale = moved if former.overtaken and not again else 0
        taken = taken and bool(moved) and not stale
    return Imported(0, taken, rows_in, tally.added, tally.changed, tally.same, refused, before=before, stale=stale)


def _bring_in(
    said: _OfYear, reads: Iterator[Read], watch: Callable[[Plan], None]
) -> Iterator[tuple[int, list[Failure]]]:
    """(rows, failures), batch by batch. The register is asked about a batch before the one ahead of it is written, so
    that merging never waits for writing; the merger knows what it has just done."""
    register, merger = said.register, said.merger
    with ThreadPoolExecutor(max_workers=1) as pool:
        ahead: tuple[Read, Batch, Future[Found]] | None = None
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
                watch(plan)
                said = [*plan.refused, *plan.told]
                of_rows = [failure for row, wrong in said for failure in failures_of_row(row, [wrong])]
                yield former.rows, sorted(former.failures + of_rows, key=lambda failure: failure.row)
            ahead = asked
        if writing is not None:
            writing.result()


@dataclass(frozen=True)
class _Former:
    """When the same bytes were taken last; have other files been taken since?"""

    at: datetime
    overtaken: bool


def _taken_before(connection: Connection, source: Source, said: _OfYear) -> _Former | None:
    """Among the files that made the register of this year: of a former one, those before the next began are its own."""
    made = ImportBatch.kind == said.kind
    if said.began is not None:
        made |= (ImportBatch.kind == ENROLMENT) & (ImportBatch.imported_at < said.began)
    found = connection.execute(
        select(ImportBatch.id, ImportBatch.imported_at)
        .where(made, ImportBatch.file_hash == source.digest)
        .order_by(ImportBatch.id.desc())
        .limit(1)
    ).one_or_none()
    if found is None:
        return None
    later = select(ImportBatch.id).where(made, ImportBatch.id > found.id).limit(1)
    return _Former(found.imported_at, connection.execute(later).first() is not None)


def _record(connection: Connection, source: Source, kind: str, result: Imported) -> int:
    row = insert(ImportBatch).returning(ImportBatch.id)
    written = connection.execute(
        row.values(
            kind=kind,
            file_hash=source.digest,
            file_name=source.path.name,
            rows_in=result.rows_in,
            added=result.added,
            changed=result.changed,
            same=result.same,
            refused=result.refused,
        )
    )
    return int(written.scalar_one())


_IN_ITS_NAME = text("select set_config('liangxian.cause', :cause, true)")  # what the register's trail says of it


def _raw(connection: Connection) -> psycopg.Connection[Any]:
    """The driver's connection, inside the transaction that `connection` has begun."""
    connection.execute(select(1))
    return cast("psycopg.Connection[Any]", connection.connection.driver_connection)
