"""A bureau is asked for its word on somebody of this place: a waiver with a button, the rest on a page; or to register
a child of his that has no number yet."""

from flask import request, url_for

from app.flows.register.apply import ask_for_waiver
from app.web.asking import ask_here, asking_page, withdraw_here
from app.web.door.access import Answer, actor, here
from app.web.door.parts import parts
from app.web.newborns import apply_here, newborn_page, withdraw_newborn
from app.web.sheets import in_its_year
from app.web.table.house import again, bp
from app.web.table.place import own_person


@bp.get("/people/<person>/bureau")
def bureau(person: str) -> Answer:
    """What may be asked for, and where stands what was."""
    return asking_page(own_person(person), back=_back(person))


@bp.post("/people/<person>/bureau")
def ask(person: str) -> Answer | tuple[Answer, int]:
    """申请核定."""
    return ask_here(own_person(person), by=actor(here()), back=_back(person))


@bp.post("/people/<person>/bureau/<number>/withdraw")
def take_back(person: str, number: str) -> Answer | tuple[Answer, int]:
    """不申请了, of what was asked for at a table like this one."""
    return withdraw_here(own_person(person), number, back=_back(person))


@bp.get("/people/<person>/newborn")
def newborn(person: str) -> Answer:
    """A child of his: what was asked for, and a form."""
    return newborn_page(own_person(person), back=_back(person))


@bp.post("/people/<person>/newborn")
def apply_for_child(person: str) -> Answer | tuple[Answer, int]:
    """申请登记."""
    return apply_here(own_person(person), back=_back(person))


@bp.post("/people/<person>/newborn/<number>/withdraw")
def take_child_back(person: str, number: str) -> Answer | tuple[Answer, int]:
    """不申请了, of what was asked for at a table like this one."""
    return withdraw_newborn(own_person(person), number, back=_back(person))


@bp.post("/people/<person>/verify")
def verify(person: str) -> Answer:
    """请医保局核实, for anybody of the house on the page; back to it with what was chosen there."""
    year = request.args.get("year", type=int) or parts().levy.only
    ask_for_waiver(parts(), in_its_year(own_person(person), year), by=actor(here()))
    return again(request.args.get("page", person))


def _back(person: str) -> str:
    return url_for(".person", person=person)
