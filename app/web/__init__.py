"""Every door of the web process on one screen: what answers, under which path, and who may come in."""

from time import perf_counter

import structlog
from apiflask import APIFlask
from flask import Response, g, request

from app.observe import REQUESTS, SECONDS
from app.web import callbacks, errors, health
from app.web.errors import request_number

DOORS = (
    # blueprint            path            guard
    (callbacks.bp, "/callbacks"),  # the gateway's signature
    (health.bp, ""),  # nobody: figures and health carry no person
)
HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; img-src 'self' data:; form-action 'self'; base-uri 'none'; "
        "frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
}
HSTS = "max-age=31536000"


def open_doors(app: APIFlask) -> None:
    """Blueprints, errors, headers, and one log line a request."""
    for blueprint, prefix in DOORS:
        app.register_blueprint(blueprint, url_prefix=prefix or None)
    errors.register(app)
    app.before_request(_begin)
    app.after_request(_end)


def _begin() -> None:
    g.began = perf_counter()
    structlog.contextvars.clear_contextvars()
    structlog.contextvars.bind_contextvars(request=request_number())


def _end(response: Response) -> Response:
    door = request.endpoint or "none"  # the route's name: a path could carry what nobody may log
    seconds = perf_counter() - g.get("began", perf_counter())
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)
    if request.is_secure:
        response.headers.setdefault("Strict-Transport-Security", HSTS)
    if request.blueprint not in _KEEPABLE:
        response.headers.setdefault("Cache-Control", "no-store")
    response.headers["X-Request-Id"] = request_number()
    REQUESTS.labels(door, response.status_code).inc()
    SECONDS.labels(door).observe(seconds)
    structlog.get_logger("web").info(
        "request", door=door, method=request.method, status=response.status_code, ms=round(seconds * 1000, 1)
    )
    return response


_KEEPABLE = frozenset({"static"})
