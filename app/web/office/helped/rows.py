"""Lists of helped people and their failed rows: looked at, told, ended, closed, given back as a file."""

from collections.abc import Callable
from datetime import date

from apiflask import APIBlueprint
from flask import Response, redirect, render_template, request, url_for

from app.access.roles import Role, may
from app.flows.helped import lists, live
from app.flows.helped.back import INSURANCES, STATES, file_for
from app.flows.helped.bills import STATES as BILL_STATES
from app.flows.helped.bills import bills_of_list
from app.flows.helped.live import ENDS, HOW, WHOM, BadTold, Hand, Told
from app.registry.helped_reasons import OF_MANY
from app.web.door.access import Answer, needs, officer
from app.web.door.parts import parts
from app.web.files import as_file
from app.web.office.helped.send import listed_page
from core.errors import AppError

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
MOST_PAGES = 100_000
bp = APIBlueprint("office_helped", __name__, enable_openapi=False)


@bp.get("/")
@needs("helped.see")
def listed() -> Answer:
    """The lists, the latest first."""
    return listed_page(page=_page())


@bp.get("/waiting")
@needs("helped.see")
def waiting() -> Answer:
    """Every failed row without an end, those that wait longest first."""
    rows, more = lists.waiting(parts(), page=_page())
    return render_template("office/helped_waiting.html", rows=rows, more=more, page=_page(), **_words())


@bp.get("/<int:batch>")
@needs("helped.see")
def one(batch: int) -> Answer:
    """One list, why its rows failed, and a page of those."""
    return _list_page(batch)


@bp.get("/<int:batch>/back.xlsx")
@needs("helped.close")
def back(batch: int) -> Response:
    """The failed rows in the department's own columns; it is written down who took them."""
    return as_file(file_for(parts(), officer(), batch), XLSX, f"名单{batch}没有办成的.xlsx")


@bp.post("/<int:batch>/<int:no>/told")
@needs("helped.answer")
def tell(batch: int, no: int) -> Answer | tuple[Answer, int]:
    """Who was told, on which day, how; and where it is over already, how it ended."""
    form = request.form

    def act() -> None:
        said = Told(form.get("whom", ""), form.get("how", ""), _day(form.get("on", "")))
        if state := form.get("state", ""):
            live.ended(parts(), batch, no, state=state, why=form.get("why", ""), hand=_hand(), said=said)
        else:
            live.told(parts(), batch, no, said, hand=_hand())

    return _done(batch, act, no=no)


@bp.post("/<int:batch>/<int:no>/end")
@needs("helped.answer")
def end(batch: int, no: int) -> Answer | tuple[Answer, int]:
    """Settled, or given up, with a word."""
    state, why = request.form.get("state", ""), request.form.get("why", "")
    return _done(batch, lambda: live.ended(parts(), batch, no, state=state, why=why, hand=_hand()), no=no)


@bp.post("/<int:batch>/back")
@needs("helped.send")
def take_back(batch: int) -> Answer | tuple[Answer, int]:
    """Somebody was named by mistake."""
    form = request.form
    said = form.get("number", ""), form.get("insurance", "")
    return _done(batch, lambda: live.taken_back(parts(), batch, *said, why=form.get("mistake", ""), hand=_hand()))


@bp.post("/<int:batch>/close")
@needs("helped.close")
def close(batch: int) -> Answer | tuple[Answer, int]:
    """Nothing of the list is left to do."""
    return _done(batch, lambda: live.closed(parts(), batch, hand=_hand()))


def _done(batch: int, act: Callable[[], object], *, no: int = 0) -> Answer | tuple[Answer, int]:
    try:
        act()
    except AppError as error:
        return _list_page(batch, problem=error.sentence(), wrong=no), error.status
    return redirect(url_for("office_helped.one", batch=batch, page=_page(), _anchor=f"row-{no}" if no else None), 303)


def _day(typed: str) -> date | None:
    """BadTold for what is none."""
    try:
        return date.fromisoformat(typed) if typed else None
    except ValueError:
        raise BadTold from None


def _list_page(batch: int, *, problem: str | None = None, wrong: int = 0) -> str:
    row, (rows, more) = lists.batch(parts(), batch), lists.failed(parts(), batch, page=_page())
    codes = [(each.code, OF_MANY[each.code], each.rows) for each in lists.codes(parts(), batch)]
    role = officer().role
    own = row.department in officer().departments
    return render_template(
        "office/helped_list.html",
        batch=row,
        rows=rows,
        more=more,
        page=_page(),
        codes=codes,
        people=lists.people(parts(), batch),
        taken_back=lists.taken_back(parts(), batch),
        bills=bills_of_list(parts(), batch),
        bill_states=BILL_STATES,
        problem=problem,
        wrong=wrong,
        where=next((each.row.place for each in rows if each.row.no == wrong), ""),
        today=parts().clocks.today(),
        typed=request.form,
        sends=own and may(role, "helped.send"),
        closes=may(role, "helped.close") and (own or role is Role.MEDICAL),
        answers=may(role, "helped.answer"),
        **_words(),
    )


def _words() -> dict[str, object]:
    return {
        "insurances": INSURANCES,
        "states": STATES,
        "how": HOW,
        "whom": WHOM,
        "ends": ENDS,
        "outcomes": {"": "还没有，先记下告知", **ENDS},
        "departments": parts().departments,
    }


def _hand() -> Hand:
    return Hand(officer().session)


def _page() -> int:
    asked = request.args.get("page", "1")
    return int(asked) if asked.isascii() and asked.isdecimal() and 0 < int(asked[:9]) <= MOST_PAGES else 1
