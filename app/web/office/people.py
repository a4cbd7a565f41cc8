"""The offices' people: found one by one, numbers masked; a full number for a reason that is written down."""

from apiflask import APIBlueprint
from flask import render_template, request

from app.access.roles import may
from app.flows.offices import people as desk_people
from app.flows.offices.people import (
    BadReadingReason,
    NobodyFound,
    NoPlaceChosen,
    NothingWanted,
    dossier,
    places,
    read_numbers,
)
from app.flows.tell.words import told
from app.web.door.access import Answer, needs, officer, reference
from app.web.door.access import person_behind as behind
from app.web.door.browser import network
from app.web.door.parts import parts

bp = APIBlueprint("office_people", __name__, enable_openapi=False)


@bp.get("/")
@needs("people.see")
def ask() -> Answer:
    """Whom do you look for?"""
    return _ask()


@bp.post("/")
@needs("people.see")
def search() -> Answer | tuple[Answer, int]:
    """Who was found. What is sought comes in a form: an identity number stands in no address."""
    typed = {"place": request.form.get("place", ""), "wanted": request.form.get("wanted", "")[:100]}
    try:
        hits = desk_people.search(parts(), officer(), network=network(), **typed)
    except (NothingWanted, NoPlaceChosen, NobodyFound) as error:
        return _ask(problem=error.sentence(), **typed), error.status
    return _ask(hits=hits, **typed)


@bp.get("/<person>")
@needs("people.see")
def one(person: str) -> Answer:
    """One person: dues, household, payments, what was told, who read the numbers."""
    return _one(person)


@bp.post("/<person>")
@needs("number.see")
def numbers(person: str) -> Answer | tuple[Answer, int]:
    """The full numbers, this once, and why they were read."""
    try:
        number, phone = read_numbers(parts(), officer(), known(person), reason=request.form.get("reason", "")[:400])
    except BadReadingReason as error:
        return _one(person, problem=error.sentence()), error.status
    return _one(person, number=number, phone=phone or "没有登记")


def known(person: str) -> int:
    """The person behind a reference of this session. NobodyFound."""
    found = behind(person)
    if found is None:
        raise NobodyFound
    return found


def _ask(**words: object) -> str:
    return render_template("office/people.html", places=places(parts(), officer()), reference=reference, **words)


def _one(person: str, **words: object) -> str:
    found = dossier(parts(), officer(), known(person))
    role = officer().role
    shown: dict[str, object] = {
        "found": found,
        "phone": found.phone or "没有登记",
        "reference": reference,
        "here": person,
        "traces": may(role, "trace.see"),
        "reads": may(role, "number.see"),
        "serves": may(role, "counter.serve"),
        "told": [told(notice, parts().vault) for notice in found.notices],
    }
    return render_template("office/person.html", **shown | words)
