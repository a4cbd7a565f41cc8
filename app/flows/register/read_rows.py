"""The rows of an opened file, some thousand at a time, each judged by itself: the good ones, and what is wrong with the
others."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any, NamedTuple

from app.registry.cells import plain
from app.registry.columns import named_as_nobody
from app.registry.failures import BUREAUS, Failure, failures_of_cells, failures_of_row
from app.registry.lines import Torn
from app.registry.row import Judge, Row, Wrong
from app.registry.sheet import Source, Table

BATCH = 3_000


@dataclass
class Read:
    """Some thousand rows of the file: how many, the good ones, what is wrong with the others."""

    rows: int
    good: list[Row]
    failures: list[Failure]


def batches(source: Source, judge: Judge, ignored: list[str], *, only: str | None = None) -> Iterator[Read]:
    """Batch after batch; what is nobody goes to `ignored`. `only`: rows of another insurance are refused."""
    for table in source.tables():
        while chunk := list(islice(table.rows, BATCH)):
            read, rows = Read(0, [], []), [_cut(table, number, cells) for number, cells in chunk]
            for cut, values in zip(rows, judge.read([cut.picked for cut in rows]), strict=True):
                _read_row(read, table, cut, _verdict(judge, table, cut, values), ignored)
            yield _own(read, only) if only else read


def _own(read: Read, only: str) -> Read:
    """Rows of the other bureau's insurance are that bureau's to bring."""
    others = [row for row in read.good if row.insurance != only]
    for row in others:
        wrong = Wrong("insurance", "INSURANCE_OF_ANOTHER", {"bureau": BUREAUS[row.insurance]})
        read.failures += failures_of_row(row, [wrong])
    if others:
        read.good = [row for row in read.good if row.insurance == only]
    return read


class _Cut(NamedTuple):
    """A row of a table: its cells, those that are read, and whether something stands beyond the last column."""

    number: int
    cells: list[Any]
    picked: tuple[Any, ...]
    beyond: bool


def _cut(table: Table, number: int, cells: list[Any]) -> _Cut:
    width = table.header.width
    beyond = len(cells) > width and any(plain(cell) for cell in cells[width:])
    return _Cut(number, cells, table.header.pick(cells), beyond)


def _verdict(judge: Judge, table: Table, cut: _Cut, values: tuple[Any, ...] | None) -> Row | list[Wrong]:
    if isinstance(cut.cells, Torn):
        return [Wrong("", "LINE_BREAK", {"first": cut.cells.first, "last": cut.cells.last})]
    if cut.beyond:
        return [Wrong("", "COLUMN_COUNT", {})]
    return judge.judge(table.name, cut.number, cut.picked, values)


def _read_row(read: Read, table: Table, cut: _Cut, verdict: Row | list[Wrong], ignored: list[str]) -> None:
    number, cells, picked, beyond = cut
    lines = cells.lines if isinstance(cells, Torn) else 1
    if isinstance(verdict, Row):
        read.good.append(verdict)
    elif not beyond and not any(plain(cell) for cell in cells):
        return  # an empty line is no row
    elif nobody := named_as_nobody(cells, picked):
        ignored.append(f"{f'“{table.name}”' if table.name else ''}第{number}行（{nobody}）")
        return
    else:
        read.failures += failures_of_cells(table.name, number, picked, verdict)
    read.rows += lines  # each line that a torn row has swallowed counts, so that nobody is in no number
