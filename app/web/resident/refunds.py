"""A resident's money back: what was asked for, the asking, and every step with its date."""

from apiflask import APIBlueprint
from flask import redirect, render_template, url_for

from app.flows.due.quote import subjects
from app.flows.refund.follow import follow_all
from app.flows.refund.steps import withdraw
from app.registry.find import Subject
from app.web.door.access import Answer, actor, here
from app.web.door.parts import parts
from app.web.refunding import apply_here, begin_page, one_page
from app.web.wishes import known, own_refund

bp = APIBlueprint("refunds", __name__, enable_openapi=False)


@bp.get("/refunds")
def mine() -> Answer:
    """Every refund of the people this session knows."""
    people = subjects(parts(), sorted(set(here().known.values())))
    return render_template("resident/refunds.html", refunds=follow_all(parts(), people))


@bp.get("/refunds/<number>")
def one(number: str) -> Answer:
    """Where a refund stands."""
    return one_page(own_refund(number))


@bp.post("/refunds/<number>/withdraw")
def take_back(number: str) -> Answer:
    """撤回申请, by the account that asked."""
    withdraw(parts(), own_refund(number).number, by=actor(here()))
    return redirect(url_for("refunds.one", number=number), 303)


@bp.get("/refund/<person>/<insurance>")
def begin(person: str, insurance: str) -> Answer:
    """Why, and then: is it right?"""
    return begin_page(_person(person), insurance, back=url_for("paid.paid"))


@bp.post("/refund/<person>/<insurance>")
def apply(person: str, insurance: str) -> Answer:
    """提交申请."""
    return apply_here(_person(person), insurance)


def _person(person: str) -> Subject:
    return subjects(parts(), [known(person)])[0]
