"""After the season, at the agent's: the list of who is insured and who is not yet, printed, hung, taken down."""

from collections.abc import Callable

from apiflask import APIBlueprint
from flask import Response, redirect, render_template, request, url_for

from app.documents.hanging import grouped
from app.documents.picture import photo
from app.flows.roster import closings, put_up
from app.policy.facts import Insurance
from app.policy.words import phrases
from app.registry.closings import Place
from app.web.agent.rosters import NoPhoto
from app.web.door.access import Answer, agent, here
from app.web.door.parts import parts
from app.web.files import as_file
from core.errors import AppError, NotFound

bp = APIBlueprint("agent_closings", __name__, enable_openapi=False)


@bp.get("/rosters/closings/<int:closing>")
def one(closing: int) -> Answer:
    """One: what to do next."""
    return _one(closing)


@bp.get("/rosters/closings/<int:closing>/poster-<size>.pdf")
def paper(closing: int, size: str) -> Response:
    """The sheets to hang, of the version that was agreed to."""
    from app.documents.poster import SIZES, draw  # noqa: PLC0415 few processes draw

    row, _ = closings.own_one(parts(), agent().villages, closing)
    if size not in SIZES or parts().clocks.now() >= row.ends_at:
        raise NotFound(size[:10])
    drawn = draw(closings.poster(parts(), row, on=parts().clocks.today()), size=size)
    return as_file(drawn, "application/pdf", f"参保缴费公示-{row.village}-第{row.agreed_no}版-{size}.pdf")


@bp.post("/rosters/closings/<int:closing>/hang")
def hang(closing: int) -> Answer | tuple[Answer, int]:
    """贴好了: its code and a photo of it."""

    def act() -> None:
        sent, no = request.files.get("photo"), request.form.get("no", "")
        if sent is None or not sent.filename:
            raise NoPhoto
        seen = int(no) if no.isascii() and no.isdecimal() and len(no) <= 9 else 0
        code = request.form.get("code", "")[:40]
        put_up.hang(parts(), closing, seen, session=here().token_hash, code=code, photo=photo(sent.read()))

    return _done(closing, act)


@bp.post("/rosters/closings/<int:closing>/down")
def down(closing: int) -> Answer | tuple[Answer, int]:
    """已撤下."""
    return _done(closing, lambda: put_up.take_down(parts(), closing, Place.VILLAGE, session=here().token_hash))


def _done(closing: int, act: Callable[[], None]) -> Answer | tuple[Answer, int]:
    closings.own_one(parts(), agent().villages, closing)
    try:
        act()
    except NotFound:
        raise
    except AppError as error:
        return _one(closing, problem=error.sentence()), error.status
    return redirect(url_for("agent_closings.one", closing=closing), 303)


def _one(closing: int, *, problem: str | None = None) -> str:
    row, stand = closings.own_one(parts(), agent().villages, closing)
    return render_template(
        "agent/closing.html",
        row=row,
        stand=stand,
        again=stand == "TO_HANG" and "village" in row.hung,
        code=grouped(row.code),
        insurances={str(each): phrases("names")[each] for each in Insurance},
        problem=problem,
        typed=request.form,
    )
