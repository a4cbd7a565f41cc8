"""A resident's money back: why, what comes back and how, then every step with its date. One question a screen."""

import secrets

from apiflask import APIBlueprint
from flask import redirect, render_template, request, url_for

from app.flows.due.quote import subjects
from app.flows.refund.follow import follow_all
from app.flows.refund.steps import withdraw
from app.flows.refund.wish import Refundable, UnknownReason, ask, is_only_payment, refundable
from app.policy.refunds import QUESTIONS, Why
from app.registry.find import Subject
from app.web.door.access import Answer, actor, here
from app.web.door.parts import parts
from app.web.sheets import item_of
from app.web.wishes import known, own_refund
from core.errors import BadInput
from payments.errors import NothingToGiveBack
from payments.states import UNDECIDED

bp = APIBlueprint("refunds", __name__, enable_openapi=False)


class BadAmount(BadInput):
    """An amount that no page of ours shows."""

    text = "金额不对，请返回重新看。"


@bp.get("/refunds")
def mine() -> Answer:
    """Every refund of the people this session knows."""
    people = subjects(parts(), sorted(set(here().known.values())))
    return render_template("resident/refunds.html", refunds=follow_all(parts(), people))


@bp.get("/refunds/<number>")
def one(number: str) -> Answer:
    """Where a refund stands and what was done when."""
    found = own_refund(number)
    mine = found.applied_by == actor(here()) and found.state in UNDECIDED
    left = (found.answer_by - parts().clocks.today()).days
    return render_template("resident/refund.html", refund=found, mine=mine, left=left)


@bp.post("/refunds/<number>/withdraw")
def take_back(number: str) -> Answer:
    """撤回申请, by the account that asked."""
    withdraw(parts(), own_refund(number).number, by=actor(here()))
    return redirect(url_for("refunds.one", number=number), 303)


@bp.get("/refund/<person>/<insurance>")
def begin(person: str, insurance: str) -> Answer:
    """Why? And once that is said: what will come back, where to, and is it right?"""
    subject, found = _found(person, insurance)
    if found.number:
        return redirect(url_for("refunds.one", number=found.number), 303)
    why = request.args.get("why")
    if why is None:
        return render_template("resident/refund_why.html", subject=subject, found=found, person=person)
    chosen = next((each for each, _ in found.reasons if each == why), None)
    if chosen is None:
        raise UnknownReason
    return render_template(
        "resident/refund_confirm.html",
        subject=subject,
        found=found,
        person=person,
        why=chosen,
        words=QUESTIONS[chosen],
        key=secrets.token_urlsafe(12),
        only=chosen is Why.TWICE and is_only_payment(parts(), subject, found),
        moved=chosen in (Why.ELSEWHERE, Why.EMPLOYEE, Why.DIED),
    )


@bp.post("/refund/<person>/<insurance>")
def apply(person: str, insurance: str) -> Answer:
    """Ask; then to the page with the steps."""
    subject = subjects(parts(), [known(person)])[0]
    expected, key = request.form.get("expected", ""), request.form.get("key", "")[:64]
    if not (expected.isascii() and expected.isdigit() and len(expected) <= 9 and key):
        raise BadAmount
    item = item_of(insurance)
    asked = ask(
        parts(),
        subject,
        item.insurance,
        request.form.get("why", ""),
        expected=int(expected),
        actor=actor(here()),
        request_key=key,
        levy_year=item.levy_year,
        determination=item.determination,
        rise=item.rise,
    )
    return redirect(url_for("refunds.one", number=asked.number), 303)


def _found(person: str, insurance: str) -> tuple[Subject, Refundable]:
    subject = subjects(parts(), [known(person)])[0]
    item = item_of(insurance)
    named = item.insurance, item.levy_year, item.determination
    found = refundable(parts(), subject, *named, actor=actor(here()), rise=item.rise)
    if found is None:
        raise NothingToGiveBack
    return subject, found
