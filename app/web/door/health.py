"""/livez: this process lives, and its version. /readyz: it can do its work. /metrics: figures, for callers here."""

import os
from collections.abc import Iterable, Mapping
from threading import Lock
from time import monotonic

from apiflask import APIBlueprint
from flask import Flask, Response, abort, current_app, jsonify, request
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest, multiprocess
from prometheus_client.core import REGISTRY, GaugeMetricFamily
from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from app.flows.parts import Parts
from app.web.door.parts import parts
from core.version import COMMIT, VERSION
from migrations.upgrade import serves

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


def _looked(held: Parts, *, again: bool = True) -> Mapping[str, bool]:
    try:
        with held.reading() as connection:
            writable = connection.execute(_WRITABLE).scalar_one()
            return {"writable": writable, "schema": serves(connection)}
    except DBAPIError as error:
        if (
            error.connection_invalidated and again
        ):  # one from before the server was started anew: so are all in the pool
            return _looked(held, again=False)
        return {"writable": False}
    except SQLAlchemyError:
        return {"writable": False}


_WRITABLE = text("select not pg_is_in_recovery() and current_setting('transaction_read_only') = 'off'")


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
    """Database writable, schema what this code needs or later, a gateway with keys loaded, not about to stop."""
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
            _kept(asked, connection)
        readable.add_metric([], 1)
    except SQLAlchemyError:
        readable.add_metric([], 0)
    registry = CollectorRegistry()
    registry.register(asked)
    return registry


def _kept(asked: Asked, connection: Connection) -> None:
    """How old the newest backup and the last proved restore are, what that one cost; nothing where there is none."""
    row = connection.execute(_KEPT).one()
    for name, words in _KEPT_FIGURES.items():
        if getattr(row, name) is not None:
            asked.figure(name, words).add_metric([], float(getattr(row, name)))


_KEPT_FIGURES = {
    "backup_age_seconds": "Since the newest backup ended",
    "backup_bytes": "Of the database, in the newest backup",
    "drill_age_seconds": "Since the last drill in which all held",
    "drill_lost_seconds": "From the last commit to the moment, in the last drill",
    "drill_restore_seconds": "What the last drill's restore took",
    "archive_age_seconds": "Since a segment of the log last reached the archive",
}
_KEPT = text(
    "select extract(epoch from now() - (select max(ended_at) from backup)) as backup_age_seconds,"
    " (select bytes from backup order by ended_at desc limit 1) as backup_bytes,"
    " extract(epoch from now() - (select max(ended_at) from drill where holds)) as drill_age_seconds,"
    " (select lost_s from drill where ended_at is not null order by id desc limit 1) as drill_lost_seconds,"
    " (select (figures->>'restore_s')::float from drill where ended_at is not null order by id desc limit 1)"
    "   as drill_restore_seconds,"
    " (select extract(epoch from now() - last_archived_time) from pg_stat_archiver) as archive_age_seconds"
)
