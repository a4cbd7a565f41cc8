"""The agent's rosters: printed, hung for three days, objected to on paper."""

from datetime import date, timedelta

from apiflask import APIBlueprint
from flask import Response, redirect, render_template, request, url_for

from app.documents.hanging import grouped
from app.documents.picture import photo
from app.flows.roster import closings, objections, post
from app.policy.facts import Insurance
from app.policy.words import phrases
from app.registry.rosters import WORDS, Stage
from app.web.door.access import Answer, actor, agent, here
from app.web.door.parts import parts
from app.web.files import as_file
from core.errors import AppError, BadInput, NotFound

bp = APIBlueprint("agent_rosters", __name__, enable_openapi=False)


class NoPhoto(BadInput):
    """Nothing was chosen."""

    text = "请选一张张贴后的照片，要拍到公示表右上角的码。"


@bp.get("/rosters")
def listed() -> Answer:
    """Those of his villages."""
    rows = post.own(parts(), sorted(agent().villages))
    hanging = closings.own(parts(), agent().villages)
    return render_template("agent/rosters.html", rows=rows, closings=hanging, until=post.stands_until, **_words())


@bp.get("/rosters/<int:roster>")
def one(roster: int) -> Answer:
    """One: what to do next."""
    return _one(roster)


@bp.get("/rosters/<int:roster>/poster-<size>.pdf")
def paper(roster: int, size: str) -> Response:
    """The sheets to hang, of today or (day=tomorrow) of tomorrow."""
    from app.documents.poster import SIZES, draw  # noqa: PLC0415 few processes draw

    row = post.own_one(parts(), sorted(agent().villages), roster)
    if size not in SIZES or not post.may_print(row, agent().id, parts().clocks.now()):
        raise NotFound(size[:10])
    drawn = draw(post.poster(parts(), row, on=_day()), size=size)
    return as_file(drawn, "application/pdf", f"公示表-{row.village}-第{row.no}版-{size}.pdf")


@bp.post("/rosters/<int:roster>/hang")
def hang(roster: int) -> Answer | tuple[Answer, int]:
    """贴好了: its code and a photo of it."""

    def act() -> None:
        sent, no = request.files.get("photo"), request.form.get("no", "")
        if sent is None or not sent.filename:
            raise NoPhoto
        seen = roster, int(no) if no.isascii() and no.isdecimal() and len(no) <= 9 else 0
        code = request.form.get("code", "")[:40]
        post.hang(parts(), seen, code=code, photo=photo(sent.read()), by=here())

    return _done(roster, act)


@bp.post("/rosters/<int:roster>/objections")
def say(roster: int) -> Answer | tuple[Answer, int]:
    """An objection on paper, or said to him."""
    form = request.form
    words = form.get("words", "")[:2000]
    near = {"contact": form.get("contact", "")[:400], "session": here().token_hash, "by": actor(here()), "near": True}
    return _done(roster, lambda: objections.raise_one(parts(), roster, words, **near))  # type: ignore[arg-type]


@bp.post("/rosters/<int:roster>/objections/<int:key>")
def told(roster: int, key: int) -> Answer | tuple[Answer, int]:
    """告诉他了."""
    return _done(roster, lambda: objections.told(parts(), key, session=here().token_hash))


def _done(roster: int, act: object) -> Answer | tuple[Answer, int]:
    post.own_one(parts(), sorted(agent().villages), roster)
    try:
        act()  # type: ignore[operator]
    except NotFound:
        raise
    except AppError as error:
        return _one(roster, problem=error.sentence()), error.status
    return redirect(url_for("agent_rosters.one", roster=roster), 303)


def _one(roster: int, *, problem: str | None = None) -> str:
    row = post.own_one(parts(), sorted(agent().villages), roster)
    said = objections.of_roster(parts(), roster) if row.state in (Stage.POSTED, Stage.AMENDING) else []
    return render_template(
        "agent/roster.html",
        row=row,
        mine=row.agent_id == agent().id,
        me=actor(here()),
        now=parts().clocks.now(),
        objections=said,
        code=grouped(row.code),
        until=post.stands_until(row) if row.ends_at else "",
        problem=problem,
        typed=request.form,
        **_words(),
    )


def _day() -> date:
    return parts().clocks.today() + timedelta(days=request.args.get("day") == "tomorrow")


def _words() -> dict[str, object]:
    return {"words": WORDS, "insurances": {str(each): phrases("names")[each] for each in Insurance}}
