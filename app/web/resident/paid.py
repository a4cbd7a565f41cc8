"""What is done for the people of this session, year by year, what of it goes back, and where its papers are."""

from collections.abc import Mapping, Sequence

from apiflask import APIBlueprint
from flask import render_template

from app.flows.due.quote import dues_of_year, subjects
from app.flows.pay.history import into_others
from app.flows.refund.follow import RefundFollowed, follow_all
from app.registry.find import Subject
from app.web.door.access import Answer, here, reference
from app.web.door.parts import parts
from app.web.resident.dues import Card

bp = APIBlueprint("paid", __name__, enable_openapi=False)


@bp.get("/paid")
def paid() -> Answer:
    """Each item as it stands; money that goes back is told under it and takes nothing from it. Of a former year what
    was done, and what can still be."""
    people = subjects(parts(), sorted(set(here().known.values())))
    years = {year: _cards(people, year) for year in parts().levy.ever.all}
    refunds = follow_all(parts(), people)
    within = into_others(parts(), people)
    return render_template("resident/paid.html", years=years, refunds=refunds, going=_going(refunds), within=within)


def _cards(people: Sequence[Subject], year: int) -> list[Card]:
    now, newest = parts().clocks.now(), parts().levy.years.newest
    cards = []
    for person in people:
        dues = dues_of_year(parts(), person.in_year(year), at=now)
        if year != newest:
            dues = [due for due in dues if due.settled or due.can_be_done]
        if dues:
            cards.append(Card(reference(person.id), person, dues))
    return cards


def _going(refunds: Sequence[RefundFollowed]) -> Mapping[tuple[int, str], Sequence[RefundFollowed]]:
    """The refunds under way of each item, by person and key, newest first."""
    going: dict[tuple[int, str], list[RefundFollowed]] = {}
    for refund in refunds:
        if not refund.is_over:
            for item in refund.items:
                going.setdefault((item.person_id, item.key), []).append(refund)
    return going
