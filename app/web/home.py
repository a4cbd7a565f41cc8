"""The first page, the large type, and the check of a notice: open to everybody."""

from apiflask import APIBlueprint
from flask import redirect, render_template, request
from werkzeug.wrappers import Response

from app.flows.check import NoSuchCode, check
from app.web.access import Answer, network, own_path
from app.web.parts import parts

bp = APIBlueprint("home", __name__, enable_openapi=False)
ELDER = "elder"
_YEAR_S = 365 * 24 * 3600


@bp.get("/")
def home() -> Answer:
    """交社保费, 查缴费."""
    held = parts()
    return render_template("resident/home.html", dates=held.rules.dates, today=held.clocks.today())


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
def ask_code() -> Answer:
    """Where the code from a notice is typed."""
    return render_template("resident/check.html", found=None, problem=None)


@bp.post("/check")
def check_code() -> Answer | tuple[Answer, int]:
    """What the notice was about, or that nobody knows it."""
    try:
        found = check(parts(), request.form.get("code", "")[:40], network=network())
    except NoSuchCode as error:
        return render_template("resident/check.html", found=None, problem=error.sentence()), error.status
    return render_template("resident/check.html", found=found, problem=None)
