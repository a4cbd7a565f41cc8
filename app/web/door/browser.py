"""What a browser brings along and what it keeps. Who somebody is and what he may is in `access`."""

from flask import current_app, request
from werkzeug.wrappers import Response

from app.flows.enter.session import Entry, Tried

_KNOWN_S = 180 * 24 * 3600


def network() -> str:
    """Where the request comes from, as far as the trusted proxies say."""
    return request.remote_addr or "nowhere"


def device() -> str:
    """What this browser brings of those who came in with it before; it lets nobody in."""
    return request.cookies.get(cookie_name("device"), "")


def typed_login() -> Tried:
    """The form of a login of agents and offices."""
    form = request.form
    return Tried(
        form.get("login", ""), form.get("password", ""), form.get("code", ""), network=network(), device=device()
    )


def cookie_name(plain: str = "session") -> str:
    """Bound to this host over https; plain in the sandbox, which speaks http."""
    return plain if current_app.extensions["settings"].is_sandbox else f"__Host-{plain}"


def keep(response: Response, entry: Entry) -> Response:
    """The token, in a cookie that ends with the browser; the database decides when the session ends. How the browser is
    known stays in it."""
    _set(response, cookie_name(), entry.token)
    if entry.device:
        _set(response, cookie_name("device"), entry.device, max_age=_KNOWN_S)
    return response


def _set(response: Response, name: str, value: str, *, max_age: int | None = None) -> None:
    secure = not current_app.extensions["settings"].is_sandbox
    response.set_cookie(name, value, max_age=max_age, httponly=True, samesite="Lax", secure=secure, path="/")
