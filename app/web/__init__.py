"""Every door of the web process on one screen: what answers, under which path, and who may come in."""

from time import perf_counter

import structlog
from apiflask import APIFlask
from flask import Response, current_app, g, request

from app.access.sessions import Officer
from app.flows.titles import collected_words
from app.observe import REQUESTS, SECONDS
from app.web import callbacks, own, proofs, words
from app.web.agent import cash as agent_cash
from app.web.agent import closings as agent_closings
from app.web.agent import households, rounds, village
from app.web.agent import matters as agent_matters
from app.web.agent import rosters as agent_rosters
from app.web.api import determinations, payments, people, reader, refunds, session, sheets, spec, subscriptions
from app.web.api import policy as policy_year
from app.web.api import proofs as api_proofs
from app.web.door import access, back, errors, forms, full, health, load
from app.web.door.access import (
    anybody,
    api_resident,
    by_permission,
    page_account,
    page_agent,
    page_resident,
    permitted,
    proven,
)
from app.web.door.csp import policy
from app.web.door.errors import request_number
from app.web.door.parts import parts
from app.web.office import audit, day, desk, glass
from app.web.office import channels as office_channels
from app.web.office import complaints as office_complaints
from app.web.office import matters as office_matters
from app.web.office import people as office_people
from app.web.office import policy as office_policy
from app.web.office import progress as office_progress
from app.web.office import refunds as office_refunds
from app.web.office import suspense as office_suspense
from app.web.office import years as office_years
from app.web.office.bureau import conflicts as office_conflicts
from app.web.office.bureau import determinations as office_determinations
from app.web.office.bureau import elsewhere as office_elsewhere
from app.web.office.bureau import joinings as office_joinings
from app.web.office.bureau import newborns as office_newborns
from app.web.office.bureau import police as office_police
from app.web.office.bureau import registers as office_registers
from app.web.office.helped import bills as office_bills
from app.web.office.helped import rows as helped_rows
from app.web.office.helped import send as helped_send
from app.web.office.helped import sponsors as office_sponsors
from app.web.office.rosters import board as office_rosters
from app.web.office.rosters import closing as office_closings
from app.web.office.rosters import drawing as office_draws
from app.web.office.rosters import said as office_objections
from app.web.office.town import agents as office_agents
from app.web.office.town import cash as office_cash
from app.web.office.town import counter as office_counter
from app.web.resident import bureau, home, lists, matters, paid, pay, sign_in
from app.web.resident import refunds as refund_pages
from app.web.resident.home import ELDER
from app.web.table import bureau as _asked  # noqa: F401 its routes are the table's
from app.web.table import house as table
from app.web.table import paid as _paid  # noqa: F401
from core.db import EVERYWHERE, PLACES, SHORT

DOORS = (
    # blueprint    path           guard          a form's token
    (home.bp, "", anybody, True),
    (sign_in.bp, "", page_account, True),
    (pay.bp, "", page_resident, True),  # and all of `dues` and `choose`
    (paid.bp, "", page_resident, True),
    (refund_pages.bp, "", page_resident, True),
    (bureau.bp, "", page_resident, True),
    (matters.bp, "", page_account, True),
    (lists.bp, "", page_account, True),
    (proofs.bp, "", page_resident, True),
    (households.bp, "/agent", page_agent, True),
    (own.agent, "/agent", page_agent, True),
    (village.bp, "/agent", page_agent, True),
    (rounds.bp, "/agent", page_agent, True),
    (agent_matters.bp, "/agent", page_agent, True),
    (agent_rosters.bp, "/agent", page_agent, True),
    (agent_closings.bp, "/agent", page_agent, True),
    (agent_cash.bp, "/agent", page_agent, True),
    (desk.bp, "/office", by_permission, True),  # each route names the permission it needs
    (own.office, "/office", by_permission, True),
    (day.bp, "/office/day", by_permission, True),
    (office_refunds.bp, "/office/refunds", by_permission, True),
    (office_determinations.bp, "/office/determinations", by_permission, True),
    (office_newborns.bp, "/office/newborns", by_permission, True),
    (office_joinings.bp, "/office/joinings", by_permission, True),
    (office_matters.bp, "/office/matters", by_permission, True),
    (office_elsewhere.bp, "/office/elsewhere", by_permission, True),
    (office_suspense.bp, "/office/suspense", by_permission, True),
    (office_complaints.bp, "/office/complaints", by_permission, True),
    (office_channels.bp, "/office/channels", by_permission, True),
    (office_people.bp, "/office/people", by_permission, True),
    (helped_rows.bp, "/office/helped", by_permission, True),
    (helped_send.bp, "/office/helped", by_permission, True),
    (office_agents.bp, "/office/agents", by_permission, True),
    (office_counter.bp, "/office/counter", by_permission, True),
    (office_cash.bp, "/office/cash", by_permission, True),
    (office_bills.bp, "/office/bills", by_permission, True),
    (office_sponsors.bp, "/office/sponsors", by_permission, True),
    (office_objections.bp, "/office/rosters/objections", by_permission, True),
    (office_draws.bp, "/office/rosters/draw", by_permission, True),
    (office_closings.bp, "/office/rosters/closing", by_permission, True),
    (office_rosters.bp, "/office/rosters", by_permission, True),
    (office_policy.bp, "/office/policy", by_permission, True),
    (office_years.bp, "/office/years", by_permission, True),
    (office_registers.bp, "/office/registers", by_permission, True),
    (office_police.bp, "/office/police", by_permission, True),
    (office_conflicts.bp, "/office/conflicts", by_permission, True),
    (office_progress.bp, "/office/progress", by_permission, True),
    (audit.bp, "/office/audit", by_permission, True),
    (glass.bp, "/office/glass", by_permission, True),
    (session.bp, "/api/v1", anybody, False),
    (subscriptions.bp, "/api/v1", api_resident, False),
    (people.bp, "/api/v1", api_resident, False),
    (sheets.bp, "/api/v1", api_resident, False),
    (determinations.bp, "/api/v1", api_resident, False),
    (payments.bp, "/api/v1", api_resident, False),
    (refunds.bp, "/api/v1", api_resident, False),
    (api_proofs.bp, "/api/v1", api_resident, False),
    (policy_year.bp, "/api/v1", anybody, False),
    (reader.bp, "/api", anybody, False),
    (callbacks.bp, "/callbacks", proven, False),  # the gateway's signature
    (back.bp, "/back", anybody, False),  # a payer comes back from a gateway's page; nothing is believed of it
    (health.bp, "", proven, False),  # figures and health carry no person
)
TABLES = (  # and the name under which the same pages are registered
    (table.bp, "agent_table", "/agent", page_agent),
    (table.bp, "counter", "/office/counter", permitted("counter.serve")),
)
OPEN = {"static": anybody, "openapi": anybody}  # what the framework itself answers
HEADERS = {
    "Content-Security-Policy": policy(),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
}
HSTS = "max-age=31536000; includeSubDomains"


def open_doors(app: APIFlask) -> None:
    """Blueprints, errors, headers, and one log line a request."""
    for blueprint, prefix, _, _ in DOORS:
        app.register_blueprint(blueprint, url_prefix=prefix or None)
    for blueprint, name, prefix, _ in TABLES:
        app.register_blueprint(blueprint, url_prefix=prefix, name=name)
    guards = {blueprint.name: guard for blueprint, _, guard, _ in DOORS} | {name: guard for _, name, _, guard in TABLES}
    app.extensions["guards"] = OPEN | guards
    errors.register(app)
    words.register(app)
    spec.register(app)
    health.register(app)
    app.context_processor(_on_every_page)
    app.before_request(_begin)
    load.register(app, app.extensions["settings"].web_threads, app.extensions["settings"].web_line)
    app.before_request(access.watch)
    with_forms = {blueprint.name for blueprint, _, _, has_forms in DOORS if has_forms}
    forms.register(app, with_forms | {name for _, name, _, _ in TABLES})
    app.after_request(_end)
    app.teardown_request(_forget_places)
    full.register(app)


def _on_every_page() -> dict[str, object]:
    """What the frame of a page shows: phone to call, payee, the year and what it collects, large type or not."""
    held = parts()
    return {
        "help_phone": held.help_phone,
        "payee": current_app.extensions["settings"].payee_name,
        "rules": held.rules,
        "together": collected_words(held.rules),
        "premiums": collected_words(held.rules, "居民养老、医保"),
        "elder": ELDER in request.cookies,
        "agent_here": _agent_here(),
        "officer": _officer(),
        "writable": health.writable,
    }


def _agent_here() -> bool:
    """Does an agent look at this page? Only asked where agents are: an error page may not ask the database again."""
    visitor = g.get("visitor")
    return visitor is not None and visitor.agent is not None


def _officer() -> Officer | None:
    """Whoever of an office looks at this page."""
    visitor = g.get("visitor")
    return visitor.officer if visitor is not None else None


def _begin() -> None:
    g.began = perf_counter()
    structlog.contextvars.clear_contextvars()
    structlog.contextvars.bind_contextvars(request=request_number())
    SHORT.set(load.urgency_of(request.endpoint, request.method) is not load.Urgency.LISTS)


def _forget_places(_error: BaseException | None) -> None:
    """A thread serves one visitor after the other: what it may see, and how it asks, ends with the request."""
    PLACES.set(EVERYWHERE)
    SHORT.set(False)


def _end(response: Response) -> Response:
    door = request.endpoint or "none"  # the route's name: a path could carry what nobody may log
    seconds = perf_counter() - g.get("began", perf_counter())
    said = {name.lower() for name in response.headers.keys()}  # noqa: SIM118 asked for one by one each walks them all
    for name, value in HEADERS.items():
        if name.lower() not in said:
            response.headers.add(name, value)
    if request.is_secure:
        response.headers.setdefault("Strict-Transport-Security", HSTS)
    if response.status_code == 503:
        response.headers.setdefault("Retry-After", str(load.RETRY_S))
    if request.endpoint not in _KEEPABLE:
        response.headers.setdefault("Cache-Control", "no-store")
    response.headers["X-Request-Id"] = request_number()
    REQUESTS.labels(door, response.status_code).inc()
    SECONDS.labels(door).observe(seconds)
    structlog.get_logger("web").info(
        "request", door=door, method=request.method, status=response.status_code, ms=round(seconds * 1000, 1)
    )
    return response


_KEEPABLE = frozenset({"static"})
