"""Break-glass: asked for, opened by another, ended by either; for the auditor every request that was made in it."""

from collections.abc import Callable

from apiflask import APIBlueprint
from flask import redirect, render_template, request, url_for

from app.access.roles import Role, may
from app.flows.offices import glass as flow
from app.flows.offices.people import BadReadingReason
from app.web.door.access import Answer, needs, officer
from app.web.door.parts import parts
from app.web.office.desk import DOORS
from core.errors import NotFound

bp = APIBlueprint("office_glass", __name__, enable_openapi=False)
PAGES = {"desk.home": "首页", "office_people.one": "一个人", "office_people.numbers": "一个人的完整号码"}


@bp.get("/")
@needs("glass.see")
def listed() -> Answer:
    """What is asked for, open, and over."""
    return _page()


@bp.post("/")
@needs("glass.ask")
def ask() -> Answer | tuple[Answer, int]:
    """申请应急查看; what was typed stays when it cannot be taken."""
    reason = request.form.get("reason", "")[:400]
    try:
        flow.ask(parts(), officer(), reason=reason)
    except (BadReadingReason, flow.OneGlassAtATime) as error:
        return _page(problem=error.sentence(), reason=reason), error.status
    return redirect(url_for("office_glass.listed"), 303)


@bp.post("/<number>/open")
@needs("glass.open")
def open_one(number: str) -> Answer | tuple[Answer, int]:
    """打开一小时."""
    return _moved(lambda: flow.open_it(parts(), officer(), _known(number)))


@bp.post("/<number>/end")
@needs("glass.see")
def end_one(number: str) -> Answer | tuple[Answer, int]:
    """结束."""
    return _moved(lambda: flow.end(parts(), officer(), _known(number)))


@bp.get("/<number>")
@needs("disclosure.see")
def one(number: str) -> Answer:
    """Every request made in one, for the auditor."""
    glass = flow.one(parts(), _known(number))
    if glass is None:
        raise NotFound(number)
    return render_template(
        "office/glass_one.html", glass=glass, seen=flow.seen(parts(), glass.id), page_name=_page_name
    )


def _page_name(endpoint: str) -> str:
    """As the menu calls it, or what it lies behind."""
    doors = {end: name for _, end, name, _ in DOORS}
    behind = {end.partition(".")[0]: name for end, name in doors.items()}
    return PAGES.get(endpoint) or doors.get(endpoint) or behind.get(endpoint.partition(".")[0], endpoint)


def _known(number: str) -> int:
    """NotFound for what is no number of ours."""
    if not (number.isascii() and number.isdecimal() and len(number) < 18):
        raise NotFound(number)
    return int(number)


def _moved(step: Callable[[], None]) -> Answer | tuple[Answer, int]:
    try:
        step()
    except flow.NotYourGlass as error:
        return _page(problem=error.sentence()), error.status
    return redirect(url_for("office_glass.listed"), 303)


def _page(*, problem: str | None = None, reason: str = "") -> str:
    who, now = officer(), parts().clocks.wall()
    return render_template(
        "office/glass.html",
        rows=flow.listed(parts()),
        me=who.by,
        now=now,
        asks=may(who.role, "glass.ask"),
        opens=may(who.role, "glass.open"),
        audits=who.role is Role.AUDITOR,
        problem=problem,
        reason=reason,
    )
