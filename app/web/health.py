"""/livez: this process lives. /readyz: it can do its work. /metrics: figures, for callers on this machine only."""

import os

from apiflask import APIBlueprint
from flask import Response, abort, jsonify, request
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Gauge, generate_latest, multiprocess
from prometheus_client.registry import REGISTRY
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from app.web.parts import parts
from migrations.upgrade import is_current

bp = APIBlueprint("health", __name__, enable_openapi=False)


@bp.get("/livez")
def livez() -> Response:
    """Never looks at the database: one blip of it must not end every process."""
    return jsonify(status="ok")


@bp.get("/readyz")
def readyz() -> tuple[Response, int]:
    """Database writable, schema as this code expects, a gateway with keys loaded."""
    held = parts()
    found = {"gateways": bool(held.gateways)}
    try:
        with held.engine.connect() as connection:
            found["writable"] = not connection.execute(text("select pg_is_in_recovery()")).scalar_one()
            found["schema"] = is_current(connection)
    except SQLAlchemyError:
        found["writable"] = False
    ready = all(found.values())
    return jsonify(status="ok" if ready else "not ready", **found), 200 if ready else 503


@bp.get("/metrics")
def metrics() -> Response:
    """All workers' figures. From outside it does not exist (A89)."""
    if request.remote_addr not in ("127.0.0.1", "::1") or "X-Forwarded-For" in request.headers:
        abort(404)
    registry = REGISTRY
    if os.environ.get("PROMETHEUS_MULTIPROC_DIR"):  # the library's own variable
        registry = CollectorRegistry()
        multiprocess.MultiProcessCollector(registry)
    return Response(generate_latest(registry) + generate_latest(_book()), content_type=CONTENT_TYPE_LATEST)


def _book() -> CollectorRegistry:
    """What the worker's last look at the book found: rows that break each truth, and how old that look is."""
    registry = CollectorRegistry()
    rows = Gauge("liangxian_invariant_rows", "Rows that break a truth of the book", ["number"], registry=registry)
    age = Gauge("liangxian_invariant_age_seconds", "Since the last look", ["number"], registry=registry)
    with parts().reading() as connection:
        for found in connection.execute(text("select number, rows, now() - checked_at as age from book_check")):
            rows.labels(found.number).set(found.rows)
            age.labels(found.number).set(found.age.total_seconds())
    return registry
