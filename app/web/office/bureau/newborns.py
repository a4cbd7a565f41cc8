"""Children without an identity number, at the medical bureau: the list, one with its certificate, the bureau's word."""

from collections.abc import Callable

from apiflask import APIBlueprint
from flask import Response, make_response, redirect, render_template, request, url_for

from app.access.roles import may
from app.flows.newborn import register
from app.flows.newborn.apply import NoSuchNewborn
from app.flows.newborn.desk import PAGE, case, picture, queue
from app.registry.newborns import OPEN, WORDS
from app.web.door.access import Answer, needs, officer
from app.web.door.parts import parts
from core.errors import AppError

bp = APIBlueprint("office_newborns", __name__, enable_openapi=False)
MOST_PAGES = 100_000


@bp.get("/")
@needs("newborn.see")
def listed() -> Answer:
    """What waits, or what is over; a page of it."""
    done = "done" in request.args
    page = min(max(request.args.get("page", 1, type=int), 1), MOST_PAGES)
    rows, count = queue(parts(), officer(), done=done, page=page)
    return render_template(
        "office/newborns.html",
        rows=rows,
        count=count,
        page=page,
        pages=max(1, -(-count // PAGE)),
        done=done,
        me=officer().by,
        words=WORDS,
    )


@bp.get("/<number>")
@needs("newborn.see")
def one(number: str) -> Answer:
    """One, and what this desk may do about it."""
    return _page(_known(number))


@bp.get("/<number>/picture")
@needs("newborn.see")
def picture_of(number: str) -> Response:
    """The certificate: never kept by a browser."""
    drawn = picture(parts(), _known(number))
    shown = make_response(drawn)
    shown.mimetype = "image/png" if drawn.startswith(b"\x89PNG") else "image/jpeg"
    return shown


@bp.post("/<number>/check")
@needs("newborn.decide")
def check_one(number: str) -> Answer | tuple[Answer, int]:
    """开始核实."""
    return _done(number, lambda key: register.check(parts(), key, by=officer()))


@bp.post("/<number>/register")
@needs("newborn.decide")
def register_one(number: str) -> Answer | tuple[Answer, int]:
    """对得上，登记."""
    compared = "compared" in request.form
    return _done(number, lambda key: register.register(parts(), key, by=officer(), compared=compared))


@bp.post("/<number>/refuse")
@needs("newborn.decide")
def refuse_one(number: str) -> Answer | tuple[Answer, int]:
    """不登记, and why. What was typed stays on an error."""
    reason = request.form.get("reason", "")[:400]
    return _done(number, lambda key: register.refuse(parts(), key, reason, by=officer()))


def _done(number: str, step: Callable[[int], object]) -> Answer | tuple[Answer, int]:
    key = _known(number)
    try:
        step(key)
    except NoSuchNewborn:
        raise
    except AppError as error:
        return _page(key, problem=error.sentence()), error.status
    return redirect(url_for("office_newborns.one", number=number), 303)


def _page(number: int, *, problem: str | None = None) -> str:
    who = officer()
    found = case(parts(), number, reader=who if may(who.role, "newborn.decide") else None)
    own = found.head.requested_by == who.by
    return render_template(
        "office/newborn.html",
        case=found,
        problem=problem,
        typed=request.form,
        words=WORDS,
        own=own,
        decides=found.head.state in OPEN and may(who.role, "newborn.decide") and not own,
    )


def _known(number: str) -> int:
    """NoSuchNewborn for what is no number of ours."""
    if not (number.isascii() and number.isdecimal() and len(number) < 18):
        raise NoSuchNewborn(number)
    return int(number)
