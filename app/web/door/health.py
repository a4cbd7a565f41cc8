"""/livez: this process lives, and its version. /readyz: it can do its work. /metrics: figures, for callers here."""

import os
from collections.abc import Iterable, Mapping
from threading import Lock
from time import monotonic

from apiflask import APIBlueprint
from flask import Flask, Response, abort, current_app, jsonify, request
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest, multiprocess
from prometheus_client.core import REGISTRY, GaugeMetricFamily
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from app.flows.parts import Parts
from app.flows.register.check_year import have_funds
from app.flows.restore.watch import figures_of, standing
from app.web.door.parts import parts
from core.db import DatabaseSilent, may_write
from core.version import COMMIT, VERSION
from migrations.standing import serves

bp = APIBlueprint("health", __name__, enable_openapi=False)
LOOK_S = 1.0


class Standing:
    """What this process can do at the moment. Asked of the database once a second, however often somebody asks us."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._found: Mapping[str, bool] = {}
        self._looked_at = -LOOK_S
        self.draining = False  # it was told to stop: whoever sends it work should send it elsewhere

    def of(self, held: Parts) -> Mapping[str, bool]:
        """`gateways`, `writable`, `schema`, `stays`: each true, or the process is not ready."""
        with self._lock:
            if monotonic() - self._looked_at >= LOOK_S:
                self._found = {"gateways": bool(held.gateways), **_looked(held)}
                self._looked_at = monotonic()
            return {**self._found, "stays": not self.draining}


def _looked(held: Parts) -> Mapping[str, bool]:
    for last in (False, True):  # a connection from before the server was started anew says nothing of it
        try:
            with held.reading() as connection:
                schema = serves(connection) and have_funds(held, connection)
                return {"writable": may_write(connection), "schema": schema}
        except SQLAlchemyError as error:
            if last or isinstance(
                getattr(error, "orig", None), DatabaseSilent
            ):  # who was silent once is not asked again
                break
            if not getattr(error, "connection_invalidated", False):
                break
    return {"writable": False}


def register(app: Flask) -> None:
    """One standing a process."""
    app.extensions["standing"] = Standing()


def writable() -> bool:
    """Whether anything can be written now; a page offers no payment otherwise."""
    standing: Standing = current_app.extensions["standing"]
    return standing.of(parts()).get("writable", False)


@bp.get("/livez")
def livez() -> Response:
    """Never looks at the database: one blip of it must not end every process. `commit` is empty where nobody said."""
    return jsonify(status="ok", version=VERSION, commit=COMMIT)


@bp.get("/readyz")
def readyz() -> tuple[Response, int]:
    """Database writable, schema what this code and its years need, a gateway with keys loaded, not about to stop."""
    found = current_app.extensions["standing"].of(parts())
    ready = all(found.values())
    return jsonify(status="ok" if ready else "not ready", **found), 200 if ready else 503


@bp.get("/metrics")
def metrics() -> Response:
    """The figures of all processes that share the folder, the worker's too. From outside it does not exist (A89)."""
    if request.remote_addr not in ("127.0.0.1", "::1") or "X-Forwarded-For" in request.headers:
        abort(404)
    registry = REGISTRY
    if os.environ.get("PROMETHEUS_MULTIPROC_DIR"):  # the library's own variable
        registry = CollectorRegistry()
        multiprocess.MultiProcessCollector(registry)
    return Response(generate_latest(registry) + generate_latest(_book()), content_type=CONTENT_TYPE_LATEST)


class Asked:
    """Figures asked for one answer and gone with it. The library's gauges stay in the shared folder, one a process, and
    would go on saying what a process said that nobody has asked since, or that is gone."""

    def __init__(self) -> None:
        self.figures: list[GaugeMetricFamily] = []

    def figure(self, name: str, words: str, *labels: str) -> GaugeMetricFamily:
        self.figures.append(GaugeMetricFamily(f"liangxian_{name}", words, labels=labels))
        return self.figures[-1]

    def collect(self) -> Iterable[GaugeMetricFamily]:
        return self.figures


def _book() -> CollectorRegistry:
    """What the worker's last look at the book found: rows that break each truth, and how old that look is; whether that
    can be read at the moment, and anything written. The version is there without it."""
    asked = Asked()
    asked.figure("build_info", "1, of the version that answers", "version", "commit").add_metric([VERSION, COMMIT], 1)
    asked.figure("database_writable", "1: acts are possible").add_metric([], writable())
    readable = asked.figure("book_readable", "1: what the last look found could be read")
    rows = asked.figure("invariant_rows", "Rows that break a truth of the book", "number")
    age = asked.figure("invariant_age_seconds", "Since the last look", "number")
    try:
        with parts().reading() as connection:
            for found in connection.execute(text("select number, rows, now() - checked_at as age from book_check")):
                rows.add_metric([found.number], found.rows)
                age.add_metric([found.number], found.age.total_seconds())
        for name, (words, value) in figures_of(standing(parts()), parts().clocks.wall()).items():
            if value is not None:
                asked.figure(name, words).add_metric([], value)
        readable.add_metric([], 1)
    except SQLAlchemyError:
        readable.add_metric([], 0)
    registry = CollectorRegistry()
    registry.register(asked)
    return registry
