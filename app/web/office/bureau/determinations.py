"""The bureaus' determinations: the list, one case with what speaks for it, and the bureau's word on it."""

import re
from datetime import date

from apiflask import APIBlueprint
from flask import Response, make_response, redirect, render_template, request, url_for

from app.access.roles import may
from app.flows.register import determine
from app.flows.register.desk import PAGE, case, picture, queue
from app.flows.register.determine import NoSuchDetermination, Ruling
from app.policy.words import phrases
from app.registry.determinations import BACKPAY, OPEN, WORDS, Kind, State
from app.web.door.access import Answer, needs, officer
from app.web.door.parts import parts
from core.errors import AppError, BadInput
from core.money import Fen, fen

bp = APIBlueprint("office_determinations", __name__, enable_openapi=False)
MOST_PAGES = 100_000
_BETWEEN = re.compile(r"[、，,;；\s年]+")


class BadField(BadInput):
    """An amount, a year or a day that is none."""

    text = "{what}写得不对：{how}"


@bp.get("/")
@needs("determination.see")
def listed() -> Answer:
    """What waits for this bureau's word, or what is over; a page of it."""
    done = "done" in request.args
    page = min(max(request.args.get("page", 1, type=int), 1), MOST_PAGES)
    rows, count = queue(parts(), officer(), done=done, page=page)
    return render_template(
        "office/determinations.html",
        rows=rows,
        count=count,
        page=page,
        pages=max(1, -(-count // PAGE)),
        done=done,
        me=officer().by,
        words=WORDS,
        insurances=phrases("names"),
    )


@bp.get("/<number>")
@needs("determination.see")
def one(number: str) -> Answer:
    """One, and what this desk may do about it."""
    return _page(_known(number))


@bp.get("/<number>/picture")
@needs("determination.see")
def picture_of(number: str) -> Response:
    """The paper that the applicant showed: never kept by a browser."""
    drawn = picture(parts(), officer(), _known(number))
    shown = make_response(drawn)
    shown.mimetype = "image/png" if drawn.startswith(b"\x89PNG") else "image/jpeg"
    return shown


@bp.post("/<number>/check")
@needs("determination.decide")
def check_one(number: str) -> Answer | tuple[Answer, int]:
    """开始核实."""
    try:
        determine.check(parts(), _known(number), by=officer())
    except (determine.AlreadyDecided, determine.OwnDetermination) as error:
        return _page(_known(number), problem=error.sentence()), error.status
    return _back(number)


@bp.post("/<number>/decide")
@needs("determination.decide")
def decide_one(number: str) -> Answer | tuple[Answer, int]:
    """通过, with the fields of its kind, or 不通过 and why. What was typed stays on an error."""
    try:
        ruling = _ruling()
        if ruling.approved and "sure" not in request.form:
            determine.look(parts(), _known(number), ruling, by=officer())
            return _page(_known(number), sure=ruling)
        determine.decide(parts(), _known(number), ruling, by=officer())
    except NoSuchDetermination:
        raise
    except AppError as error:
        return _page(_known(number), problem=error.sentence()), error.status
    return _back(number)


def _page(number: int, *, problem: str | None = None, sure: Ruling | None = None) -> str:
    found, who = case(parts(), officer(), number), officer()
    open_ = found.head.state in OPEN and may(who.role, "determination.decide")
    return render_template(
        "office/determination.html",
        case=found,
        problem=problem,
        sure=sure,
        typed=request.form,
        words=WORDS,
        insurance=phrases("names")[found.head.insurance],
        own=found.head.requested_by == who.by,
        checks=open_ and found.head.state is State.APPLIED and found.head.requested_by != who.by,
        decides=open_ and found.head.requested_by != who.by,
        backpay=found.head.kind in BACKPAY,
        history=found.head.kind is Kind.ENROLMENT_HISTORY,
    )


def _ruling() -> Ruling:
    """BadField."""
    form = request.form
    if form.get("word") != "yes":
        return Ruling(False, reason=form.get("reason", "")[:200])
    return Ruling(True, _amount(form.get("amount", "")), _years(form.get("years", "")), _day(form.get("start", "")))


def _amount(given: str) -> Fen | None:
    try:
        return fen(given.strip().removesuffix("元")) if given.strip() else None
    except ValueError as error:
        raise BadField(what="补缴金额", how="写成 1500 或 1500.50，单位是元。") from error


def _years(given: str) -> tuple[int, ...]:
    said = [each for each in _BETWEEN.split(given[:400]) if each]
    if any(not re.fullmatch(r"20[0-9]{2}", each) for each in said):
        raise BadField(what="年度", how="写成 2020、2021，几年的用顿号隔开。")
    return tuple(sorted({int(each) for each in said}))


def _day(given: str) -> date | None:
    try:
        return date.fromisoformat(given) if given else None
    except ValueError as error:
        raise BadField(what="享受待遇的日子", how="请从日历里选一天。") from error


def _known(number: str) -> int:
    """NoSuchDetermination for what is no number of ours."""
    if not (number.isascii() and number.isdecimal() and len(number) < 18):
        raise NoSuchDetermination(number)
    return int(number)


def _back(number: str) -> Answer:
    return redirect(url_for("office_determinations.one", number=number), 303)
