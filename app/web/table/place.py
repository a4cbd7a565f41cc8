"""Who sits at the table: whom he may serve, by which channel, and where he finds the next one."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from flask import url_for

from app.access.serving import serves
from app.flows.due.quote import AGENT, SELF, subjects
from app.registry.find import Subject
from app.web.door.access import here
from app.web.door.parts import parts
from app.web.table import listing
from app.web.wishes import UnknownPerson, known


@dataclass(frozen=True)
class Place:
    """`channel`: the policy's, at a counter the resident's own days. `sees`: whether a village's people are served;
    `back`: a village's code → the address of the page
    with the next one; `matters`: village's code, a person's reference → the page where something is said of him."""

    channel: str
    sees: Callable[[str], bool]
    back: Callable[[str], str]
    matters: Callable[[str, str], str]


def place() -> Place:
    """Behind a guard that let an agent or somebody of a counter in."""
    held, sees = here(), serves(here())
    assert sees is not None, "the guard let an agent or somebody of a counter in"
    if held.agent is not None:
        return Place(
            AGENT,
            sees,
            listing.as_left,
            lambda code, person: url_for("agent_matters.mine", code=code, person=person),
        )
    return Place(
        SELF,
        sees,
        lambda _code: url_for("office_people.ask"),
        lambda _code, person: url_for("office_counter.matters", person=person),
    )


def own_person(named: str) -> Subject:
    """Somebody of this place, by his reference. UnknownPerson."""
    found = subjects(parts(), [known(named)])
    all_mine(found)
    return found[0]


def all_mine(found: Sequence[Subject]) -> None:
    """UnknownPerson for anybody outside the place as it is in this moment."""
    sees = place().sees
    if not found or not all(sees(each.village_code) for each in found):
        raise UnknownPerson
