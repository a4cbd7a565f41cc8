"""What is done for the people of this session, what of it goes back, and where its papers are."""

from collections.abc import Mapping, Sequence

from apiflask import APIBlueprint
from flask import render_template

from app.flows.due.quote import all_due, subjects
from app.flows.refund.follow import RefundFollowed, follow_all
from app.web.door.access import Answer, here, reference
from app.web.door.parts import parts
from app.web.resident.dues import Card

bp = APIBlueprint("paid", __name__, enable_openapi=False)


@bp.get("/paid")
def paid() -> Answer:
    """Each item as it stands; money that goes back is told under it and takes nothing from it."""
    now = parts().clocks.now()
    people = subjects(parts(), sorted(set(here().known.values())))
    cards = [Card(reference(person.id), person, all_due(parts(), person, at=now)) for person in people]
    refunds = follow_all(parts(), people)
    return render_template("resident/paid.html", cards=cards, refunds=refunds, going=_going(refunds))


def _going(refunds: Sequence[RefundFollowed]) -> Mapping[tuple[int, str], Sequence[RefundFollowed]]:
    """The refunds under way of each item, by person and title, newest first."""
    going: dict[tuple[int, str], list[RefundFollowed]] = {}
    for refund in refunds:
        if not refund.is_over:
            for item in refund.items:
                going.setdefault((item.person_id, item.title), []).append(refund)
    return going
