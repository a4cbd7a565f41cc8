"""The why-this-amount sheet as a page: the same for a resident's people and for those of an agent's villages."""

from datetime import datetime

from flask import render_template, request

from app.flows.due.explain import explain
from app.policy.facts import Insurance
from app.policy.sheet import Sheet
from app.registry.find import Subject
from app.web.door.parts import parts
from app.web.wishes import item_named, tiers
from core.errors import NotFound


class NoSuchSheet(NotFound):
    """An item there is none of."""

    text = "没有这种保险的说明。"


def item_of(key: str) -> tuple[Insurance, int | None]:
    """Insurance and determination of an item's key in an address. NoSuchSheet."""
    found = item_named(key)
    if found is None:
        raise NoSuchSheet
    return found


def sheet_of(subject: Subject, named: str, *, at: datetime, channel: str) -> Sheet:
    """The sheet of an item's key, with the tier in the address. NoSuchSheet, NoSuchItem."""
    insurance, determination = item_of(named)
    tier = tiers(request.args).get(subject.id, {}).get(determination)
    return explain(parts(), subject, insurance, at=at, channel=channel, tier=tier, determination=determination)


def sheet_page(subject: Subject, named: str, *, channel: str, back: str) -> str:
    """The resident's form, name masked; `back` is the page it was opened from. NoSuchSheet."""
    now = parts().clocks.now()
    found = sheet_of(subject, named, at=now, channel=channel)
    return render_template("sheet.html", sheet=found, subject=subject, asked_at=now, back=back)
