"""The offices' complaints: the list by its clock, one with its conversation, and the tax clerk's answers."""

from collections.abc import Mapping

from apiflask import APIBlueprint
from flask import redirect, render_template, request, url_for

from app.access.roles import may
from app.documents.picture import redrawn
from app.flows.complaints import answer
from app.flows.complaints.desk import PAGE, case, listed, read_in_full, sentences, without
from app.flows.offices.people import BadReadingReason
from app.policy.refunds import OF_HIM, QUESTIONS, Why
from app.web.door.access import Answer, needs, officer
from app.web.door.parts import parts
from core.errors import AppError
from payments.gateways.complaining import LONGEST_ANSWER
from payments.gateways.known import GATEWAYS

bp = APIBlueprint("office_complaints", __name__, enable_openapi=False)
MOST_PAGES = 1000


@bp.get("/")
@needs("complaint.see")
def all_of_them() -> Answer:
    """What waits, the nearest deadline first; or what ended."""
    ended, gateway = "ended" in request.args, request.args.get("gateway", "")
    gateway = gateway if gateway in GATEWAYS else ""
    page = min(max(request.args.get("page", 1, type=int), 1), MOST_PAGES)
    rows, count = listed(parts(), ended=ended, gateway=gateway, page=page)
    return render_template(
        "office/complaints.html",
        rows=rows,
        count=count,
        page=page,
        pages=max(1, -(-count // PAGE)),
        ended=ended,
        gateway=gateway,
        gateways={name: GATEWAYS[name].facts.title for name in ("wechat", "alipay")},
        without=without(parts()),
    )


@bp.get("/<gateway>/<number>")
@needs("complaint.see")
def one(gateway: str, number: str) -> Answer:
    """One case, and what this desk may do about it."""
    return _page(gateway, number)


@bp.post("/<gateway>/<number>/answer")
@needs("complaint.answer")
def answer_one(gateway: str, number: str) -> Answer | tuple[Answer, int]:
    """回复: an approved sentence, own words, a picture; or with `finish` 处理完成. What was typed stays on an error."""
    form, file = request.form, request.files.get("picture")
    said = {"key": form.get("key", "")[:40], "own": form.get("own", "")[:1000]}
    try:
        if "finish" in form:
            answer.finish(parts(), gateway, number, **said, by=_by())
        else:
            given = file.read() if file else b""
            answer.answer(parts(), gateway, number, **said, by=_by(), picture=redrawn(given) if given else None)
    except AppError as error:
        return _page(gateway, number, problem=error.sentence(), typed=said), error.status
    return _back(gateway, number)


@bp.post("/<gateway>/<number>/back")
@needs("complaint.answer")
def back_one(gateway: str, number: str) -> Answer | tuple[Answer, int]:
    """申请退费, by the road of every refund."""
    try:
        answer.ask_back(parts(), gateway, number, why=_why(), by=_by())
    except AppError as error:
        return _page(gateway, number, problem=error.sentence()), error.status
    return _back(gateway, number)


@bp.post("/<gateway>/<number>/full")
@needs("complaint.answer")
def full(gateway: str, number: str) -> Answer | tuple[Answer, int]:
    """The payer's words and phone as he gave them, this once, and why."""
    try:
        words, phone = read_in_full(parts(), officer(), gateway, number, reason=request.form.get("reason", "")[:400])
    except BadReadingReason as error:
        return _page(gateway, number, problem=error.sentence()), error.status
    return _page(gateway, number, full={"words": words, "phone": phone or "没有留电话"})


def _page(
    gateway: str,
    number: str,
    *,
    problem: str | None = None,
    typed: Mapping[str, str] | None = None,
    full: Mapping[str, str] | None = None,
) -> str:
    found, role = case(parts(), gateway, number), officer().role
    return render_template(
        "office/complaint.html",
        case=found,
        problem=problem,
        typed=typed or {},
        full=full,
        answers=may(role, "complaint.answer"),
        sentences=sentences(parts(), found.payment),
        whys=OF_HIM,
        most=LONGEST_ANSWER,
    )


def _why() -> Why:
    given = request.form.get("why", "")
    return Why(given) if given in {*QUESTIONS} else Why.TWICE


def _by() -> str:
    return f"staff:{officer().login}"


def _back(gateway: str, number: str) -> Answer:
    return redirect(url_for("office_complaints.one", gateway=gateway, number=number), 303)
