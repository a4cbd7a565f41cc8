"""Departments' bills: what is on none yet, drawn up by its bureau; all of them; one with its people, sheet and note."""

from apiflask import APIBlueprint
from flask import Response, current_app, redirect, render_template, request, url_for

from app.access.roles import Role, may
from app.flows.helped import bills
from app.flows.helped.bill_papers import fund_name, note, sheet_for
from app.flows.helped.bills import NoSuchDemand, What
from app.flows.helped.live import Hand
from app.web.door.access import Answer, needs, officer
from app.web.door.parts import parts
from app.web.files import as_file
from app.web.office.helped.rows import MOST_PAGES, XLSX
from core.errors import AppError

PDF = "application/pdf"
WAYS = {
    ("bank", "paid"): "转到收款账户",
    ("treasury", "paid"): "经国库拨付",
    ("treasury", "passed"): "从收款账户转入国库",
}
bp = APIBlueprint("office_bills", __name__, enable_openapi=False)


@bp.get("/")
@needs("bill.see")
def listed() -> Answer:
    """The bills, the latest first; for a bureau what it can draw up."""
    return _listed()


@bp.post("/draw")
@needs("bill.draw")
def draw_one() -> Answer | tuple[Answer, int]:
    """出账单."""
    form = request.form
    try:
        source = _whole(form.get("source", "")) if form.get("source") else None
        what = What(form.get("department", ""), _whole(form.get("year", ""), 4), form.get("fund", ""), source)
        number = bills.draw(parts(), what, seen=_whole(form.get("seen", "")), hand=Hand(officer().session))
    except AppError as error:
        return _listed(problem=error.sentence()), error.status
    return redirect(url_for("office_bills.one", number=number), 303)


@bp.get("/<number>")
@needs("bill.see")
def one(number: str) -> Answer:
    """One bill: what came for it, and a page of its people."""
    held, page = bills.demand(parts(), number), _page()
    rows, more = bills.people(parts(), held, page=page)
    came = [(WAYS[row.kind, row.way], row) for row in bills.payments(parts(), held)]
    words = {"came": came, "takes": _takes(held.fund), **_words()}
    return render_template("office/bill.html", bill=held, rows=rows, more=more, page=page, **words)


@bp.get("/<number>/people.xlsx")
@needs("bill.take")
def people(number: str) -> Response:
    """Its people with full numbers, for the department or the bureau; it is written down who took them."""
    if not _takes(bills.demand(parts(), number).fund):
        raise NoSuchDemand(number)
    return as_file(sheet_for(parts(), officer(), number), XLSX, f"代缴账单{number}.xlsx")


@bp.get("/<number>/note.pdf")
@needs("bill.see")
def paper(number: str) -> Response:
    """The demand note; nobody's name is on it."""
    payee = current_app.extensions["settings"].payee_name
    return as_file(note(parts(), number, payee=payee), PDF, f"代缴账单{number}.pdf")


def _listed(*, problem: str | None = None) -> str:
    rows, more = bills.demands(parts(), page=_page())
    draws = may(officer().role, "bill.draw")
    open_ones = [each for each in bills.unbilled(parts()) if _takes(each.what.fund)] if draws else []
    shown = {
        "rows": rows,
        "more": more,
        "page": _page(),
        "draws": draws,
        "departs": officer().role is Role.DEPARTMENT,
        "unbilled": open_ones,
        "problem": problem,
    }
    return render_template("office/bills.html", **shown, **_words())


def _takes(fund: str) -> bool:
    """May he read its people: of his insurance, or of his department (of others the database shows him none)?"""
    role = officer().role
    return role is Role.DEPARTMENT or role is (Role.HRSS if fund == "RES_PENSION" else Role.MEDICAL)


def _words() -> dict[str, object]:
    return {
        "departments": parts().departments,
        "states": bills.STATES,
        "fund_name": lambda code: fund_name(parts(), code),
    }


def _whole(typed: str, most: int = 15) -> int:
    """Of at most so many digits. NoSuchDemand for what no page of ours sends."""
    if not (typed.isascii() and typed.isdecimal() and len(typed) <= most):
        raise NoSuchDemand
    return int(typed)


def _page() -> int:
    asked = request.args.get("page", "1")
    return int(asked) if asked.isascii() and asked.isdecimal() and 0 < int(asked[:9]) <= MOST_PAGES else 1
