"""A resident asks a bureau for its word on one of his people, follows it, and may think better of it; or to
register a child that has no number yet."""

from apiflask import APIBlueprint
from flask import url_for

from app.web.asking import ask_here, asking_page, withdraw_here
from app.web.door.access import Answer, actor, here
from app.web.newborns import apply_here, newborn_page, withdraw_newborn
from app.web.resident.dues import person_of

bp = APIBlueprint("bureau", __name__, enable_openapi=False)


@bp.get("/bureau/<person>")
def bureau(person: str) -> Answer:
    """What may be asked for, and where stands what was."""
    return asking_page(person_of(person), back=_back())


@bp.post("/bureau/<person>")
def ask(person: str) -> Answer | tuple[Answer, int]:
    """申请核定."""
    return ask_here(person_of(person), by=actor(here()), back=_back())


@bp.post("/bureau/<person>/<number>/withdraw")
def take_back(person: str, number: str) -> Answer | tuple[Answer, int]:
    """不申请了."""
    return withdraw_here(person_of(person), number, back=_back())


@bp.get("/newborn/<person>")
def newborn(person: str) -> Answer:
    """A child of his: what was asked for, and a form."""
    return newborn_page(person_of(person), back=_back())


@bp.post("/newborn/<person>")
def apply_for_child(person: str) -> Answer | tuple[Answer, int]:
    """申请登记."""
    return apply_here(person_of(person), back=_back())


@bp.post("/newborn/<person>/<number>/withdraw")
def take_child_back(person: str, number: str) -> Answer | tuple[Answer, int]:
    """不申请了."""
    return withdraw_newborn(person_of(person), number, back=_back())


def _back() -> str:
    return url_for("resident.due")
