"""Register files of the bureaus: handed in, looked at before they count, taken in or thrown away; and every batch."""

from apiflask import APIBlueprint
from flask import Response, redirect, render_template, request, url_for
from sqlalchemy import Row

from app.access.roles import REVIEWS, may
from app.flows.hand_in.keep import EmptyFile, FileGone, FileInUse, kept, pieces
from app.flows.offices.handed import take_away
from app.flows.offices.people import BadReadingReason
from app.flows.register import handed_in
from app.flows.register.handed_in import NotLookedAt
from app.flows.roster.objections import accepted
from app.registry.columns import TITLES
from app.registry.conflicts import KINDS
from app.registry.failures import HEAD, INSURANCE_TITLES, OF_MANY, REASONS
from app.web.door.access import Answer, needs, officer
from app.web.door.parts import parts
from app.web.files import as_file
from core.errors import AppError, NotFound

bp = APIBlueprint("office_registers", __name__, enable_openapi=False)
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
REFRESH_S = 2
BINARY = "application/octet-stream"
MOVES = (
    ("joined", "可以收了"),
    ("left", "不再收"),
    ("more", "要多交"),
    ("less", "要少交"),
    ("nothing", "不用再交"),
)
COUNTED = (("rows_in", "读入"), ("added", "新增"), ("changed", "变更"), ("same", "相同"), ("refused", "退回"))


class NothingRefused(NotFound):
    """A look without a refused row, or whose sheet is gone."""

    text = "没有退回表。"


@bp.get("/")
@needs("register.see")
def listed() -> Answer:
    """Every file and batch, the latest first."""
    return _listed()


@bp.post("/")
@needs("register.bring")
def hand_in() -> Answer | tuple[Answer, int]:
    """A file comes; its look begins."""
    sent = request.files.get("file")
    try:
        if sent is None or not sent.filename:
            raise EmptyFile
        number = handed_in.hand_in(parts(), officer(), sent.stream, name=sent.filename)  # type: ignore[arg-type]
    except AppError as error:
        return _listed(problem=error.sentence()), error.status
    return redirect(url_for("office_registers.one", key=number), 303)


@bp.get("/<int:key>")
@needs("register.see")
def one(key: int) -> Answer:
    """One file: how far, what would come of it, what came of it."""
    return _one(handed_in.look_of(parts(), officer(), key))


@bp.post("/<int:key>/take")
@needs("register.bring")
def take_one(key: int) -> Answer | tuple[Answer, int]:
    """导入."""
    try:
        handed_in.confirm(parts(), officer(), key, good_rows="good_rows" in request.form)
    except (NotLookedAt, FileGone) as error:
        return _one(handed_in.look_of(parts(), officer(), key), problem=error.sentence()), error.status
    return redirect(url_for("office_registers.one", key=key), 303)


@bp.post("/<int:key>/throw")
@needs("register.bring")
def throw_one(key: int) -> Answer | tuple[Answer, int]:
    """作废."""
    try:
        handed_in.throw(parts(), officer(), key)
    except FileInUse as error:
        return _one(handed_in.look_of(parts(), officer(), key), problem=error.sentence()), error.status
    return redirect(url_for("office_registers.one", key=key), 303)


@bp.get("/<int:key>/refused.xlsx")
@needs("register.see")
def refused(key: int) -> Response:
    """What is refused, masked, for whoever made the file."""
    look = handed_in.look_of(parts(), officer(), key)
    sheet = (look.outcome or {}).get("sheet")
    if sheet is None or (row := kept(parts(), sheet)).gone_at is not None:
        raise NothingRefused(str(key))
    return as_file(b"".join(pieces(parts(), sheet)), XLSX, row.name)


@bp.post("/<int:key>/file")
@needs("register.bring")
def file(key: int) -> Answer | tuple[Answer, int] | Response:
    """The file itself, for a reason that is written down."""
    look = handed_in.look_of(parts(), officer(), key)
    reason = request.form.get("reason", "")[:400]
    try:
        row, content = take_away(parts(), officer(), look.upload_id, reason=reason)
    except (BadReadingReason, FileGone) as error:
        return _one(look, problem=error.sentence(), reason=reason), error.status
    answer = as_file(b"", BINARY, row.name)
    answer.response, answer.content_length = content, row.size
    return answer


def _listed(**words: object) -> str:
    page = max(1, request.args.get("page", 1, type=int)) if request.args.get("page", "1").isdecimal() else 1
    rows, more = handed_in.listed(parts(), officer(), page=page)
    own = REVIEWS.get(officer().role)
    number = request.args.get("objection", "")
    about = int(number) if number.isascii() and number.isdecimal() and len(number) <= 18 else 0
    objection = accepted(parts(), officer(), about) if about else None
    shown = {
        "rows": rows,
        "more": more,
        "page": page,
        "objection": objection,
        "brings": may(officer().role, "register.bring"),
    }
    return render_template("office/registers.html", own=INSURANCE_TITLES.get(own or ""), stand=_stand, **shown, **words)


def _stand(row: Row) -> str:
    """Where a file stands, in a word."""
    if row.taking == "done" and row.taken["taken"]:
        return "已导入"
    if row.gone_at is not None:
        return "已作废" if row.gone_by != "rule:retention" else "没有导入，已过保存期"
    if row.taking in ("waiting", "doing"):
        return "正在导入"
    if row.state in ("waiting", "doing"):
        return "正在看"
    if row.state == "failed" or row.taking:
        return "没有导入" if row.taking else "看不了"
    return "等您确认" if row.looked["added"] + row.looked["changed"] else "没有可导入的"


def _one(look: Row, **words: object) -> str:
    taking = handed_in.taking_of(parts(), look)
    busy = look.state in ("waiting", "doing") or (taking is not None and taking.state in ("waiting", "doing"))
    shown = {
        "look": look,
        "taking": taking,
        "busy": busy,
        "refresh": REFRESH_S if busy and request.method == "GET" else None,
        "brings": may(officer().role, "register.bring"),
        "may_take": handed_in.may_take(look, taking) and not busy,
        "titles": INSURANCE_TITLES,
        "moves": MOVES,
        "counted": COUNTED,
        "head": HEAD,
        "why": {**REASONS, **OF_MANY},
        "columns": TITLES,
        "kinds": {kind: said.words for kind, said in KINDS.items()},
    }
    return render_template("office/register_file.html", **shown | words)
