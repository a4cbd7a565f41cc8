"""Cash in villages, as town and tax see it: who holds how much since when, what went to the bank, books of receipts,
and where cash is switched on."""

from datetime import date

from apiflask import APIBlueprint
from flask import Response, redirect, render_template, request, url_for

from app.access.roles import may
from app.flows.custody import books, hand, paper, remit, switch
from app.flows.custody.void import WHY
from app.web.door.access import Answer, here, needs, officer
from app.web.door.parts import parts
from app.web.files import as_file
from core.errors import AppError

bp = APIBlueprint("office_cash", __name__, enable_openapi=False)


@bp.get("/")
@needs("cash.see")
def held() -> Answer:
    """谁手里有现金."""
    return render_template(
        "office/cash.html", hands=hand.hands(parts(), by=officer()), limits=hand.limits(parts()), **_words()
    )


@bp.get("/books")
@needs("cash.see")
def ranges() -> Answer:
    """收据本."""
    return _books()


@bp.post("/books")
@needs("cash.books")
def give() -> Answer | tuple[Answer, int]:
    """发一本."""
    form = request.form
    year, village = form.get("year", ""), form.get("village", "")[:20].replace("\0", "")
    try:
        if not (year.isascii() and year.isdecimal() and len(year) == 4):
            raise books.NoCashThisYear(year)
        first, last = form.get("first", "")[:20], form.get("last", "")[:20]
        books.give_book(parts(), village, year=int(year), first=first, last=last, by=here())
    except AppError as error:
        return _books(problem=error.sentence()), error.status
    return redirect(url_for("office_cash.ranges"), 303)


@bp.get("/switch")
@needs("cash.switch")
def where() -> Answer:
    """哪个村哪天可以收."""
    return _switch(_day())


@bp.post("/switch")
@needs("cash.switch")
def turn() -> Answer | tuple[Answer, int]:
    """开, or 关."""
    day, chosen = _day(), [code[:12] for code in request.form.getlist("village")]
    try:
        switch.switch(parts(), chosen, day, on=request.form.get("on") == "1", by=here())
    except AppError as error:
        return _switch(day, problem=error.sentence(), chosen=chosen), error.status
    return redirect(url_for("office_cash.where", day=day.isoformat()), 303)


@bp.get("/batches")
@needs("cash.see")
def sent() -> Answer:
    """存银行的."""
    return _sent()


@bp.post("/slips/<int:slip>/strike")
@needs("cash.books")
def strike(slip: int) -> Answer | tuple[Answer, int]:
    """这个凭条号不是这一批的."""
    try:
        remit.strike(parts(), slip, by=here())
    except AppError as error:
        return _sent(problem=error.sentence()), error.status
    return redirect(url_for("office_cash.sent"), 303)


@bp.get("/slips/<int:slip>/photo")
@needs("cash.see")
def photo(slip: int) -> Response:
    """The photo of a slip."""
    return as_file(remit.photo_of(parts(), slip), "image/jpeg", f"凭条-{slip}.jpg", shown=True)


@bp.get("/voided")
@needs("cash.see")
def voided() -> Answer:
    """作废的收据."""
    page = _page()
    rows = paper.voided(parts(), by=officer(), page=page)
    return render_template(
        "office/cash_voided.html", rows=rows, why=WHY, page=page, full=len(rows) == paper.PAGE, **_words()
    )


def _books(*, problem: str | None = None) -> str:
    page = _page()
    rows, pages = books.books(parts(), by=officer(), page=page)
    return render_template(
        "office/cash_books.html",
        rows=rows,
        page=page,
        pages=pages,
        gives=may(officer().role, "cash.books"),
        years=books.years_with_cash(parts()),
        problem=problem,
        typed=request.form,
        **_words(),
    )


def _switch(day: date, *, problem: str | None = None, chosen: list[str] | None = None) -> str:
    return render_template(
        "office/cash_switch.html",
        rows=switch.switches(parts(), day, by=officer()),
        day=day,
        today=parts().clocks.today(),
        chosen=chosen or [],
        problem=problem,
        **_words(),
    )


def _sent(*, problem: str | None = None) -> str:
    page = _page()
    rows = remit.batches(parts(), by=officer(), page=page)
    return render_template(
        "office/cash_batches.html",
        rows=rows,
        page=page,
        full=len(rows) == remit.PAGE,
        strikes=may(officer().role, "cash.books"),
        problem=problem,
        **_words(),
    )


def _day() -> date:
    """The day that is looked at, or today."""
    try:
        return date.fromisoformat(request.values.get("day", ""))
    except ValueError:
        return parts().clocks.today()


def _page() -> int:
    asked = request.args.get("page", "1")
    return max(1, int(asked)) if asked.isascii() and asked.isdecimal() and len(asked) < 5 else 1


def _words() -> dict[str, object]:
    return {"serial_words": books.serial_words, "switches": may(officer().role, "cash.switch")}
