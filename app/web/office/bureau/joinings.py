"""Birth certificates and identity numbers joined, at either bureau: one asks, another agrees."""

from collections.abc import Callable

from apiflask import APIBlueprint
from flask import redirect, render_template, request, url_for

from app.access.roles import may
from app.flows.newborn import join
from app.flows.newborn.joins import OPEN, PAGE, WORDS, NoSuchJoiningPage, one, queue
from app.web.door.access import Answer, needs, officer
from app.web.door.parts import parts
from core.errors import AppError

bp = APIBlueprint("office_joinings", __name__, enable_openapi=False)
MOST_PAGES = 100_000


@bp.get("/")
@needs("joining.see")
def listed() -> Answer:
    """What is open, or what is over; and a form for what came with a paper."""
    return _list()


@bp.post("/")
@needs("joining.ask")
def ask_one() -> Answer | tuple[Answer, int]:
    """户口下来了. What was typed stays on an error."""
    said = (request.form.get(name, "")[:400] for name in ("certificate", "name", "number", "proof"))
    try:
        made = join.ask(parts(), join.Said(*said), by=officer())
    except AppError as error:
        return _list(error), error.status
    return _to(str(made))


@bp.get("/<number>")
@needs("joining.see")
def shown(number: str) -> Answer:
    """One, and what this desk may do about it."""
    return _page(_known(number))


@bp.post("/<number>/ask")
@needs("joining.ask")
def take_up_one(number: str) -> Answer | tuple[Answer, int]:
    """是同一个人, of what a file offered."""
    proof = request.form.get("proof", "")[:400]
    return _done(number, lambda key: join.take_up(parts(), key, proof, by=officer()))


@bp.post("/<number>/agree")
@needs("joining.ask")
def agree_one(number: str) -> Answer | tuple[Answer, int]:
    """同意并号."""
    return _done(number, lambda key: join.agree(parts(), key, by=officer()))


@bp.post("/<number>/refuse")
@needs("joining.ask")
def refuse_one(number: str) -> Answer | tuple[Answer, int]:
    """不是同一个人, and why."""
    why = request.form.get("why", "")[:400]
    return _done(number, lambda key: join.refuse(parts(), key, why, by=officer()))


@bp.post("/<number>/withdraw")
@needs("joining.ask")
def withdraw_one(number: str) -> Answer | tuple[Answer, int]:
    """撤回, by who asked."""
    return _done(number, lambda key: join.withdraw(parts(), key, by=officer()))


def _list(problem: AppError | None = None) -> str:
    done = "done" in request.args
    page = min(max(request.args.get("page", 1, type=int), 1), MOST_PAGES)
    rows, count = queue(parts(), done=done, page=page)
    return render_template(
        "office/joinings.html",
        rows=rows,
        count=count,
        page=page,
        pages=max(1, -(-count // PAGE)),
        done=done,
        me=officer().by,
        words=WORDS,
        asks=may(officer().role, "joining.ask") and not done,
        problem=problem.sentence() if problem else None,
        fields=(problem.fields if problem else None) or {},
        typed=request.form,
    )


def _done(number: str, step: Callable[[int], object]) -> Answer | tuple[Answer, int]:
    key = _known(number)
    try:
        step(key)
    except join.NoSuchJoining:
        raise
    except AppError as error:
        return _page(key, error), error.status
    return _to(number)


def _page(number: int, problem: AppError | None = None) -> str:
    who = officer()
    found = one(parts(), number, reader=who if may(who.role, "joining.ask") else None)
    own = found.head.asked_by == who.by
    acts = may(who.role, "joining.ask") and found.head.state in OPEN
    return render_template(
        "office/joining.html",
        one=found,
        problem=problem.sentence() if problem else None,
        fields=(problem.fields if problem else None) or {},
        typed=request.form,
        words=WORDS,
        own=own,
        acts=acts,
    )


def _known(number: str) -> int:
    """NoSuchJoiningPage for what is no number of ours."""
    if not (number.isascii() and number.isdecimal() and len(number) < 18):
        raise NoSuchJoiningPage(number)
    return int(number)


def _to(number: str) -> Answer:
    return redirect(url_for("office_joinings.shown", number=number), 303)
