"""A village's paper and news: slips to hand out, who has paid since the list was opened, whom to tell at the door."""

from hashlib import sha256

from apiflask import APIBlueprint
from flask import Response, jsonify, make_response, redirect, render_template, request, url_for

from app.flows.tell.at_the_door import NoSuchVisit, visited, visits
from app.flows.village.people import Standing, in_words, just_settled, matching, villagers
from app.flows.village.slips import slips, words_of_the_day
from app.registry.find import Subject
from app.web.agent.households import own_village
from app.web.codes import drawn
from app.web.door.access import Answer, agent, mark_of
from app.web.door.parts import parts
from app.web.table import listing
from app.web.table.place import own_person
from app.web.wishes import UnknownPerson

bp = APIBlueprint("village", __name__, enable_openapi=False)


@bp.get("/villages/<code>/slips")
def paper(code: str) -> Answer:
    """Slips on A4, eight a page, all with the same code: the address of the first page and nothing else. Of the whole
    village, of whom the agent's list shows, or of one person's household."""
    place, everybody = own_village(code), "all" in request.args
    house, only = _household(place.code), _listed(place.code)
    return render_template(
        "agent/slips.html",
        place=place,
        everybody=everybody,
        house=house.household_number if house else None,
        chosen=None if only is None else len(only),
        slips=slips(parts(), place.code, everybody=everybody, only={house.household_id} if house else only),
        back=listing.as_left(place.code),
        in_wechat=parts().account is not None or parts().program_link is not None,
        address=parts().public_url.partition("://")[2],
        picture=drawn(parts().public_url + "/"),
        said=words_of_the_day(parts().rules, parts().clocks.today()),
    )


def _household(code: str) -> Subject | None:
    """Whose household alone is printed, by the address. UnknownPerson for another village's."""
    named = request.args.get("person", "")
    found = own_person(named) if named else None
    if found is not None and found.village_code != code:
        raise UnknownPerson
    return found


def _listed(code: str) -> set[int] | None:
    """The households of whom the list of the address shows; None: of everybody."""
    asked = listing.asked(code)
    if asked.is_whole:
        return None
    return {line.subject.household_id for line in matching(villagers(parts(), code)[0], asked.wanted, asked.show)}


@bp.get("/villages/<code>/news")
def news(code: str) -> Response:
    """The lines of whoever settled in the last half hour; nothing (204) to a list that knows them already."""
    place = own_village(code)
    settled = just_settled(parts(), place.code)
    edition = sha256(repr(settled).encode()).hexdigest()[:16]
    if request.args.get("edition", "") == edition or not settled:
        return make_response("", 204)
    lines, progress = villagers(parts(), place.code)
    return jsonify(
        edition=edition,
        progress=in_words(progress, parts().rules.year),
        people={
            mark_of(line.subject.id): {
                "words": line.words,
                "due": line.due_words,
                "done": line.standing is Standing.DONE,
            }
            for line in lines
            if line.subject.id in settled
        },
    )


@bp.get("/villages/<code>/visits")
def to_visit(code: str) -> Answer:
    """Whom no message reached: what to read out at which door."""
    place = own_village(code)
    return render_template("agent/visits.html", place=place, visits=visits(parts(), place.code))


@bp.post("/villages/<code>/visits")
def told(code: str) -> Answer:
    """告诉了: by this agent, now."""
    place, household = own_village(code), request.form.get("household", "")
    if not (household.isascii() and household.isdecimal() and len(household) < 18):
        raise NoSuchVisit
    cause = request.form.get("cause", "")[:200].replace("\0", "")
    visited(parts(), [place.code], household_id=int(household), cause=cause, by=f"agent:{agent().login}")
    return redirect(url_for("village.to_visit", code=place.code), 303)
