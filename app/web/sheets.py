"""The why-this-amount sheet as a page: the same for a resident's people and for those of an agent's villages."""

from datetime import datetime

from flask import render_template, request

from app.flows.due.explain import explain
from app.flows.due.quote import amount_due, subjects
from app.flows.due.rise import due_of_rise
from app.flows.register.apply import ask_for_history
from app.policy.sheet import Sheet
from app.registry.find import Subject
from app.web.door.parts import parts
from app.web.wishes import Item, item_named, level_of, levels, rises, tier_of, tiers
from core.errors import NotFound


class NoSuchSheet(NotFound):
    """An item there is none of."""

    text = "没有这种保险的说明。"


def item_of(key: str) -> Item:
    """The item of a key in an address. NoSuchSheet."""
    found = item_named(key)
    if found is None:
        raise NoSuchSheet
    return found


def item_of_person(person_id: int, key: str) -> tuple[Subject, Item]:
    """Somebody as he is for the year of an item's key, and the item. NoSuchSheet."""
    item = item_of(key)
    return in_its_year(subjects(parts(), [person_id])[0], item.levy_year), item


def in_its_year(subject: Subject, year: int) -> Subject:
    """The person as he is for one of the years that are or were collected. NoSuchSheet."""
    if year not in subject.years:
        raise NoSuchSheet
    return subject.in_year(year)


def sheet_of(subject: Subject, named: str, *, at: datetime, channel: str) -> Sheet:
    """The sheet of an item's key, with the tier or level in the address; of a year that is closed only what was
    paid is told. NoSuchSheet, NoSuchItem, YearClosed."""
    item = item_of(named)
    named_item, own = {"determination": item.determination, "rise": item.rise}, in_its_year(subject, item.levy_year)
    if item.levy_year not in parts().levy.years.all:
        if item.rise:
            due = due_of_rise(parts(), own, at=at, channel=channel)
        else:
            due = amount_due(parts(), own, item.insurance, at=at, channel=channel, determination=item.determination)
        if not due.settled:
            parts().levy.known(item.levy_year)
    level = level_of(item, subject.id, levels(request.args))
    tier = tier_of(item, tiers(request.args).get(subject.id, {}), rises(request.args).get(subject.id, {}))
    return explain(parts(), own, item.insurance, at=at, channel=channel, tier=tier, level=level, **named_item)


def sheet_page(subject: Subject, named: str, *, channel: str, back: str, ask: str) -> str:
    """The resident's form, name masked; `back` is the page it was opened from, `ask` where the medical bureau is asked
    to look at the record. NoSuchSheet."""
    now = parts().clocks.now()
    found = sheet_of(subject, named, at=now, channel=channel)
    return render_template("sheet.html", sheet=found, subject=subject, asked_at=now, back=back, ask=ask)


def ask_at_the_bureau(subject: Subject, named: str, *, by: str) -> None:
    """请医保局核对参保年度, for the year of an item's key; asking again changes nothing. NoSuchSheet,
    NothingToDetermine."""
    ask_for_history(parts(), in_its_year(subject, item_of(named).levy_year), by=by)
