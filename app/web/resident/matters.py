"""有话要说: a resident's sentence about one of his people, or about himself if no list has him."""

from collections.abc import Mapping

from apiflask import APIBlueprint
from flask import request, url_for

from app.flows.cases.say import Said, said_by
from app.flows.due.quote import subjects
from app.registry.subject import Subject
from app.web.door.access import Answer, actor, here
from app.web.door.parts import parts
from app.web.saying import say_here, saying_page, settle_here, shown
from app.web.wishes import known

bp = APIBlueprint("matters", __name__, enable_openapi=False)


@bp.get("/matters")
def mine() -> Answer:
    """What was said, and a form."""
    return _page()


@bp.post("/matters")
def say_one() -> Answer | tuple[Answer, int]:
    """告诉他们."""
    named = request.form.get("person", "")
    return shown(
        lambda: say_here(known(named) if named else None, village=None, by=actor(here())), _page, _own(), said=True
    )


@bp.post("/matters/<number>")
def settle_one(number: str) -> Answer | tuple[Answer, int]:
    """解决了, or 没解决."""
    return shown(lambda: settle_here(number, _said()), _page, _own())


def _said() -> list[Said]:
    return said_by(parts(), actor(here()), here().known.values())


def _page(problem: str | None = None) -> str:
    people = {person.id: person for person in subjects(parts(), sorted(set(here().known.values())))}
    whom = {named: people[person] for named, person in here().known.items() if person in people}
    begun = _begun(whom) if request.args.get("kind") == "STILL_ALIVE" else None
    return saying_page(whom, _said(), own=_own(), back=url_for("home.home"), problem=problem, begun=begun)


def _begun(whom: Mapping[str, Subject]) -> dict[str, str] | None:
    """Of somebody who is called dead, that he is not: one press is enough."""
    named = request.args.get("person", "")
    if named not in whom or not whom[named].called_dead:
        return None
    return {"kind": "STILL_ALIVE", "person": named, "words": "人还健在，写错了，请核对。"}


def _own() -> str:
    return url_for("matters.mine")
