"""The auditor's desk: the path of one yuan, who read what in full, who had which right, what is kept how long, and what
is out of order now. Reads only."""

import csv
from collections.abc import Sequence
from io import StringIO

from apiflask import APIBlueprint
from flask import redirect, render_template, request, url_for

from app.access.erasures import GROUNDS
from app.flows.keep.erase import STAYS, trail
from app.flows.keep.retention import LINES, gone_lately, named
from app.flows.offices.audit import Acts, acts_of, alarms, readings
from app.flows.offices.rights import NotThatDay, Right, rights_on
from app.flows.offices.trace import trace
from app.flows.restore.watch import standing
from app.registry.failures import safe_cell
from app.web.door.access import Answer, needs
from app.web.door.parts import parts
from app.web.files import as_file
from app.web.words import ACTS, district, moment, person, trail_name
from payments.errors import NoSuchPayment

bp = APIBlueprint("audit", __name__, enable_openapi=False)


@bp.get("/trace")
@needs("trace.see")
def ask() -> Answer:
    """Which payment?"""
    number = "".join(request.args.get("number", "").split()).upper()[:40]
    return redirect(url_for("audit.path", number=number), 303) if number else render_template("office/trace_ask.html")


@bp.get("/trace/<number>")
@needs("trace.see")
def path(number: str) -> Answer | tuple[Answer, int]:
    """Everything that happened to one payment."""
    try:
        return render_template("office/trace.html", trace=trace(parts(), number))
    except NoSuchPayment as error:
        return render_template("office/trace_ask.html", problem=error.sentence(), number=number), error.status


@bp.get("/readings")
@needs("disclosure.see")
def read() -> Answer:
    """Who read full numbers or took a list away, and why."""
    before = _before(request.args.get("after", ""))
    return render_template("office/readings.html", page=readings(parts(), before=before), more=before is not None)


@bp.get("/acts")
@needs("disclosure.see")
def acts() -> Answer:
    """Who logged in, failed, searched, was given an account or a new factor: the latest first."""
    return _acts(acts_of(parts()))


@bp.post("/acts")
@needs("disclosure.see")
def acts_found() -> Answer:
    """Those of one person or about one search. A form and not an address: a name stands in no address."""
    form = request.form
    typed = {"who": form.get("who", "").strip()[:60], "sought": form.get("sought", "")[:100]}
    what, before = form.get("what", "")[:20], _before(form.get("after", ""))
    page = acts_of(parts(), before=before, who=trail_name(typed["who"]), sought=typed["sought"], what=what)
    return _acts(page, what=what, **typed)


def _acts(page: Acts, **typed: str) -> Answer:
    ways = {"web": "网页", "command": "命令", "database": "数据库"}
    return render_template("office/acts.html", page=page, kinds=ACTS, ways=ways, **typed)


def _before(after: str) -> int | None:
    return int(after) if after.isascii() and after.isdecimal() and len(after) < 18 else None


@bp.get("/rights")
@needs("disclosure.see")
def rights() -> Answer | tuple[Answer, int]:
    """Who had which right when a day ended."""
    typed = request.args.get("on", "")[:20]
    today = parts().clocks.today()
    try:
        on, found = rights_on(parts(), typed)
    except NotThatDay as error:
        page = {"typed": typed, "today": today, "rights": None, "problem": error.sentence()}
        return render_template("office/rights.html", **page), error.status
    return render_template("office/rights.html", typed=on, today=today, on=on, rights=found)


@bp.get("/rights.csv")
@needs("disclosure.see")
def rights_file() -> Answer:
    """The same as a table to be kept. NotThatDay."""
    on, found = rights_on(parts(), request.args.get("on", "")[:20])
    return as_file(_table(found), "text/csv; charset=utf-8", f"{on}账号权限.csv")


def _table(found: Sequence[Right]) -> bytes:
    out = StringIO()
    lines = csv.writer(out)
    lines.writerow(("账号", "姓名", "权限", "管哪里", "这一天", "什么时候开的", "谁开的"))
    for each in found:
        since = moment(district(each.since)) if each.since else "有记录以前"
        cells = (person(each.whose), each.name, each.role, each.places, "能用" if each.active else "停用", since)
        lines.writerow([safe_cell(cell) for cell in (*cells, person(each.by) if each.by else "")])
    return out.getvalue().encode("utf-8-sig")


@bp.get("/kept")
@needs("disclosure.see")
def kept() -> Answer:
    """What is kept how long and why, what went of it, and whose data was erased."""
    erased = {"erasures": trail(parts()), "grounds": GROUNDS, "stays": STAYS}
    return render_template("office/kept.html", lines=LINES, gone=gone_lately(parts()), names=named(), **erased)


@bp.get("/alarms")
@needs("trace.see")
def now() -> Answer:
    """What is out of order at this moment."""
    kept = standing(parts())
    return render_template("office/alarms.html", alarms=alarms(parts()), newest=kept.newest, drill=kept.drill)
