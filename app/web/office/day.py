"""The days: each one's books side by side, its differences with what may be done about them, and its close."""

from datetime import date
from typing import Any

from apiflask import APIBlueprint
from flask import redirect, render_template, request, url_for

from app.access.roles import may
from app.documents.certificate import draw
from app.flows.reconcile import clear_difference, close_day
from app.flows.reconcile.certify import account_names, certificate
from app.flows.reconcile.compare import reconcile_day
from app.flows.reconcile.import_outside import import_outside
from app.web.door.access import Answer, needs, officer
from app.web.door.parts import parts
from app.web.files import as_file
from core.errors import AppError, NotFound
from payments.ledger import seal
from payments.ledger.chart import CHANNELS, INSURANCES
from payments.reconcile import compare, day_books, discrepancies
from payments.reconcile.outside_files import KINDS as FILES
from payments.reconcile.outside_files import template

bp = APIBlueprint("day", __name__, enable_openapi=False)
PAGE = 200
FILE_NAMES = {"bank": "银行到账", "treasury": "国库入库", "bureau": "部门确认", "pos": "建行POS"}


class NoSuchDay(NotFound):
    """An address that names no day."""

    text = "没有这一天。"


@bp.get("/")
@needs("day.see")
def days() -> Answer:
    """The last days, newest first, with what is open on each."""
    return _days_page()


@bp.post("/files")
@needs("day.clear")
def take_file() -> Answer | tuple[Answer, int]:
    """A file of the bank, the treasury, a bureau or the terminals."""
    kind, sent = request.form.get("kind", ""), request.files.get("file")
    if kind not in FILES or sent is None:
        return _days_page(problem="请选文件和种类。"), 400
    try:
        done = import_outside(parts(), kind, sent.read(), by=_me())
    except AppError as error:
        return _days_page(problem=error.sentence()), error.status
    told = f"导入{done.rows}行，未处理差异{done.open}条。" if done.taken else "这个文件以前导入过，没有改变。"
    return _days_page(told=told)


@bp.get("/files/<kind>.csv")
@needs("day.clear")
def empty_file(kind: str) -> Answer:
    """A file to fill in, with the heads that are read."""
    if kind not in FILES:
        raise NoSuchDay(kind)
    return as_file(template(kind), "text/csv; charset=utf-8", f"{FILE_NAMES[kind]}-样表.csv")


@bp.get("/<day>")
@needs("day.see")
def one(day: str) -> Answer:
    """One day."""
    return _day_page(_day(day))


@bp.get("/<day>/lines/<channel>")
@needs("day.see")
def lines(day: str, channel: str) -> Answer:
    """Matched lines of one channel, a page at a time."""
    if channel not in CHANNELS:
        raise NoSuchDay(channel)
    after = request.args.get("after", 0, type=int)
    with parts().reading() as connection:
        rows = compare.lines(connection, channel, _day(day), after=after, most=PAGE)
    following = rows[-1].row if len(rows) == PAGE else None
    return render_template(
        "office/day_lines.html", day=_day(day), channel=channel, name=CHANNELS[channel], rows=rows, following=following
    )


@bp.post("/<day>/run/<channel>")
@needs("day.clear")
def run(day: str, channel: str) -> Answer | tuple[Answer, int]:
    """Compare one channel's day again."""
    return _done(_day(day), lambda: reconcile_day(parts(), channel, _day(day)))


@bp.post("/<day>/differences/<int:key>")
@needs("day.clear")
def clear(day: str, key: int) -> Answer | tuple[Answer, int]:
    """Say how a difference ends, or ask the other side again."""
    remedy, reason = request.form.get("remedy", ""), request.form.get("reason", "")
    if remedy == "ask":
        return _done(_day(day), lambda: clear_difference.ask_again(parts(), key))
    return _done(_day(day), lambda: clear_difference.clear(parts(), key, remedy, reason, by=_me()))


@bp.post("/<day>/differences/<int:key>/confirm")
@needs("day.confirm")
def confirm(day: str, key: int) -> Answer | tuple[Answer, int]:
    """The second person's word on what moves money."""
    agreed = request.form.get("agreed") == "yes"
    return _done(_day(day), lambda: clear_difference.confirm(parts(), key, agreed=agreed, by=_me()))


@bp.post("/<day>/differences/<int:key>/withdraw")
@needs("day.clear")
def withdraw(day: str, key: int) -> Answer | tuple[Answer, int]:
    """撤回, by who proposed."""
    return _done(_day(day), lambda: clear_difference.withdraw(parts(), key, by=_me()))


@bp.get("/<day>/close")
@needs("day.close")
def closing(day: str) -> Answer:
    """What would be closed, to be looked at before it is."""
    return _closing_page(_day(day))


@bp.post("/<day>/close")
@needs("day.close")
def close(day: str) -> Answer | tuple[Answer, int]:
    """Close the day as its page showed it; with exceptions, ask that somebody else close it."""
    wanted, seen = _day(day), request.form.get("seen", "")
    if request.form.get("exceptions") == "yes":
        return _done(wanted, lambda: close_day.ask_to_close(parts(), wanted, by=_me()))
    return _closed(wanted, lambda: close_day.close_day(parts(), wanted, by=_me(), seen=seen))


@bp.post("/<day>/close/confirm")
@needs("day.confirm")
def confirm_close(day: str) -> Answer | tuple[Answer, int]:
    """The second person closes the day with its exceptions, as its page showed it."""
    wanted, seen = _day(day), request.form.get("seen", "")
    return _closed(wanted, lambda: close_day.confirm_close(parts(), wanted, by=_me(), seen=seen))


@bp.get("/<day>/certificate.<kind>")
@needs("day.see")
def paper(day: str, kind: str) -> Answer:
    """The certificate of a closed day, as PDF or as JSON."""
    held = certificate(parts(), _day(day))
    if kind == "pdf":
        names = account_names(parts())
        body, sort = (
            draw(held.facts, names=names, signature=held.signature, public_key=held.public_key),
            "application/pdf",
        )
    elif kind == "json":
        body, sort = held.as_json().encode(), "application/json"
    else:
        raise NoSuchDay(kind)
    return as_file(body, sort, f"日结证明-{day}.{kind}")


def _days_page(**said: str) -> str:
    wanted = close_day.days_until(parts())
    with parts().reading() as connection:
        opened = day_books.open_by_day(connection, wanted)
        last, due = seal.last(connection), seal.due(connection)
    listed = close_day.last_listed(parts().clocks.now())
    return render_template(
        "office/days.html",
        days=wanted,
        open=opened,
        last=last,
        due=due,
        today=parts().clocks.today(),
        booked=close_day.booked_today(parts()),
        listed=listed,
        files=FILE_NAMES,
        may=_may,
        **said,
    )


def _day_page(day: date, *, problem: str | None = None) -> str:
    return render_template("office/day.html", now=parts().clocks.now(), problem=problem, **_shown(day))


def _closing_page(day: date, *, problem: str | None = None) -> str:
    return render_template("office/day_close.html", problem=problem, **_shown(day))


def _shown(day: date) -> dict[str, object]:
    """A day as its pages show it: its books, its differences, what stands between it and its close."""
    books = close_day.books(parts(), day)
    with parts().reading() as connection:
        sealed = seal.sealed(connection, day)
        steps = discrepancies.steps_of_day(connection, day)
    return {
        "day": day,
        "books": books,
        "open": [row for row in books.differences if row.state != "cleared"],
        "ended": [row for row in books.differences if row.state == "cleared"],
        "sealed": sealed,
        "steps": steps,
        "standing": None if sealed else close_day.standing(parts(), day),
        "me": _me(),
        "may": _may,
        "names": CHANNELS | INSURANCES | parts().levy.funds | {"bank": "银行", "cash": "现金"},
        "words": discrepancies,
    }


def _done(day: date, act: Any) -> Answer | tuple[Answer, int]:
    """Do it, and show the day again; a no is told on the same page."""
    try:
        act()
    except AppError as error:
        return _day_page(day, problem=error.sentence()), error.status
    return redirect(url_for("day.one", day=day.isoformat()), 303)


def _closed(day: date, act: Any) -> Answer | tuple[Answer, int]:
    """Close it; what it is not is told on the page that shows what would be closed."""
    try:
        act()
    except AppError as error:
        return _closing_page(day, problem=error.sentence()), error.status
    return redirect(url_for("day.one", day=day.isoformat()), 303)


def _day(said: str) -> date:
    try:
        return date.fromisoformat(said)
    except ValueError as error:
        raise NoSuchDay(said) from error


def _may(permission: str) -> bool:
    return may(officer().role, permission)


def _me() -> str:
    return f"staff:{officer().login}"
