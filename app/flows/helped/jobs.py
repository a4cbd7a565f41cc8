"""What the office process does for a department that asked at its page: its file is judged, its list taken in."""

from collections.abc import Mapping
from dataclasses import asdict
from itertools import islice
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Row, select, text

from app.access.models import Staff
from app.access.sessions import Officer
from app.flows.hand_in.ask import NoSuchJob, ask, asked
from app.flows.hand_in.keep import NoSuchUpload, as_file, kept
from app.flows.hand_in.work import Job, NotYoursAnyMore, Progress
from app.flows.helped.check import Checked, ColumnsMissing, check
from app.flows.helped.layout import layout_of
from app.flows.helped.lists import batch as list_of
from app.flows.helped.take import NoSuchList, take
from app.flows.parts import Parts
from app.registry.cells import plain
from app.registry.helped_columns import field_of
from app.registry.helped_list import HelpedList
from core.redact import mask_id, mask_name
from payments.refusals import as_errors

CHECK, TAKE = "helped_check", "helped_take"
SHOWN, LONGEST, WORDS = 3, 12, 50


def confirm(parts: Parts, officer: Officer, batch: int) -> int:
    """确认导入: the number of the work, whoever of the department asked first. NoSuchList: none of his."""
    with as_errors({"LX080": NoSuchList}):
        return ask(parts, officer, TAKE, about={"batch": batch})


def job_of(parts: Parts, officer: Officer, number: int) -> Row:
    """A list's judging that he asked for, or the taking of a list of his department, whoever asked. NoSuchJob,
    NoSuchList."""
    row = asked(parts, number, kinds=(CHECK, TAKE))
    taking = row.kind == TAKE
    department = list_of(parts, row.about["batch"]).department if taking else row.about["department"]
    if department not in officer.departments or not (taking or row.by == officer.by):
        raise NoSuchJob(str(number))
    return row


def check_list(parts: Parts, job: Job, progress: Progress) -> Mapping[str, Any]:
    """How the list fared and its number; or, where a column is not known, the columns to point at, with the first rows
    masked. Errors of `check`, NoSuchUpload, NotYoursAnyMore."""
    assert job.upload is not None, "a list is a file"
    department = str(job.about["department"])
    _refuse_others(parts, job, department)
    file = kept(parts, job.upload)
    if file.by != job.by:
        raise NoSuchUpload(str(job.upload))
    outcome: dict[str, Any] = {}
    with as_file(parts, job.upload) as path:

        def done(connection: Connection, checked: Checked) -> None:
            """With its list, in one transaction: a killed process leaves neither."""
            words = dict(checked.words.most_common(WORDS))  # of a wrong column there would be one for each row
            columns = _columns(connection, path, department) if words else []
            outcome.update(vars(checked) | {"words": words, "columns": columns})
            job.end(connection, outcome, parts)

        try:
            insurances = tuple(map(str, job.about["insurances"]))
            asked = {"department": department, "insurances": insurances, "name": file.name}
            check(parts, path, by=job.by, progress=progress, done=done, **asked)
        except ColumnsMissing:
            with parts.reading() as connection:
                return {"missing": True, "columns": _columns(connection, path, department)}
    return outcome


def take_list(parts: Parts, job: Job, _progress: Progress) -> Mapping[str, Any]:
    """What came of it. Errors of `take`, NotYoursAnyMore."""
    batch = int(job.about["batch"])
    with parts.reading() as connection:
        found = text("select department from special_batch where id = :id")
        department = connection.execute(found, {"id": batch}).scalar_one_or_none()
    if department is None:
        raise NoSuchList(str(batch))
    _refuse_others(parts, job, department)
    return asdict(take(parts, batch, by=job.by))


def _refuse_others(parts: Parts, job: Job, department: str) -> None:
    """As his account is now."""
    own = select(Staff.departments).where(Staff.login == job.by.removeprefix("staff:"), Staff.active)
    with parts.reading() as connection:
        if department not in (connection.execute(own).scalar_one_or_none() or ()):
            raise NotYoursAnyMore(job.by)


def _columns(connection: Connection, path: Path, department: str) -> list[dict[str, Any]]:
    """Each column of the first sheet with people: its title, what it is taken for, its first cells masked."""
    said = layout_of(connection, department).columns
    lines = list(islice(HelpedList(path, said).lines(), SHOWN))
    if not lines:
        return []
    return [
        {
            "title": title,
            "field": field_of(title, said) or "",
            "cells": [_masked(plain(line.cells[place])) for line in lines if place < len(line.cells)],
        }
        for place, title in enumerate(lines[0].columns.titles)
        if title
    ]


def _masked(cell: str) -> str:
    """Whatever column it is: no name and no number is told, and of words their ends."""
    if any(letter.isalpha() for letter in cell.rstrip("Xx")):
        return mask_name(cell)
    digits = sum(letter.isdigit() for letter in cell)
    if digits >= 15:
        return mask_id(cell)
    if digits >= 7:
        return cell[:3] + "*" * (len(cell) - 3)
    return cell[:LONGEST]
