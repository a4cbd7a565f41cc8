"""The channels: which of them take new payments, and the lead's two buttons."""

from collections.abc import Mapping

from apiflask import APIBlueprint
from flask import redirect, render_template, request, url_for

from app.access.roles import may
from app.flows.pay.pause import MOST_WORDS, BadPause, channels, open_again, pause
from app.web.door.access import Answer, needs, officer
from app.web.door.parts import parts

bp = APIBlueprint("office_channels", __name__, enable_openapi=False)


@bp.get("/")
@needs("channel.see")
def listed() -> Answer:
    """Each channel as it stands, and the pauses of before."""
    return _page()


@bp.post("/<gateway>/pause")
@needs("channel.pause")
def pause_one(gateway: str) -> Answer | tuple[Answer, int]:
    """暂停收款; what was typed stays when it cannot be taken."""
    why, words = request.form.get("why", ""), request.form.get("words", "")
    try:
        pause(parts(), gateway, why=why, words=words, by=_by())
    except BadPause as error:
        return _page(problem=error.sentence(), typed={"gateway": gateway, "why": why, "words": words}), error.status
    return redirect(url_for("office_channels.listed"), 303)


@bp.post("/<gateway>/open")
@needs("channel.pause")
def open_one(gateway: str) -> Answer:
    """恢复收款."""
    open_again(parts(), gateway, by=_by())
    return redirect(url_for("office_channels.listed"), 303)


def _page(*, problem: str | None = None, typed: Mapping[str, str] | None = None) -> str:
    stands, past = channels(parts())
    return render_template(
        "office/channels.html",
        stands=stands,
        past=past,
        pauses=may(officer().role, "channel.pause"),
        problem=problem,
        typed=typed or {},
        most=MOST_WORDS,
    )


def _by() -> str:
    return f"staff:{officer().login}"
