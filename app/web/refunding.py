"""Somebody's money back: why, what comes back and how; the same pages for a resident and for who serves him at a
counter. One question a screen."""

import secrets

from flask import redirect, render_template, request, url_for

from app.flows.refund.follow import RefundFollowed
from app.flows.refund.wish import Refundable, UnknownReason, ask, is_only_payment, refundable
from app.policy.refunds import OF_HIM, QUESTIONS, Why
from app.registry.find import Subject
from app.web.door.access import Answer, actor, here
from app.web.door.parts import parts
from app.web.sheets import item_of
from core.errors import BadInput
from payments.errors import NothingToGiveBack
from payments.states import UNDECIDED


class BadAmount(BadInput):
    """An amount that no page of ours shows."""

    text = "金额不对，请返回重新看。"


def begin_page(subject: Subject, insurance: str, *, back: str) -> Answer:
    """Why? And once that is said: what will come back, where to, and is it right? NothingToGiveBack, UnknownReason."""
    found, person = _found(subject, insurance), (request.view_args or {})["person"]
    if found.number:
        return redirect(url_for(".one", number=found.number), 303)
    why, words = request.args.get("why"), OF_HIM if actor(here()).startswith("staff:") else QUESTIONS
    if why is None:
        reasons = [(each, words[each]) for each, _ in found.reasons]
        shown = {"subject": subject, "found": found, "reasons": reasons, "person": person, "back": back}
        return render_template("refund/why.html", **shown)
    chosen = next((each for each, _ in found.reasons if each == why), None)
    if chosen is None:
        raise UnknownReason
    return render_template(
        "refund/confirm.html",
        subject=subject,
        found=found,
        person=person,
        why=chosen,
        words=words[chosen],
        key=secrets.token_urlsafe(12),
        only=chosen is Why.TWICE and is_only_payment(parts(), subject, found),
        died=chosen is Why.DIED,
        moved=chosen in (Why.ELSEWHERE, Why.EMPLOYEE, Why.DIED),
    )


def apply_here(subject: Subject, insurance: str) -> Answer:
    """Ask for what the page showed; then to the page with the steps. BadAmount, all errors of `ask`."""
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
    return redirect(url_for(".one", number=asked.number), 303)


def one_page(found: RefundFollowed, *, back: str = "") -> Answer:
    """Where a refund stands and what was done when."""
    mine = found.applied_by == actor(here()) and found.state in UNDECIDED
    left = (found.answer_by - parts().clocks.today()).days
    return render_template("refund/one.html", refund=found, mine=mine, left=left, back=back)


def _found(subject: Subject, insurance: str) -> Refundable:
    item = item_of(insurance)
    named = item.insurance, item.levy_year, item.determination
    found = refundable(parts(), subject, *named, actor=actor(here()), rise=item.rise)
    if found is None:
        raise NothingToGiveBack
    return found
