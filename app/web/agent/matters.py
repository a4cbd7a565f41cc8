"""有话要说, for somebody of an agent's village, or for somebody whom the list of it lacks."""

from apiflask import APIBlueprint
from flask import request, url_for

from app.flows.cases.say import Said, said_in
from app.registry.find import Subject
from app.web.agent.households import own_village
from app.web.door.access import Answer, actor, here
from app.web.door.parts import parts
from app.web.saying import say_here, saying_page, settle_here, shown
from app.web.table.place import own_person

bp = APIBlueprint("agent_matters", __name__, enable_openapi=False)


@bp.get("/villages/<code>/matters")
def mine(code: str) -> Answer:
    """What was said of the village, and a form: of one person, or of whom the list lacks."""
    return _page(own_village(code).code)


@bp.post("/villages/<code>/matters")
def say_one(code: str) -> Answer | tuple[Answer, int]:
    """告诉他们."""
    village, person = own_village(code).code, _person()
    by = actor(here())
    return shown(
        lambda: say_here(person.id if person else None, village=village, by=by, named=_named(person)),
        lambda problem: _page(village, problem),
        _own(village),
        said=True,
    )


@bp.post("/villages/<code>/matters/<number>")
def settle_one(code: str, number: str) -> Answer | tuple[Answer, int]:
    """解决了, or 没解决."""
    village = own_village(code).code
    return shown(lambda: settle_here(number, _said(village)), lambda problem: _page(village, problem), _own(village))


def _person() -> Subject | None:
    """Of whom the page is, by the reference in its address or form. UnknownPerson for another village's."""
    named = request.form.get("person") or request.args.get("person", "")
    return own_person(named) if named else None


def _said(village: str) -> list[Said]:
    person = _person()
    return said_in(parts(), village, person.id if person else None)


def _page(village: str, problem: str | None = None) -> str:
    person = _person()
    named = request.form.get("person") or request.args.get("person", "")
    whom = {named: person} if person else {}
    back = url_for("agent_table.person", person=named) if person else url_for("agent.village", code=village)
    begun = _begun(person) if person and request.args.get("kind", "").startswith("NOT_LISTED") else None
    return saying_page(whom, _said(village), own=_own(village), back=back, problem=problem, begun=begun)


def _begun(person: Subject) -> dict[str, str]:
    """Of somebody who is registered and not on the village's roster: who it is, and that."""
    return {"kind": request.args["kind"][:40], "words": f"{_named(person)}登记了，生效的清册上没有，请核实。"}


def _named(person: Subject | None) -> str:
    return f"{person.name}（{person.household_number}户）" if person else ""


def _own(village: str) -> str:
    named = request.form.get("person") or request.args.get("person")
    return url_for("agent_matters.mine", code=village, person=named or None)
