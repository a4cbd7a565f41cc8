"""One levy year: what it needs before it is opened, who opened and closed it, and the lead's two buttons."""

from apiflask import APIBlueprint
from flask import redirect, render_template, request, url_for

from app.access.roles import may
from app.flows.register.check_year import check_year
from app.flows.register.open_year import (
    NewestYearStays,
    YearNotReady,
    close_year,
    levy_year,
    open_year,
    what_stays,
)
from app.policy.year import NoSuchYear
from app.registry.register import ImportUnderWay
from app.web.door.access import Answer, needs, officer
from app.web.door.parts import parts
from core.errors import AppError

bp = APIBlueprint("office_years", __name__, enable_openapi=False)


@bp.get("/<int:year>")
@needs("year.see")
def one(year: int) -> Answer:
    """Where it stands, and line by line what is looked at before it is opened."""
    return _page(year)


@bp.post("/<int:year>/open")
@needs("year.open")
def open_one(year: int) -> Answer | tuple[Answer, int]:
    """开征; whoever did not say that he has read the lines reads them again."""
    if "sure" in request.form:
        try:
            open_year(parts(), year, by=officer())
        except (YearNotReady, ImportUnderWay) as error:
            return _page(year, problem=error), error.status
    return redirect(url_for("office_years.one", year=year), 303)


@bp.post("/<int:year>/close")
@needs("year.open")
def close_one(year: int) -> Answer | tuple[Answer, int]:
    """停止征缴."""
    if "sure" in request.form:
        try:
            close_year(parts(), year, by=officer())
        except NewestYearStays as error:
            return _page(year, problem=error), error.status
    return redirect(url_for("office_years.one", year=year), 303)


def _page(year: int, *, problem: AppError | None = None) -> str:
    """NoSuchYear for one that has no file and was never opened."""
    held = levy_year(parts(), year)
    if held is None:
        raise NoSuchYear(str(year))
    lines = check_year(parts(), year)
    return render_template(
        "office/levy_year.html",
        held=held,
        lines=lines,
        ready=all(line.ok is not False for line in lines),
        stays=what_stays(parts(), year),
        is_newest=year == parts().levy.ever.newest,
        may_open=may(officer().role, "year.open"),
        problem=problem.sentence() if problem else None,
    )
