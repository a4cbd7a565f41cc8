"""A refund through all its hands, each a different person's."""

from app.flows.follow_refund import follow
from app.flows.parts import Parts
from app.flows.refund import Asked, accept, apply, decide, review
from app.policy.facts import Insurance
from app.policy.refunds import Why
from payments.states import RefundState

DESK, CLERK, HRSS, MEDICAL_BUREAU, LEAD = (f"staff:{who}" for who in ("desk", "clerk", "hrss", "medical", "lead"))
BUREAU = {Insurance.RES_PENSION: HRSS, Insurance.RES_MEDICAL: MEDICAL_BUREAU}


def agreed(parts: Parts, payment: str, *, by: str = DESK, why: Why = Why.TWICE, **also: object) -> Asked:
    """Asked for, and agreed to by everybody who has to."""
    asked = apply(parts, payment, by=by, why=why, **also)
    agree(parts, asked.number)
    return asked


def agree(parts: Parts, number: str) -> None:
    """Taken on, looked at and agreed to, from wherever it stands."""
    to_the_approval(parts, number)
    decide(parts, number, approved=True, by=LEAD)


def to_the_approval(parts: Parts, number: str) -> None:
    """Taken on and looked at by every bureau; what never was a premium waits for no bureau."""
    found = follow(parts, number)
    if found.held:
        return
    if found.state is RefundState.APPLIED:
        accept(parts, number, by=CLERK)
    for insurance in dict.fromkeys(item.insurance for item in found.items):
        review(parts, number, insurance, by=BUREAU[insurance])
