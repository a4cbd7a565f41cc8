"""Why nobody pays in somebody's place yet, though a department named him: told to himself alone, as it tells that
somebody is asked to pay for him (J5)."""

from collections.abc import Mapping, Sequence

from app.flows.family.people import own_people
from app.registry.find import Subject
from app.registry.helped_reasons import not_done
from app.web.door.access import here
from app.web.door.parts import parts


def unhelped(people: Sequence[Subject]) -> Mapping[int, Mapping[str, str]]:
    """Person → insurance → the sentence."""
    if not any(person.unhelped for person in people):
        return {}
    own = own_people(parts(), here())
    return {
        person.id: {insurance: not_done(code) for insurance, code in person.unhelped.items()}
        for person in people
        if person.id in own
    }
