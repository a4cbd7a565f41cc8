"""/api/v1/people/<person>/determinations: what a bureau may be asked to decide, ask for it, follow it, withdraw it."""

from typing import Any

from apiflask import APIBlueprint

from app.flows.due.quote import subjects
from app.flows.register.apply import Evidence, ask_bureau, withdraw
from app.flows.register.offers import applied, offers
from app.registry.find import Subject
from app.web.api.asked import DeterminationAsked
from app.web.api.told import DeterminationsTold, answers
from app.web.asking import known_case, offer_named
from app.web.door.access import actor, here
from app.web.door.parts import parts
from app.web.wishes import known
from core.clock import beijing

bp = APIBlueprint("determinations", __name__, tag="核定 determinations")


@bp.get("/people/<person>/determinations")
@bp.doc(security="session", responses=answers(DeterminationsTold, 200, 401, 404))
def listed(person: str) -> dict[str, Any]:
    """What a bureau may be asked to decide, and where stands what it was asked"""
    return _told(person, _subject(person))


@bp.post("/people/<person>/determinations")
@bp.input(DeterminationAsked)
@bp.doc(security="session", responses=answers(DeterminationsTold, 201, 401, 403, 404, 409))
def ask(person: str, json_data: DeterminationAsked) -> tuple[dict[str, Any], int]:
    """Ask a bureau to decide a case

    Back-payments and a newborn's price; asking again changes nothing. A picture is sent on the page `/bureau/<person>`
    only."""
    subject = _subject(person)
    offer = offer_named(subject, json_data.offer)
    ask_bureau(parts(), subject, offer, Evidence(json_data.words), by=actor(here()))
    return _told(person, _subject(person)), 201


@bp.post("/people/<person>/determinations/<number>/withdrawal")
@bp.doc(security="session", responses=answers(DeterminationsTold, 200, 401, 403, 404, 409))
def take_back(person: str, number: str) -> dict[str, Any]:
    """Withdraw a case that nobody has in hand yet"""
    subject = _subject(person)
    withdraw(parts(), known_case(subject, number), by=here())
    return _told(person, _subject(person))


def _subject(person: str) -> Subject:
    return subjects(parts(), [known(person)])[0]


def _told(person: str, subject: Subject) -> dict[str, Any]:
    return {
        "person": person,
        "offers": [
            {"offer": each.key, "title": each.title, "whom": each.whom, "bureau": each.bureau}
            for each in offers(parts(), subject)
        ],
        "determinations": [
            {
                "number": each.id,
                "title": each.title,
                "state": each.state,
                "stands": each.stands,
                "after": each.after,
                "applied_at": beijing(each.applied_at).isoformat(timespec="seconds"),
                "may_withdraw": each.may_withdraw,
            }
            for each in applied(parts(), subject, reader=actor(here()))
        ],
    }
