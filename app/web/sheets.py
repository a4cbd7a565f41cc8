"""The why-this-amount sheet as a page: the same for a resident's people and for those of an agent's villages."""

from flask import render_template, request

from app.flows.explain import explain
from app.policy.facts import Insurance
from app.registry.find import Subject
from app.web.parts import parts
from app.web.wishes import tiers
from core.errors import NotFound


class NoSuchSheet(NotFound):
    """An insurance there is none of."""

    text = "没有这种保险的说明。"


def insurance_named(named: str) -> Insurance:
    """RES_MEDICAL or RES_PENSION. NoSuchSheet."""
    if named not in Insurance.__members__:
        raise NoSuchSheet
    return Insurance(named)


def sheet_page(subject: Subject, named: str, *, channel: str, back: str) -> str:
    """The resident's form, name masked; `back` is the page it was opened from. NoSuchSheet."""
    now = parts().clocks.now()
    found = explain(
        parts(), subject, insurance_named(named), at=now, channel=channel, tier=tiers(request.args).get(subject.id)
    )
    return render_template("sheet.html", sheet=found, subject=subject, asked_at=now, back=back)
