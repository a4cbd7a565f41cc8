"""A department's file is judged, row by row, and shown as it would be taken in. Nothing counts before it is taken."""

import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, insert, select, text

from app.flows.helped.judge import Judge
from app.flows.helped.layout import Layout, known_department, layout_of
from app.flows.parts import Parts
from app.policy.terms import PolicyYear
from app.registry.find import index_of
from app.registry.helped_columns import Columns
from app.registry.helped_list import HelpedList, Line
from app.registry.helped_row import BOTH, HelpedRow, Reading, read_line
from app.registry.helped_tables import SpecialBatch, SpecialRow
from app.registry.models import Town
from core.errors import BadInput, Conflict

TOGETHER = 500
_SHOWN = 200


class ColumnsMissing(BadInput):
    """A list without a column that says who somebody is, under any name we or the department know."""

    status = 422
    text = "找不到这些列：{missing}。表头里有：{titles}。请指定哪一列是什么。"


class ListTaken(Conflict):
    """The very same file was taken in before."""

    text = "这份名单已经办过了（名单{batch}），没有改动。"


class ListsOver(Conflict):
    """Lists are accepted as long as the normal price stands; afterwards the bureau decides case by case (D38)."""

    text = "{year}年度的名单收到{last}为止。之后请由医保局逐人核定。"


class EmptyList(BadInput):
    """A file in which nobody stands."""

    status = 422
    text = "名单里一个人也没有。"


@dataclass
class Checked:
    """How a list fared: `codes` of failed rows and `notes` of good ones by number; `unknown` header words and `words`
    that mean no category yet; what was read and what was not."""

    batch: int = 0
    rows: int = 0
    good: int = 0
    people: int = 0
    codes: Counter[str] = field(default_factory=Counter)
    notes: Counter[str] = field(default_factory=Counter)
    words: Counter[str] = field(default_factory=Counter)
    unknown: tuple[str, ...] = ()
    skipped: tuple[str, ...] = ()
    ignored: tuple[str, ...] = ()
    unseen: tuple[str, ...] = ()
    hidden: int = 0


def check(
    parts: Parts,
    path: Path,
    *,
    department: str,
    by: str,
    insurances: Sequence[str] = BOTH,
    name: str | None = None,
    year: int | None = None,
    progress: Callable[[int, int], None] = lambda _rows, _about: None,
    done: Callable[[Connection, Checked], None] = lambda _connection, _checked: None,
) -> Checked:
    """Judge a file and keep what was found as a list that waits for a word. `insurances`: of rows that name none;
    `name` is the file's, where `path` is not; `done` ends work in the same transaction. NoSuchDepartment, YearClosed,
    ListsOver, ListTaken, ColumnsMissing, EmptyList, BadFile."""
    known_department(parts, department)
    with parts.engine.begin() as connection:
        parts.levy.hear(connection)
        rules = parts.levy.known(year or parts.levy.years.newest)
        _refuse_late(parts, rules)
        layout = layout_of(connection, department)
        held = HelpedList(path, layout.columns)
        refuse_taken(connection, department, rules.year, held.source.digest)
        read = _Read(held, _reading(parts, rules, layout, insurances, held))
        batch = _Batch(connection, department, rules.year)
        begin = {"insurances": list(dict.fromkeys(insurances)), "file_name": name or path.name, "by": by}
        judge = Judge(parts, department, rules, _towns(connection))
        checked = _judged(parts, read, batch, judge, begin=begin, progress=progress)
        done(connection, checked)
    return checked


def refuse_taken(connection: Connection, department: str, year: int, digest: bytes, *, but: int = 0) -> None:
    """The department's same file was taken in for the year by another list: ListTaken."""
    taken = select(SpecialBatch.id).where(
        SpecialBatch.department == department,
        SpecialBatch.levy_year == year,
        SpecialBatch.digest == digest,
        SpecialBatch.taken_by.is_not(None),
        SpecialBatch.id != but,
    )
    found = connection.execute(taken).scalar_one_or_none()
    if found is not None:
        raise ListTaken(str(found), batch=found)


def _judged(
    parts: Parts,
    read: "_Read",
    batch: "_Batch",
    judge: Judge,
    *,
    begin: dict[str, Any],
    progress: Callable[[int, int], None],
) -> Checked:
    """Every row, judged and written down. EmptyList."""
    checked, source, people = Checked(), read.held.source, set[str]()
    for chunk in read.chunks():
        judge.judge(batch.connection, chunk)
        if not checked.batch:
            moments = {"judged_on": parts.clocks.today(), "at": parts.clocks.wall()}
            checked.batch = batch.begin(digest=source.digest, titles=list(read.titles), **begin, **moments)
        batch.write(parts, chunk)
        _count(checked, chunk)
        people.update(row.id_number or row.place for row in chunk)
        progress(checked.rows, source.rows_about)
    if not checked.rows:
        raise EmptyList
    batch.end(checked.rows)
    checked.people = len(people)
    checked.unknown, checked.skipped = tuple(read.unknown), tuple(read.held.skipped)
    checked.ignored = tuple(read.held.ignored)
    checked.unseen, checked.hidden = tuple(source.unseen), source.hidden
    return checked


def _refuse_late(parts: Parts, rules: PolicyYear) -> None:
    last = rules.dates.normal_price_end
    if parts.clocks.today() > last:
        raise ListsOver(year=rules.year, last=f"{last:%Y-%m-%d}")


def _reading(parts: Parts, rules: PolicyYear, layout: Layout, insurances: Sequence[str], held: HelpedList) -> Reading:
    return Reading(
        today=parts.clocks.today(),
        insurances=tuple(dict.fromkeys(insurances)),
        groups=rules.groups,
        words=layout.words,
        day_0=held.source.day_0,
    )


def _towns(connection: Connection) -> dict[str, str]:
    return {row.name: row.code for row in connection.execute(select(Town.code, Town.name))}


@dataclass
class _Read:
    """The list's rows as they are read, and what is seen of its headers meanwhile."""

    held: HelpedList
    how: Reading
    titles: tuple[str, ...] = ()
    unknown: dict[str, None] = field(default_factory=dict)

    def chunks(self) -> Iterator[list[HelpedRow]]:
        rows = (row for line in self._lines() for row in read_line(line, self.how))
        while chunk := list(islice(rows, TOGETHER)):
            yield chunk

    def _lines(self) -> Iterable[Line]:
        seen: Columns | None = None
        for line in self.held.lines():
            if line.columns is not seen:
                seen = line.columns
                if missing := seen.missing:
                    raise ColumnsMissing(
                        missing="、".join(missing), titles="、".join(filter(None, seen.titles))[:_SHOWN]
                    )
                self.titles = self.titles if len(self.titles) > len(seen.titles) else seen.titles
                self.unknown.update(dict.fromkeys(seen.unknown))
            yield line


@dataclass
class _Batch:
    """The list in the database, written piece by piece in the caller's transaction."""

    connection: Connection
    department: str
    year: int
    id: int = 0
    no: int = 0

    def begin(self, **columns: Any) -> int:
        values = {"department": self.department, "levy_year": self.year, "rows": 0, **columns}
        self.id = self.connection.execute(insert(SpecialBatch).values(values).returning(SpecialBatch.id)).scalar_one()
        return self.id

    def write(self, parts: Parts, chunk: Sequence[HelpedRow]) -> None:
        first = self.no + 1
        self.no += len(chunk)
        sealed = parts.vault.seal_all(
            (json.dumps(row.cells, ensure_ascii=False), f"special_row.cells:{self.id}:{no}")
            for no, row in enumerate(chunk, first)
        )
        values = [
            {
                "batch_id": self.id,
                "no": no,
                "department": self.department,
                "place": row.place,
                "cells": cells,
                "id_index": index_of(parts.vault, row.id_number) if row.id_number else None,
                "person_id": row.person_id,
                "town": row.town_code,
                "insurance": row.insurance,
                "codes": list(row.codes),
                "state": "OK" if row.code is None else "FAILED",
                "code": row.code,
                "words": row.said,
                "notes": row.notes,
            }
            for no, (row, cells) in enumerate(zip(chunk, sealed, strict=True), first)
        ]
        self.connection.execute(insert(SpecialRow), values)

    def end(self, rows: int) -> None:
        self.connection.execute(text("select helped_counted(:id, :rows)"), {"id": self.id, "rows": rows})


def _count(checked: Checked, chunk: Sequence[HelpedRow]) -> None:
    for row in chunk:
        checked.rows += 1
        checked.good += row.code is None
        checked.notes.update(row.notes)
        if row.code:
            checked.codes[row.code] += 1
        if row.code == "CATEGORY_UNKNOWN":
            checked.words[row.said.get("word", "")] += 1
