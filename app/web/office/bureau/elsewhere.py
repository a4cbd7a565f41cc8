"""Who paid in another place, as an office found: the list, what is to be asked again first; asked again, taken back."""

from apiflask import APIBlueprint
from flask import redirect, render_template, request, url_for

from app.access.roles import REVIEWS, may
from app.flows.cases.elsewhere import LONGEST, PAGE, BadTakingBack, OverAlready, findings, still_so, take_back
from app.web.door.access import Answer, needs, officer, reference
from app.web.door.parts import parts

bp = APIBlueprint("office_elsewhere", __name__, enable_openapi=False)
MOST_PAGES = 100_000


@bp.get("/")
@needs("elsewhere.see")
def listed() -> Answer:
    """What stands, or what was taken back; a page of it."""
    return _listed()


@bp.post("/<int:key>/again")
@needs("elsewhere.find")
def again_one(key: int) -> Answer | tuple[Answer, int]:
    """再问过了，还是这样."""
    try:
        still_so(parts(), key, by=officer())
    except OverAlready as error:
        return _listed(problem=error.sentence()), error.status
    return redirect(url_for("office_elsewhere.listed"), 303)


@bp.post("/<int:key>/back")
@needs("elsewhere.find")
def back_one(key: int) -> Answer | tuple[Answer, int]:
    """收回. What was typed stays on an error."""
    try:
        take_back(parts(), key, why=request.form.get("why", "")[:2000], by=officer())
    except (BadTakingBack, OverAlready) as error:
        return _listed(problem=error.sentence(), typed=(key, request.form.get("why", ""))), error.status
    return redirect(url_for("office_elsewhere.listed"), 303)


def _listed(*, problem: str | None = None, typed: tuple[int, str] = (0, "")) -> str:
    done = "done" in request.args
    page = min(max(request.args.get("page", 1, type=int), 1), MOST_PAGES)
    rows, count = findings(parts(), officer(), done=done, page=page)
    return render_template(
        "office/elsewhere.html",
        rows=[(each, reference(each.row.person_id)) for each in rows],
        count=count,
        page=page,
        pages=max(1, -(-count // PAGE)),
        done=done,
        finds=may(officer().role, "elsewhere.find") and officer().role in REVIEWS,
        problem=problem,
        typed=typed,
        most=LONGEST,
    )
