"""A form is good for the session whose page it stood on, and is sent from a page of ours. Never who somebody is."""

from collections.abc import Collection

from flask import Flask, g, request, session
from flask_wtf import CSRFProtect
from flask_wtf.csrf import generate_csrf

from app.web.door.access import SAFE, ForeignOrigin, visitor

_ELSEWHERE = frozenset({"cross-site", "same-site"})  # a sibling's page is another site's page
_FOR = "for"


def register(app: Flask, blueprints: Collection[str]) -> None:
    """After the guards: every form of these doors carries its token. ForeignOrigin, CSRFError."""

    def ours() -> None:
        if request.blueprint in blueprints and request.method not in SAFE:
            if request.headers.get("Sec-Fetch-Site") in _ELSEWHERE:
                raise ForeignOrigin
            _bind()

    app.before_request(ours)
    protection = CSRFProtect(app)
    for name, blueprint in app.blueprints.items():
        if name not in blueprints:
            protection.exempt(blueprint)
    app.jinja_env.globals["csrf_token"] = token
    app.context_processor(lambda: {"csrf_token": token})  # a page's own context goes before what is global


def token() -> str:
    """Of the session that this answer is for: one begun by this very request too."""
    _bind()
    return generate_csrf()


def _bind() -> None:
    """What the cookie `form` holds was made for this session, or is forgotten."""
    whose = _whose()
    if session.get(_FOR) != whose:
        session.clear()
        session[_FOR] = whose
        g.pop("csrf_token", None)


def _whose() -> str:
    """Whose session it is, once he said who he is; empty before: who taps twice at the login has one at the second."""
    held = visitor()
    return held.key if held is not None and (held.by or held.unsure_id) else ""
