"""A department's file: sent, judged by the office process, its columns and words pointed at, taken in."""

import re
from contextlib import closing
from typing import Any

from apiflask import APIBlueprint
from flask import redirect, render_template, request, url_for

from app.flows.hand_in.ask import NoSuchJob, ask
from app.flows.hand_in.keep import EmptyFile, keep
from app.flows.helped import live
from app.flows.helped.back import INSURANCES
from app.flows.helped.jobs import CHECK, confirm, job_of
from app.flows.helped.layout import DISABILITY, BadLayout, Layout, categories, learn_here
from app.flows.helped.lists import batch as batch_of
from app.flows.helped.lists import batches
from app.flows.helped.live import Hand
from app.policy.told_who import told_group
from app.registry.helped_columns import FIELDS
from app.registry.helped_reasons import NOTES, OF_MANY
from app.web.door.access import Answer, needs, officer
from app.web.door.parts import parts
from core.errors import AppError

bp = APIBlueprint("office_helped_send", __name__, enable_openapi=False)


@bp.post("/send")
@needs("helped.send")
def send() -> Answer | tuple[Answer, int]:
    """The file and for which insurances; then it is judged."""
    file, form = request.files.get("file"), request.form
    insurances = [each for each in form.getlist("insurance") if each in INSURANCES]
    try:
        if file is None or not file.filename:
            raise EmptyFile
        with closing(file.stream) as stream:
            upload = keep(parts(), officer(), stream, name=file.filename)
        about = {"department": _own(form.get("department", "")), "insurances": insurances or list(INSURANCES)}
        number = ask(parts(), officer(), CHECK, upload=upload, about=about)
    except AppError as error:
        return listed_page(problem=error.sentence()), error.status
    return redirect(url_for("office_helped_send.job", work=number), 303)


@bp.get("/job/<int:work>")
@needs("helped.send")
def job(work: int) -> Answer:
    """How far it is; at its end what came of it."""
    return _job_page(work)


@bp.post("/job/<int:work>/layout")
@needs("helped.send")
def say_layout(work: int) -> Answer | tuple[Answer, int]:
    """Which column is what, and what words mean: kept for the next file too, and the file is judged again."""
    row = job_of(parts(), officer(), work)
    try:
        learn_here(parts(), officer(), row.about["department"], _layout(row.outcome or {}))
        if batch := (row.outcome or {}).get("batch"):
            live.dropped(parts(), batch, hand=Hand(officer().session))
        again = ask(parts(), officer(), CHECK, upload=row.upload_id, about=row.about)
    except AppError as error:
        return _job_page(work, problem=error.sentence()), error.status
    return redirect(url_for("office_helped_send.job", work=again), 303)


@bp.post("/<int:batch>/take")
@needs("helped.send")
def take_one(batch: int) -> Answer:
    """确认导入."""
    number = confirm(parts(), officer(), batch)
    return redirect(url_for("office_helped_send.job", work=number), 303)


@bp.post("/<int:batch>/drop")
@needs("helped.send")
def drop_one(batch: int) -> Answer:
    """作废, before it was taken in."""
    live.dropped(parts(), batch, hand=Hand(officer().session))
    return redirect(url_for("office_helped.listed"), 303)


def listed_page(*, page: int = 1, problem: str | None = None) -> str:
    """The lists that the officer may see, and for a department the form to send one."""
    rows, more = batches(parts(), page=page)
    own = {code: parts().departments.get(code, code) for code in sorted(officer().departments)}
    words = {"own": own, "insurances": INSURANCES, "departments": parts().departments, "problem": problem}
    return render_template("office/helped_lists.html", rows=rows, more=more, page=page, **words)


def _own(code: str) -> str:
    """One of the officer's departments; where he has one only, that."""
    mine = sorted(officer().departments)
    if code in mine:
        return code
    if len(mine) == 1 and not code:
        return mine[0]
    raise NoSuchJob(code)


def _job_page(number: int, *, problem: str | None = None) -> str:
    row = job_of(parts(), officer(), number)
    outcome = row.outcome or {}
    rules, listed = parts().rules, batch_of(parts(), outcome["batch"]) if outcome.get("batch") else None
    choices = {each: told_group(each, rules) for each in categories(rules)}
    return render_template(
        "office/helped_job.html",
        job=row,
        outcome=outcome,
        codes={code: (OF_MANY[code], rows) for code, rows in outcome.get("codes", {}).items()},
        notes={NOTES[note]: rows for note, rows in outcome.get("notes", {}).items()},
        fields=FIELDS,
        choices=choices | {DISABILITY: "残疾（等级写在另一列）"},
        problem=problem,
        dropped=listed if listed is not None and listed.state == "DROPPED" else None,
        refresh=None if row.state in ("done", "failed") else 2,
        typed=request.form,
    )


def _layout(outcome: dict[str, Any]) -> Layout:
    """What was chosen, of the columns and words that the page showed."""
    columns, words = {}, {}
    for at, each in enumerate(outcome.get("columns", [])):
        chosen = request.form.get(f"column-{at}", "")
        if chosen and chosen != each["field"]:
            columns[each["title"]] = chosen
    for at, word in enumerate(sorted(outcome.get("words", {}))):
        chosen = request.form.get(f"word-{at}", "")
        if chosen and not re.fullmatch(r"[A-Z][A-Z0-9_]{1,39}", chosen):
            raise BadLayout(word, word=word)
        if chosen:
            words["" if word == "（空白）" else word] = chosen
    return Layout(columns, words)
