"""What offices contradict each other about: the list, what is late first; one with what each side says, and the word of
the office that owns it."""

from apiflask import APIBlueprint
from flask import redirect, render_template, request, url_for

from app.access.roles import may
from app.flows.cases.desk import WORDS, said_alive
from app.flows.conflicts.queue import PAGE, NoSuchConflict, case, queue
from app.flows.conflicts.solve import LONGEST, BadWhy, DecidedAlready, NameAsBefore, solve
from app.policy.words import phrases
from app.registry.conflicts import ABOUT_LIFE, State
from app.web.door.access import Answer, needs, officer, reference
from app.web.door.parts import parts

bp = APIBlueprint("office_conflicts", __name__, enable_openapi=False)
MOST_PAGES = 100_000


@bp.get("/")
@needs("conflict.see")
def listed() -> Answer:
    """What waits for this office, or what is over; a page of it."""
    done = "done" in request.args
    page = min(max(request.args.get("page", 1, type=int), 1), MOST_PAGES)
    rows, count = queue(parts(), officer(), done=done, page=page)
    shown = {"rows": rows, "count": count, "page": page, "pages": max(1, -(-count // PAGE)), "done": done}
    return render_template("office/conflicts.html", **shown, insurances=phrases("names"))


@bp.get("/<number>")
@needs("conflict.see")
def one(number: str) -> Answer:
    """One, and what this desk may do about it."""
    return _page(_known(number))


@bp.post("/<number>/solve")
@needs("conflict.solve")
def solve_one(number: str) -> Answer | tuple[Answer, int]:
    """谁说得对. What was typed stays on an error."""
    word, why = request.form.get("word", "")[:20], request.form.get("why", "")[:2000]
    try:
        solve(parts(), _known(number), word=word, why=why, by=officer())
    except (BadWhy, NameAsBefore, DecidedAlready) as error:
        return _page(_known(number), problem=error.sentence()), error.status
    return redirect(url_for("office_conflicts.one", number=number), 303)


def _page(number: int, *, problem: str | None = None) -> str:
    found, who = case(parts(), officer(), number), officer()
    return render_template(
        "office/conflict.html",
        case=found,
        person=reference(found.person_id),
        other=reference(found.other_id) if found.other_id else "",
        insurances=phrases("names"),
        solves=may(who.role, "conflict.solve") and found.head.own and found.head.state is State.OPEN,
        problem=problem,
        typed=request.form,
        most=LONGEST,
        alive=said_alive(parts(), who, found.person_id) if found.head.kind in ABOUT_LIFE else [],
        stands=WORDS,
    )


def _known(number: str) -> int:
    """NoSuchConflict for what is no number of ours."""
    if not (number.isascii() and number.isdecimal() and len(number) < 18):
        raise NoSuchConflict(number[:20])
    return int(number)
