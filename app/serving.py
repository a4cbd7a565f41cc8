"""The web process's application: the joined parts behind every door. Commands and the worker read none of this."""

from apiflask import APIFlask
from werkzeug.middleware.proxy_fix import ProxyFix

from app.cli import GROUPS
from app.joining import joined
from app.web import open_doors
from app.web.quick import Json, Web
from config.settings import Settings


def create_app(settings: Settings) -> APIFlask:
    """The application: web process and command line. Opens no connection before it is asked something."""
    parts = joined(settings)
    app = Web("app.web", title="两险通", version="1", docs_path=None, spec_path="/api/openapi.json")
    app.config.update(
        SECRET_KEY=settings.secret_key,
        MAX_CONTENT_LENGTH=1024 * 1024,
        MAX_FORM_PARTS=200,
        MAX_FORM_MEMORY_SIZE=256 * 1024,
        # Holds the form's token only, for one session; who somebody is stands in the database.
        SESSION_COOKIE_NAME="form" if settings.is_sandbox else "__Host-form",
        SESSION_COOKIE_PATH="/",
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_SECURE=not settings.is_sandbox,
        VALIDATION_ERROR_STATUS_CODE=422,
        WTF_CSRF_TIME_LIMIT=8 * 3600,  # as long as the longest session
        WTF_CSRF_SSL_STRICT=False,  # it wants a Referer, which our pages send to nobody; the token is the proof
    )
    if settings.trusted_proxies:
        hops = settings.trusted_proxies
        # No x_host: a proxy that passes on what a client sends would let him say who we are. It passes Host itself.
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=hops, x_proto=hops, x_host=0)
    app.json = Json(app)
    app.extensions["settings"] = settings
    app.extensions.update(parts)
    open_doors(app)
    for group in GROUPS:
        app.cli.add_command(group)
    return app
