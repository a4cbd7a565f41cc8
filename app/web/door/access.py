"""Who is this, and may they. Every door names its guard; a door without one opens for nobody."""

from collections.abc import Callable, Sequence
from typing import TypeVar, cast

from flask import Response, current_app, g, redirect, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from app.access.references import mark, refer, referred
from app.access.roles import PERMISSIONS, Role, may
from app.access.serving import serves
from app.access.sessions import Officer, SignedIn, Visitor
from app.flows.enter.session import Entry, leave, visitor_of
from app.flows.offices.glass import note
from app.flows.pay.follow import Followed, follow
from app.web.door.browser import cookie_name, network
from app.web.door.onward import asked_for
from app.web.door.parts import parts
from core.db import EVERYWHERE, PLACES
from core.errors import NotFound, Refused
from payments.errors import NoSuchPayment

Guard = Callable[[], AnyResponse | None]
View = TypeVar("View", bound=Callable[..., object])
SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
_BEARER = "Bearer "


class NoSession(Refused):
    """No token, or one that has ended."""

    status = 401
    text = "时间久了，请重新进入再办。"


class ForeignOrigin(Refused):
    """A cookie that came along with another site's request."""

    text = "请从本页面办理。"


class NoGuard(NotFound):
    """A route that nobody declared a guard for does not exist (A43)."""

    text = "没有这个页面。"


class NotYourDesk(Refused):
    """Somebody of an office at a door that is another role's."""

    text = "这一步不归您办。要办请换有这个权限的人。"


def anybody() -> AnyResponse | None:
    """Open to all."""
    return None


def proven() -> AnyResponse | None:
    """Open to all: what comes proves itself by its signature, or carries no person."""
    return None


def api_resident() -> AnyResponse | None:
    """A session by bearer token, or by cookie from our own pages. NoSession, ForeignOrigin."""
    held = visitor()
    if held is None or held.agent is not None or held.officer is not None:
        raise NoSession
    if request.method not in SAFE and not _bearer() and not _same_origin():
        raise ForeignOrigin
    return None


def page_account() -> AnyResponse | None:
    """A resident's account; everybody else to his own first page, or to the login."""
    held = visitor()
    if held is not None and held.agent is not None:
        return redirect(url_for("agent.today"), 303)
    if held is not None and held.officer is not None:
        return redirect(url_for("desk.home"), 303)
    if held is not None and held.account_id is not None:
        return None
    page = "resident.who" if held and held.unsure_id else "sign_in.phone"
    return redirect(url_for(page, then=asked_for(), over=_over()), 303)


def page_resident() -> AnyResponse | None:
    """An account that knows somebody; one that does not, to the page that asks for name and number."""
    elsewhere = page_account()
    if elsewhere is None and not here().known:
        return redirect(url_for("resident.who", then=asked_for()), 303)
    return elsewhere


def _over() -> int | None:
    """1 for somebody whose session has ended without his doing."""
    return 1 if visitor() is None and cookie_name() in request.cookies else None


def page_agent() -> AnyResponse | None:
    """An agent with a password of his own; who still has an operator's, to his account; everybody else to the login."""
    elsewhere = agent_in()
    return redirect(url_for("own_agent.agent_account"), 303) if elsewhere is None and agent().given else elsewhere


def agent_in() -> AnyResponse | None:
    """An agent who is logged in, whoever gave him the password."""
    held = visitor()
    if held is not None and held.agent is not None:
        return None
    return redirect(url_for("agent.login", then=asked_for(), over=_over()), 303)


def by_permission() -> AnyResponse | None:
    """The offices' doors open by `needs` only: a route that names no permission opens for nobody."""
    raise NoGuard(request.endpoint)


def needs(permission: str, *, first: bool = False) -> Callable[[View], View]:
    """This route is for staff whose role holds the permission. To the login without a session; to his account with an
    operator's password still, unless it is for him `first`; NotYourDesk."""
    return guarded_by(permitted(permission, first=first))


def permitted(permission: str, *, first: bool = False) -> Guard:
    """The same as a guard, for all routes of a door."""
    PERMISSIONS[permission]  # an undeclared one fails the start

    def guard() -> AnyResponse | None:
        held = visitor()
        if held is None or held.officer is None:
            return redirect(url_for("desk.login"), 303)
        if held.officer.given and not first:
            return redirect(url_for("own_office.office_account"), 303)
        if not may(held.officer.role, permission):
            raise NotYourDesk(permission)
        _kept_for_the_auditor(held.officer)
        return None

    return guard


def _kept_for_the_auditor(held: Officer) -> None:
    """What is asked for while a glass is open is written down before it is answered, or it is not answered."""
    if held.role is not Role.GLASS:
        return
    named = dict(request.view_args or {})
    person = person_behind(str(named.pop("person", "")))
    words = " ".join(str(value) for value in named.values())
    note(parts(), held, endpoint=str(request.endpoint), words=words, person=person, network=network())


def guarded_by(guard: Guard) -> Callable[[View], View]:
    """Another guard for one route than the one of its door."""

    def declare(view: View) -> View:
        view.guard = guard  # type: ignore[attr-defined]
        return view

    return declare


def guard_of(endpoint: str) -> Guard | None:
    """The guard of a route: its own, its door's, or none."""
    view = current_app.view_functions.get(endpoint)
    own = getattr(view, "guard", None)
    guards = cast(dict[str, Guard], current_app.extensions["guards"])
    return own or guards.get(endpoint) or guards.get(endpoint.rpartition(".")[0])


def watch() -> AnyResponse | None:
    """Before every request: ask the route's guard. NoGuard for a route without one."""
    if request.endpoint is None:
        return None  # no such route: 404 or 405 says so
    guard = guard_of(request.endpoint)
    if guard is None:
        raise NoGuard(request.endpoint)
    return guard()


def visitor() -> Visitor | None:
    """Whose session this request carries; asked of the database once a request, which then keeps to his places."""
    if "visitor" not in g:
        token = its_token()
        g.visitor = visitor_of(parts(), token) if token else None
        PLACES.set(g.visitor.places if g.visitor else EVERYWHERE)
    return cast(Visitor | None, g.visitor)


def here() -> Visitor:
    """The visitor behind a guard that let him in."""
    held = visitor()
    if held is None:
        raise NoSession
    return held


def agent() -> SignedIn:
    """The agent behind `page_agent`."""
    held = here().agent
    if held is None:
        raise NoSession
    return held


def officer() -> Officer:
    """Whoever of an office is behind `needs`."""
    held = here().officer
    if held is None:
        raise NoSession
    return held


def admit(entry: Entry) -> None:
    """This request goes on with a session that was just made."""
    g.visitor = visitor_of(parts(), entry.token)


def actor(visitor: Visitor) -> str:
    """Who starts a payment: account:<id>, agent:<id>, or staff:<login> of a counter."""
    if visitor.officer is not None:
        return visitor.officer.by
    return f"agent:{visitor.agent.id}" if visitor.agent else f"account:{visitor.account_id}"


def reference(person_id: int) -> str:
    """How this session's pages name a person."""
    held = here()
    if held.agent is not None or held.officer is not None:
        return refer(parts().vault, held.key, person_id)
    return next(known for known, person in held.known.items() if person == person_id)


def mark_of(person_id: int) -> str:
    """How a script on this session's pages finds the line of a person again."""
    return mark(parts().vault, here().key, person_id)


def person_behind(named: str) -> int | None:
    """The person id of a reference of this session, or None."""
    held = here()
    if held.agent is not None or held.officer is not None:
        return referred(parts().vault, held.key, named)
    return held.known.get(named)


def own_payment(number: str) -> Followed:
    """A payment this session may see: its account paid it, its people are known here, or are served at this table.
    NoSuchPayment."""
    held = here()
    followed = follow(parts(), number)
    its = serves(held)
    if its is not None:
        mine = all(its(item.village_code) for item in followed.items)
    else:
        people = {item.person_id for item in followed.items}
        mine = followed.started_by == actor(held) or people <= set(held.known.values())
    if not mine:
        raise NoSuchPayment(number)
    return followed


def drop(response: AnyResponse) -> AnyResponse:
    """Session and cookie end, and what the browser kept of our pages. Not its other cookies: by one it stays known."""
    held = visitor()
    if held is not None:
        leave(parts(), held, network=network())
    response.delete_cookie(cookie_name(), path="/", secure=not current_app.extensions["settings"].is_sandbox)
    response.headers["Clear-Site-Data"] = '"cache", "storage"'
    return response


def routes_without_guard() -> Sequence[str]:
    """Endpoints nobody declared a guard for; empty when all is well."""
    return [rule.endpoint for rule in current_app.url_map.iter_rules() if guard_of(rule.endpoint) is None]


def its_token() -> str | None:
    """What this request carries of its session."""
    return _bearer() or request.cookies.get(cookie_name())


def _bearer() -> str | None:
    """A token in the header counts for the API only; one in the address never does (A56)."""
    said = request.headers.get("Authorization", "")
    return said.removeprefix(_BEARER) if said.startswith(_BEARER) and request.path.startswith("/api/") else None


def _same_origin() -> bool:
    site = request.headers.get("Sec-Fetch-Site")
    if site is not None:
        return site == "same-origin"
    origin = request.headers.get("Origin")
    return origin is not None and origin == request.host_url.rstrip("/")


Answer = str | Response | AnyResponse
