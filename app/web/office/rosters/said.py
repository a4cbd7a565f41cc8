"""Objections to lists that hang: what is open, the office's answer, the town's word for who telephoned."""

from collections.abc import Callable

from apiflask import APIBlueprint
from flask import redirect, render_template, request, url_for

from app.access.roles import may
from app.flows.roster import desk, objections
from app.policy.facts import Insurance
from app.policy.words import phrases
from app.web.door.access import Answer, needs, officer
from app.web.door.parts import parts
from core.errors import AppError, NotFound

bp = APIBlueprint("office_objections", __name__, enable_openapi=False)
WIDEST = 2000


@bp.get("/")
@needs("roster.see")
def listed() -> Answer:
    """What waits for this desk; for who only looks all that is open."""
    return _listed()


@bp.post("/of/<int:roster>")
@needs("roster.hand")
def raise_one(roster: int) -> Answer | tuple[Answer, int]:
    """The town says it for who telephoned."""
    desk.sheet(parts(), officer(), roster)
    words, contact = request.form.get("words", "")[:WIDEST], request.form.get("contact", "")[:WIDEST]
    near = {"contact": contact, "session": officer().session, "by": officer().by, "near": True}
    return _done(
        lambda: objections.raise_one(parts(), roster, words, **near),  # type: ignore[arg-type]
        url_for("office_rosters.one", roster=roster),
    )


@bp.post("/<int:key>/answer")
@needs("objection.answer")
def answer_one(key: int) -> Answer | tuple[Answer, int]:
    """有道理, or 不用改, and why."""
    accepted, words = request.form.get("accepted") == "yes", request.form.get("words", "")[:WIDEST]
    return _done(lambda: objections.answer(parts(), key, words, accepted=accepted, by=officer()), _own(), key)


@bp.post("/<int:key>/told")
@needs("roster.hand")
def told_one(key: int) -> Answer | tuple[Answer, int]:
    """告诉他了."""
    return _done(lambda: objections.told(parts(), key, session=officer().session), _own())


def _done(act: Callable[[], object], back: str, key: int = 0) -> Answer | tuple[Answer, int]:
    try:
        act()
    except NotFound:
        raise
    except AppError as error:
        return _listed(problem=error.sentence(), typed=(key, request.form)), error.status
    return redirect(back, 303)


def _listed(*, problem: str | None = None, typed: tuple[int, object] = (0, None)) -> str:
    who = officer()
    return render_template(
        "office/objections.html",
        rows=objections.open_ones(parts(), who),
        rights=objections.to_put_right(parts(), who),
        answers=may(who.role, "objection.answer"),
        tells=may(who.role, "roster.hand") and not who.glass,
        insurances={str(each): phrases("names")[each] for each in Insurance},
        owners=objections.OWNERS,
        problem=problem,
        typed=typed,
        most=objections.MOST,
    )


def _own() -> str:
    return url_for("office_objections.listed")
