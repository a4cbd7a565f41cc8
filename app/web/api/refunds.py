"""/api/v1/refunds: what could go back and what goes, ask for it, follow it."""

from typing import Any

from apiflask import APIBlueprint

from app.flows.due.quote import subjects
from app.flows.refund.follow import RefundFollowed, follow_all
from app.flows.refund.wish import Refundable, ask, refundables
from app.policy.facts import Insurance
from app.web.api.asked import RefundAsked
from app.web.api.payments import idempotency_key
from app.web.api.told import answers
from app.web.api.told_money import RefundsTold, RefundTold
from app.web.door.access import actor, here, reference
from app.web.door.parts import parts
from app.web.wishes import known, own_refund
from core.clock import beijing
from core.redact import mask_name

bp = APIBlueprint("refunds_api", __name__, tag="退费 refund")


@bp.get("/refunds")
@bp.doc(security="session", responses=answers(RefundsTold, 200, 401))
def listed() -> dict[str, Any]:
    """What could go back, and what goes

    Of everybody this session knows; `available` is what `expected_available` must say."""
    people = subjects(parts(), sorted(set(here().known.values())))
    found = refundables(parts(), people, actor=actor(here()))
    return {
        "refundable": [_refundable(reference(person.id), each) for person, each in found if not each.number],
        "refunds": [_told(refund) for refund in follow_all(parts(), people)],
    }


@bp.post("/refunds")
@bp.input(RefundAsked)
@bp.doc(security="session", responses=answers(RefundTold, 201, 401, 403, 404, 409))
def apply(json_data: RefundAsked) -> tuple[dict[str, Any], int]:
    """Ask for one item's money back

    Tax takes it on, the bureau looks at it, another person agrees; then it goes back the way it came."""
    subject = subjects(parts(), [known(json_data.person)])[0]
    asked = ask(
        parts(),
        subject,
        Insurance(json_data.insurance),
        json_data.why,
        expected=json_data.expected_available,
        actor=actor(here()),
        request_key=idempotency_key(),
        levy_year=json_data.year or parts().levy.only,
        determination=json_data.determination,
        rise=json_data.rise,
    )
    return _told(own_refund(asked.number)), 201


@bp.get("/refunds/<number>")
@bp.doc(security="session", responses=answers(RefundTold, 200, 401, 404))
def follow(number: str) -> dict[str, Any]:
    """Where a refund stands, step by dated step

    404 for a refund of people this session does not know."""
    return _told(own_refund(number))


def _refundable(person: str, found: Refundable) -> dict[str, Any]:
    return {
        "person": person,
        "year": found.levy_year,
        "insurance": found.insurance,
        "determination": found.determination,
        "rise": found.rise,
        "title": found.title,
        "available": found.amount,
        "way": found.way,
        "reasons": [{"why": why, "words": words} for why, words in found.reasons],
        "refused": found.refused,
    }


def _told(refund: RefundFollowed) -> dict[str, Any]:
    return {
        "number": refund.number,
        "state": refund.state,
        "words": refund.words,
        "amount": refund.amount,
        "reason": refund.reason,
        "held": refund.held,
        "payment": refund.payment,
        "items": [
            {
                "title": item.title,
                "masked_name": mask_name(item.name),
                "amount": item.amount,
                "within": list(item.within),
                "benefit_start": None,
            }
            for item in refund.items
        ],
        "steps": [
            {"text": step.text, "at": beijing(step.at).isoformat(timespec="seconds"), "reason": step.reason}
            for step in refund.steps
        ],
    }
