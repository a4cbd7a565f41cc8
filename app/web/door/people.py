"""A resident's session and everybody it knows, in the same question: for what he looks at most."""

from typing import cast

from flask import g
from werkzeug.wrappers import Response

from app.flows.enter.session import visitor_with_people
from app.registry.subject import Subject
from app.registry.years import Years
from app.web.door.access import api_resident, its_token, page_resident
from app.web.door.parts import parts


def api_resident_and_people() -> Response | None:
    """As `api_resident`; the people are as they are for the years that are collected."""
    _bring_along(parts().levy.years)
    return api_resident()


def page_resident_and_people() -> Response | None:
    """As `page_resident`; the people are as they are for each year that ever was."""
    _bring_along(parts().levy.ever)
    return page_resident()


def people_here() -> list[Subject]:
    """Everybody the session knows, behind one of these guards; nobody who is restricted."""
    return cast(list[Subject], g.get("people", []))


def _bring_along(years: Years) -> None:
    token = its_token()
    if token:
        g.visitor, g.people = visitor_with_people(parts(), token, years=years)
        if g.visitor is None:
            del g.visitor  # a session that knows nobody is still a session
