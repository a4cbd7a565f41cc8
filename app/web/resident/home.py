"""The first page, the large type, and the check of a notice or a paper: open to everybody."""

from apiflask import APIBlueprint
from flask import redirect, render_template, request
from werkzeug.wrappers import Response

from app.flows.prove.check import Checked, NoSuchCode, check
from app.flows.village.slips import can_be_handed_out
from app.web.door.access import Answer
from app.web.door.browser import network
from app.web.door.onward import own_path
from app.web.door.parts import parts

bp = APIBlueprint("home", __name__, enable_openapi=False)
ELDER = "elder"
_YEAR_S = 365 * 24 * 3600


@bp.get("/")
def home() -> Answer:
    """交社保费, 查缴费."""
    held = parts()
    today = held.clocks.today()
    late = [former for former in held.levy.open[1:] if can_be_handed_out(former, today)]
    return render_template("resident/home.html", dates=held.rules.dates, today=today, late=late)


@bp.get("/type/<size>")
def type_size(size: str) -> Response:
    """大字版 on or off, kept in a cookie that says nothing else."""
    answer = redirect(own_path(request.args.get("back", "/"), "/"), 303)
    if size == "large":
        answer.set_cookie(ELDER, "1", max_age=_YEAR_S, httponly=True, samesite="Lax", secure=request.is_secure)
    else:
        answer.delete_cookie(ELDER)
    return answer


@bp.get("/check")
def ask_code() -> Answer | tuple[Answer, int]:
    """Where a code is typed; the code on a paper opens this page with it."""
    code = request.args.get("code", "")
    return _checked(code, None) if code else _page()


@bp.post("/check")
def check_code() -> Answer | tuple[Answer, int]:
    """What the notice or the paper says, or that nobody knows it; with the paper's file, whether it was altered."""
    brought = request.files.get("file")
    return _checked(request.form.get("code", ""), brought.read() if brought and brought.filename else None)


def _checked(code: str, file: bytes | None) -> Answer | tuple[Answer, int]:
    try:
        found = check(parts(), code[:40], network=network(), file=file)
    except NoSuchCode as error:
        return _page(problem=_miscounted(code) or error.sentence(), typed=code[:40]), error.status
    return _page(notice=found) if isinstance(found, Checked) else _page(paper=found)


def _miscounted(code: str) -> str | None:
    """A code of 8 or 16 signs that is not whole: how many are missing, or too many. Pure."""
    signs = sum(sign.isalnum() for sign in code)
    if signs in (8, 16) or not signs:
        return None
    if signs > 16:
        return f"这里填了{signs}位，多了{signs - 16}位。请对照原件再看一遍。"
    kind, whole = ("核对码", 8) if signs < 8 else ("查验码", 16)
    return f"{kind}是{whole}位，这里填了{signs}位，少了{whole - signs}位。请对照原件再看一遍。"


def _page(**words: object) -> str:
    return render_template("resident/check.html", **words)
