"""POST /api/v1/people: look somebody up. GET /api/v1/due: everybody this session knows, and what is due."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from apiflask import APIBlueprint
from flask import request
from orjson import Fragment, dumps

from app.flows.due.item import Due
from app.flows.due.quote import all_due, subjects
from app.flows.family.people import get_to_know
from app.policy.answer import Line
from app.policy.levels import LevelChoice
from app.policy.quote import TierChoice
from app.policy.tiers import WHOLE_YUAN
from app.policy.words import level_words
from app.registry.find import Subject
from app.web.api.asked import PersonAsked
from app.web.api.told import PeopleTold, PersonTold, answers
from app.web.door.access import guarded_by, here
from app.web.door.browser import network
from app.web.door.health import writable
from app.web.door.parts import parts
from app.web.door.people import api_resident_and_people, people_here
from app.web.wishes import choices
from core.money import Fen
from core.redact import mask_name

bp = APIBlueprint("people", __name__, tag="查询 look-up")


@bp.post("/people")
@bp.input(PersonAsked)
@bp.doc(security="session", responses=answers(PersonTold, 200, 401, 403, 404, 422, 429))
def look_up(json_data: PersonAsked) -> dict[str, Any]:
    """Look a person up

    By name and identity number; the same answer for a wrong name and for an unknown number. The person is known to
    this account from now on, under the reference in `person`. The session must have proved a phone, and the privacy
    notice must be agreed to once."""
    named, person_id = get_to_know(
        parts(),
        here(),
        name=json_data.name,
        id_number=json_data.id_number,
        network=network(),
        agreed=json_data.agreed,
    )
    return _people(subjects(parts(), [person_id]), {person_id: named})[0]


@bp.get("/due")
@guarded_by(api_resident_and_people)
@bp.doc(
    security="session",
    description="`tier.<person>@<year>=<fen>` chooses a pension tier for the answer,"
    " `tier.<person>@<year>:<determination>=<fen>` that of a back-payment of years, `level.<person>@<year>=<level>`"
    " a level of the medical insurance, `rise.<person>@<year>=<fen>` a higher tier of a pension that is paid; the"
    " year may be left out while only one is collected.",
    responses=answers(PeopleTold, 200, 401, 404, 422),
)
def due() -> dict[str, Any]:
    """What is due for everybody this session knows"""
    known = here().known
    names = {person: named for named, person in known.items()}
    return {"people": _people(people_here(), names), "can_pay": writable()}


def _people(found: Sequence[Subject], names: Mapping[int, str]) -> list[dict[str, Any]]:
    chosen, ask = choices(request.args), partial(all_due, parts(), at=parts().clocks.now())
    groups: dict[int, int] = {}
    return [
        {
            "person": names[person.id],
            "household": groups.setdefault(person.household_id, len(groups) + 1),
            "masked_name": mask_name(person.name),
            "village": f"{person.town}{person.village}",
            "due": _told(person, ask(person, **chosen.get(person.id, {}))),
        }
        for person in found
    ]


def _told(person: Subject, dues: Sequence[Due]) -> Fragment:
    """Written once of what was reckoned once. It is kept with its dues, lest others come to lie where they lay: as long
    as it is known by their place, that is theirs."""
    return person.once(("told", id(dues)), lambda: (dues, Fragment(dumps([_due(each) for each in dues]))))[1]


def _due(due: Due) -> dict[str, Any]:
    quote = due.quote
    return {
        "year": due.levy_year,
        "insurance": due.insurance,
        "determination": due.determination,
        "years": list(due.years),
        "late": due.is_late,
        "title": due.heading,
        "eligible": quote.eligible,
        "settled": due.settled,
        "reason_code": quote.reason_code,
        "text": due.text,
        "outlook": due.said.outlook,
        "ask_first": due.ask_first,
        "may_ask": due.may_ask,
        "tier": quote.tier,
        "personal_due": None if quote.personal_due is None else quote.to_pay,
        "total": quote.whole,
        "within": list(due.said.within),
        "lines": [_line(*each) for each in zip(quote.lines, due.said.lines, due.said.clauses, strict=True)],
        "tiers": [_tier(choice) for choice in due.choices],
        "amounts": {"least": due.amounts.least, "most": due.amounts.most, "step": WHOLE_YUAN} if due.amounts else None,
        "level": quote.level,
        "levels": [_level(choice) for choice in due.levels],
        "benefit_start": quote.benefit_start.isoformat() if quote.benefit_start else None,
        "waiting_end": quote.waiting_end.isoformat() if quote.waiting_end else None,
        "price_until": quote.price_until.isoformat() if quote.price_until else None,
        "raised_from": due.raised_from,
        "rise": _rise(due.rise, due.rise.raised_from) if due.rise and due.rise.raised_from else None,
    }


def _rise(rise: Due, paid: Fen) -> dict[str, Any]:
    until = rise.quote.price_until
    return {
        "title": rise.heading,
        "text": rise.text,
        "raised_from": paid,
        "tier": rise.tier,
        "personal_due": rise.quote.personal_due,
        "price_until": until.isoformat() if until else None,
        "tiers": [_tier(choice) for choice in rise.choices],
    }


def _tier(choice: TierChoice) -> dict[str, Any]:
    return {
        "tier": choice.tier,
        "allowed": choice.allowed,
        "personal_due": choice.personal_due,
        "gov_subsidy": choice.gov_subsidy,
        "reason_code": choice.reason_code,
    }


def _level(choice: LevelChoice) -> dict[str, Any]:
    return {
        "level": choice.level,
        "name": level_words(choice.level),
        "allowed": choice.allowed,
        "personal_due": choice.personal_due,
        "reason_code": choice.reason_code,
    }


def _line(line: Line, text: str, clause_words: str) -> dict[str, Any]:
    payer = line.payer.partition(":")[0]
    return {
        "part": line.part,
        "payer": payer if payer in ("resident", "sponsor") else "government",  # a department's name tells a category
        "fund": line.fund,
        "amount": line.amount,
        "clause": line.clause,
        "clause_words": clause_words,
        "text": text,
    }
