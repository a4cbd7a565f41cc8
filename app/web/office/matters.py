"""What was said to an office: the list, what is late first; one, and its answer."""

from collections.abc import Mapping

from apiflask import APIBlueprint
from flask import Response, redirect, render_template, request, url_for

from app.access.roles import may
from app.flows.cases.answer import AnsweredAlready, BadReply, DecideFirst, answer, take
from app.flows.cases.desk import PAGE, WORDS, Case, case, queue
from app.flows.cases.elsewhere import BadProof, confirm, finding_of
from app.flows.cases.row_of_dead import NoRowOfDead, offers_row, row_of_dead
from app.flows.cases.say import LONGEST, NoSuchMatter
from app.flows.conflicts.queue import of_life
from app.flows.levy import YearClosed
from app.flows.offices.people import allow_reading
from app.registry.elsewhere import CODES
from app.registry.matters import TOPICS, UNANSWERED, Stand
from app.web.door.access import Answer, needs, officer, reference
from app.web.door.parts import parts
from app.web.files import as_file

bp = APIBlueprint("office_matters", __name__, enable_openapi=False)
MOST_PAGES = 100_000
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


@bp.get("/")
@needs("matter.see")
def listed() -> Answer:
    """What waits for this office, or what it answered; a page of it."""
    done = "done" in request.args
    page = min(max(request.args.get("page", 1, type=int), 1), MOST_PAGES)
    rows, count = queue(parts(), officer(), done=done, page=page)
    pages = max(1, -(-count // PAGE))
    shown = {"rows": rows, "count": count, "page": page, "pages": pages, "done": done}
    return render_template("office/matters.html", **shown, me=officer().by, words=WORDS)


@bp.get("/<number>")
@needs("matter.see")
def one(number: str) -> Answer:
    """One, and what this desk may do about it."""
    return _page(_known(number))


@bp.post("/<number>/take")
@needs("matter.answer")
def take_one(number: str) -> Answer:
    """由我办."""
    take(parts(), _known(number), by=officer())
    return _back(number)


@bp.post("/<number>/answer")
@needs("matter.answer")
def answer_one(number: str) -> Answer | tuple[Answer, int]:
    """答复. What was typed stays on an error."""
    try:
        answer(parts(), _known(number), request.form.get("words", "")[:2000], by=officer())
    except (AnsweredAlready, BadReply, DecideFirst) as error:
        return _page(_known(number), problem=error.sentence()), error.status
    return _back(number)


@bp.post("/<number>/elsewhere")
@needs("elsewhere.find")
def elsewhere_one(number: str) -> Answer | tuple[Answer, int]:
    """核实了，确实在外地交了. What was typed stays on an error."""
    form = request.form
    year = int(form["year"]) if form.get("year", "").isdecimal() and len(form["year"]) == 4 else None
    said = {"code": form.get("code", "")[:40], "proof": form.get("proof", "")[:2000], "year": year}
    try:
        confirm(parts(), _known(number), **said, by=officer())
    except (BadProof, YearClosed) as error:
        return _page(_known(number), problem=error.sentence()), error.status
    return _back(number)


@bp.post("/<number>/row.xlsx")
@needs("register.bring")
def row_of_one(number: str) -> Answer | tuple[Answer, int] | Response:
    """下载他去世的那一行: to be handed in with the register's files."""
    who = officer()
    try:
        name, file = row_of_dead(parts(), who, _known(number), allow=lambda: allow_reading(parts(), who))
    except NoRowOfDead as error:
        return _page(_known(number), problem=error.sentence()), error.status
    return as_file(file, XLSX, name)


def _page(number: int, *, problem: str | None = None) -> str:
    found, who = case(parts(), officer(), number), officer()
    answers = may(who.role, "matter.answer") and found.head.state in UNANSWERED
    return render_template(
        "office/matter.html",
        case=found,
        person=reference(found.person_id) if found.person_id else "",
        words=WORDS,
        answers=answers,
        takes=answers and found.head.state is not Stand.TAKEN,
        problem=problem,
        found=finding_of(parts(), number),
        conflicts=_conflicts(found),
        row=may(who.role, "register.bring") and offers_row(parts(), who, found.kind, found.person_id),
        codes=_codes(found.kind) if may(who.role, "elsewhere.find") else {},
        years=parts().levy.years.all,
        proof=request.form.get("proof", ""),
        code=request.form.get("code", ""),
        typed=request.form.get("words", ""),
        most=LONGEST,
    )


def _conflicts(found: Case) -> list[int]:
    """What this office has yet to decide of somebody who says that he lives."""
    asks = found.kind == "STILL_ALIVE" and found.person_id is not None and may(officer().role, "conflict.see")
    return of_life(parts(), officer(), found.person_id) if asks else []  # type: ignore[arg-type]


def _codes(kind: str) -> Mapping[str, str]:
    """Where it may have been, of a matter that says so."""
    return CODES.get(TOPICS[kind].insurance or "", {}) if kind.startswith("PAID_ELSEWHERE") else {}


def _known(number: str) -> int:
    """NoSuchMatter for what is no number of ours."""
    if not (number.isascii() and number.isdecimal() and len(number) < 18):
        raise NoSuchMatter(number[:20])
    return int(number)


def _back(number: str) -> Answer:
    return redirect(url_for("office_matters.one", number=number), 303)
