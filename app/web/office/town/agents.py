"""A town keeps its own agents: made from a list, ended, a lost telephone renewed with a second person's word."""

from apiflask import APIBlueprint
from flask import Response, redirect, render_template, request, url_for

from app.access.roles import may
from app.flows.hand_in.keep import EmptyFile
from app.flows.staffing import desk
from app.flows.staffing.rows import WHY
from app.web.door.access import Answer, needs, officer
from app.web.door.parts import parts
from app.web.files import as_file
from core.errors import AppError

bp = APIBlueprint("office_agents", __name__, enable_openapi=False)
REFRESH_S = 2


@bp.get("/")
@needs("agent.agree")
def listed() -> Answer:
    """Who they are, what waits for a second word, and the lists handed in."""
    return _listed()


@bp.post("/")
@needs("agent.keep")
def hand_in() -> Answer | tuple[Answer, int]:
    """A list comes; its look begins."""
    sent = request.files.get("file")
    try:
        if sent is None or not sent.filename:
            raise EmptyFile
        key = desk.hand_in(parts(), officer(), sent.stream, name=sent.filename)  # type: ignore[arg-type]
    except AppError as error:
        return _listed(problem=error.sentence()), error.status
    return redirect(url_for("office_agents.work", key=key), 303)


@bp.get("/lists/<int:key>")
@needs("agent.keep")
def work(key: int) -> Answer:
    """How far a list is, and what came of it."""
    return _work(key)


@bp.post("/lists/<int:key>/make")
@needs("agent.keep")
def make(key: int) -> Answer | tuple[Answer, int]:
    """开账号."""
    try:
        making = desk.confirm(parts(), officer(), key)
    except AppError as error:
        return _work(key, problem=error.sentence()), error.status
    return redirect(url_for("office_agents.work", key=making), 303)


@bp.post("/lists/<int:key>/slips")
@needs("agent.keep")
def slips(key: int) -> Response:
    """The slips, to be printed and handed over."""
    name, paper = desk.slips(parts(), officer(), key)
    return as_file(paper, "application/pdf", name)


@bp.post("/lists/<int:key>/forget")
@needs("agent.keep")
def forget(key: int) -> Answer:
    """印好了，删掉."""
    desk.forget_slips(parts(), officer(), key)
    return redirect(url_for("office_agents.work", key=key), 303)


@bp.post("/<login>/end")
@needs("agent.keep")
def end_one(login: str) -> Answer:
    """停用."""
    desk.end(parts(), officer(), login)
    return redirect(url_for("office_agents.listed"), 303)


@bp.post("/<login>/lost")
@needs("agent.keep")
def lose_one(login: str) -> Answer | tuple[Answer, int]:
    """手机丢了."""
    why = request.form.get("why", "")[:400]
    try:
        desk.lose(parts(), officer(), login, why=why)
    except AppError as error:
        return _listed(problem=error.sentence(), lost=login, why=why), error.status
    return redirect(url_for("office_agents.listed"), 303)


@bp.post("/lost/<int:key>")
@needs("agent.agree")
def answer_one(key: int) -> Answer | tuple[Answer, int]:
    """同意, or 不同意."""
    try:
        desk.answer(parts(), officer(), key, agreed=request.form.get("agreed") == "yes")
    except AppError as error:
        return _listed(problem=error.sentence()), error.status
    return redirect(url_for("office_agents.listed"), 303)


@bp.post("/lost/<int:key>/renew")
@needs("agent.keep")
def renew_one(key: int) -> Answer:
    """出新的动态码."""
    return redirect(url_for("office_agents.work", key=desk.renew(parts(), officer(), key)), 303)


def _listed(**words: object) -> str:
    who = officer()
    keeps = may(who.role, "agent.keep")
    shown = {
        "agents": desk.agents(parts(), who) if keeps else [],
        "lists": desk.lists(parts(), who) if keeps else [],
        "losses": desk.losses(parts(), who),
        "keeps": keeps,
        "me": who.by,
    }
    return render_template("office/agents.html", **shown | words)


def _work(key: int, **words: object) -> str:
    row = desk.work_of(parts(), officer(), key)
    busy = row.state in ("waiting", "doing")
    gone = desk.slips_gone(parts(), row)
    shown = {"work": row, "busy": busy, "refresh": REFRESH_S if busy else None, "why": WHY, "gone": gone}
    return render_template("office/agents_work.html", **shown | words)
