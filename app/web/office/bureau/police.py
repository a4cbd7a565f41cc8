"""The police's lists: handed in by a bureau, looked at before they count, taken in or thrown away; and every batch."""

from apiflask import APIBlueprint
from flask import Response, redirect, render_template, request, url_for
from sqlalchemy import Row

from app.access.roles import may
from app.flows.conflicts import handed_in
from app.flows.conflicts.handed_in import NothingToTake
from app.flows.hand_in.keep import EmptyFile, FileGone, FileInUse, kept, pieces
from app.flows.offices.handed import take_away
from app.flows.offices.people import BadReadingReason
from app.registry.conflicts import KINDS
from app.registry.failures import HEAD
from app.registry.police import TITLES, Code
from app.web.door.access import Answer, needs, officer
from app.web.door.parts import parts
from app.web.files import as_file
from app.web.office.bureau.registers import BINARY, REFRESH_S, XLSX, NothingRefused
from core.errors import AppError

bp = APIBlueprint("office_police", __name__, enable_openapi=False)
COUNTED = (
    ("rows_in", "读入"),
    ("added", "新的"),
    ("changed", "和以前不同"),
    ("same", "相同"),
    ("unknown", "登记里没有的人"),
    ("refused", "退回"),
)


@bp.get("/")
@needs("police.see")
def listed() -> Answer:
    """Every file and batch, the latest first."""
    return _listed()


@bp.post("/")
@needs("police.bring")
def hand_in() -> Answer | tuple[Answer, int]:
    """A file comes; its look begins."""
    sent, said = request.files.get("file"), request.form.get("code", "")
    try:
        if sent is None or not sent.filename:
            raise EmptyFile
        code = Code(said) if said in TITLES else None
        number = handed_in.hand_in(parts(), officer(), sent.stream, name=sent.filename, code=code)  # type: ignore[arg-type]
    except AppError as error:
        return _listed(problem=error.sentence(), code=said), error.status
    return redirect(url_for("office_police.one", key=number), 303)


@bp.get("/<int:key>")
@needs("police.see")
def one(key: int) -> Answer:
    """One file: how far, what would come of it, what came of it."""
    return _one(handed_in.look_of(parts(), officer(), key))


@bp.post("/<int:key>/take")
@needs("police.bring")
def take_one(key: int) -> Answer | tuple[Answer, int]:
    """导入."""
    try:
        handed_in.confirm(parts(), officer(), key)
    except (NothingToTake, FileGone) as error:
        return _one(handed_in.look_of(parts(), officer(), key), problem=error.sentence()), error.status
    return redirect(url_for("office_police.one", key=key), 303)


@bp.post("/<int:key>/throw")
@needs("police.bring")
def throw_one(key: int) -> Answer | tuple[Answer, int]:
    """作废."""
    try:
        handed_in.throw(parts(), officer(), key)
    except FileInUse as error:
        return _one(handed_in.look_of(parts(), officer(), key), problem=error.sentence()), error.status
    return redirect(url_for("office_police.one", key=key), 303)


@bp.get("/<int:key>/refused.xlsx")
@needs("police.see")
def refused(key: int) -> Response:
    """What is refused, masked, for whoever made the file."""
    look = handed_in.look_of(parts(), officer(), key)
    sheet = (look.outcome or {}).get("sheet")
    if sheet is None or (row := kept(parts(), sheet)).gone_at is not None:
        raise NothingRefused(str(key))
    return as_file(b"".join(pieces(parts(), sheet)), XLSX, row.name)


@bp.post("/<int:key>/file")
@needs("police.bring")
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
    page = max(1, request.args.get("page", 1, type=int))
    rows, more = handed_in.listed(parts(), officer(), page=min(page, 100_000))
    shown = {"rows": rows, "more": more, "page": page, "brings": may(officer().role, "police.bring")}
    return render_template("office/police.html", stand=_stand, titles=TITLES, **shown, **words)


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
    return "等您确认" if handed_in.brings(row.looked) else "没有新的内容"


def _one(look: Row, **words: object) -> str:
    taking = handed_in.taking_of(parts(), look)
    busy = look.state in ("waiting", "doing") or (taking is not None and taking.state in ("waiting", "doing"))
    shown = {
        "look": look,
        "taking": taking,
        "busy": busy,
        "refresh": REFRESH_S if busy and request.method == "GET" else None,
        "brings": may(officer().role, "police.bring"),
        "may_take": handed_in.may_take(look, taking) and not busy,
        "titles": TITLES,
        "kinds": {kind: said.words for kind, said in KINDS.items()},
        "counted": COUNTED,
        "head": [words for words in HEAD if words not in ("代码", "险种", "村居代码", "户号")],
    }
    return render_template("office/police_file.html", **shown | words)
