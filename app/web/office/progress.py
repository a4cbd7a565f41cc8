"""The week of a town: how far each village is, who is still to do, and the same as files to work with."""

from apiflask import APIBlueprint
from flask import Response, render_template, request

from app.flows.offices.people import BadReadingReason
from app.flows.offices.progress import collected, progress, progress_file, to_do_file, totals
from app.flows.village.people import TITLES
from app.policy.year import NoSuchYear
from app.web.door.access import Answer, needs, officer
from app.web.door.parts import parts
from app.web.files import as_file
from core.errors import NotFound

bp = APIBlueprint("office_progress", __name__, enable_openapi=False)
KINDS = {
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "csv": "text/csv; charset=utf-8",
}


class NoSuchFile(NotFound):
    """A kind of file we do not make."""

    text = "没有这种文件，请从页面上的按钮下载。"


@bp.get("/")
@needs("progress.see")
def table() -> Answer:
    """By village and insurance: should, done, left, the last seven days; `?year=` of another levy year."""
    return _table()


@bp.get("/progress.<kind>")
@needs("progress.see")
def table_file(kind: str) -> Response:
    """The same as a file."""
    made = progress_file(parts(), officer(), _known(kind), year=_year())
    return _file(made, f"{collected(parts(), _year())}年参保缴费进度", kind)


@bp.post("/<village>/to-do.<kind>")
@needs("number.see")
def to_do(village: str, kind: str) -> Answer | tuple[Answer, int]:
    """Who of a village is still to do, taken away for a reason that is written down."""
    try:
        asked = {"reason": request.form.get("reason", "")[:400], "phones": request.form.get("phones") == "yes"}
        made = to_do_file(parts(), officer(), village, _known(kind), **asked, year=_year())
    except BadReadingReason as error:
        return _table(problem=error.sentence()), error.status
    return _file(made, f"{collected(parts(), _year())}年还没办的-{village}", kind)


def _table(**words: object) -> str:
    year = collected(parts(), _year())
    rows = progress(parts(), officer(), year=year)
    words |= {"year": year, "years": parts().levy.ever.all}
    return render_template("office/progress.html", rows=rows, totals=totals(rows), titles=TITLES, **words)


def _year() -> int | None:
    """The levy year that the address asks for. NoSuchYear for what is none."""
    asked = request.args.get("year")
    if asked is not None and not (asked.isascii() and asked.isdecimal() and len(asked) == 4):
        raise NoSuchYear(asked)
    return int(asked) if asked else None


def _known(kind: str) -> str:
    if kind not in KINDS:
        raise NoSuchFile(kind)
    return kind


def _file(content: bytes, name: str, kind: str) -> Response:
    return as_file(content, KINDS[kind], f"{name}-{parts().clocks.today()}.{kind}")
