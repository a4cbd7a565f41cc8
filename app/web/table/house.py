"""One household in large type: what each owes, one code for all that is ticked, why each amount is what it is."""

import secrets
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from apiflask import APIBlueprint
from flask import redirect, render_template, request, url_for

from app.flows.custody.switch import offered as offered_cash
from app.flows.due.item import Due
from app.flows.due.pledged import less_pledged, newly_given
from app.flows.due.quote import all_due, subjects
from app.flows.pay.codes_out import codes_out
from app.flows.pay.pause import paused_words
from app.flows.pay.start import NothingChosen
from app.flows.village.people import household
from app.registry.find import Subject
from app.web.door.access import Answer, actor, here, reference
from app.web.door.parts import parts
from app.web.paying import start_chosen
from app.web.sheets import ask_at_the_bureau, sheet_page
from app.web.table.chosen import (
    beside,
    chosen_items,
    in_this_payment,
    is_open,
    levels_shown,
    numbers,
    offered,
    priced,
    sum_of,
)
from app.web.table.place import all_mine, own_person, place
from app.web.ways import codes
from app.web.wishes import MOST_ITEMS, UnknownPerson, choices, tier_fields, typed_amounts, unread, wants
from payments.errors import ChannelPaused

bp = APIBlueprint("table", __name__, enable_openapi=False)


@dataclass(frozen=True)
class Member:
    """Somebody of the household on the page, with the reference its fields carry."""

    reference: str
    person: Subject
    dues: Sequence[Due]


@bp.get("/people/<person>")
def person(person: str) -> Answer:
    """One of three sentences per insurance, and the rest of the household to be paid for together."""
    subject = own_person(person)
    said, ticked = choices(request.args), in_this_payment(subject)
    members = _members(subject, said, ticked)
    open_items = [(member.person.id, due) for member in members for due in offered(member.dues) if is_open(due)]
    out = codes_out(parts(), [member.person.id for member in members], but=actor(here()))
    return render_template(
        "table/person.html",
        subject=subject,
        members=members,
        ticked=ticked,
        said=said,
        unread=unread(request.args),
        ready=bool(open_items),
        total=sum(due.quote.to_pay for who, due in open_items if (who, due.key) in ticked),
        family_open="family" in request.args or any(who != subject.id for who, _ in ticked),
        back=place().back(subject.village_code),
        matters=place().matters(subject.village_code, members[0].reference),
        out={(code.person_id, code.key): code for code in out},
        warned=numbers(out),
        key=secrets.token_urlsafe(12),
        ways=codes(parts().gateways),
        paused=paused_words(parts()),
        cash=offered_cash(parts(), subject.village_code, by.id) if (by := here().agent) is not None else None,
    )


def _members(subject: Subject, said: Mapping[int, Any], ticked: Collection[tuple[int, str]]) -> list[Member]:
    """The person at the table first. What a sponsor pays of one in this payment he does not have for the next."""
    ask = partial(all_due, parts(), at=parts().clocks.now(), channel=place().channel)
    members, given, at_level = list[Member](), Counter[int](), levels_shown(subject)
    house = [
        each
        for each in household(parts(), subject.household_id)
        if each.alive or each.conflicts or each.id == subject.id
    ]
    for each in sorted(house, key=lambda one: one.id != subject.id):
        person = less_pledged(each, given)
        dues = ask(person, **said.get(each.id, {}) | {"levels": at_level.get(each.id, {})})
        members.append(Member(reference(each.id), person, dues))
        for due in offered(dues):
            if is_open(due) and (each.id, due.key) in ticked:
                given += newly_given(person, due)
    return members


@bp.post("/people/<person>")
def choose(person: str) -> Answer:
    """看要交多少, 出码, or one item by its own button. No code is for another sum than the screen said, and none comes
    beside another's code that the screen did not tell of; told, it is his to decide (decision 0019)."""
    subject = own_person(person)
    if request.form.get("act") == "show" or typed_amounts(request.form):
        return again(person)
    only = request.form.get("only")
    wanted = wants(request.form, only=only) if only else chosen_items(request.form)
    if not wanted:
        raise NothingChosen
    people = sorted({want.person_id for want in wanted})
    found = subjects(parts(), people)
    all_mine(found)
    if len(found) != len(people):  # erased since the page was shown
        raise UnknownPerson
    dues = priced(wanted, found)
    open_, total = any(due.choice_open for due in dues), sum_of(dues)
    changed = total > 0 if only else request.form.get("shown", str(total)) != str(total)  # its button says it is free
    if open_ or changed:
        return again(person, changed=None if open_ else 1)  # the page says what is to be chosen, or what is wrong
    if not only and not set(numbers(beside(wanted))) <= set(request.form.getlist("warned")):
        return again(person, beside=1)
    try:
        started = start_chosen(wanted, channel=place().channel, fields=request.form)
    except ChannelPaused:
        return again(person)  # which says so, with the other ways
    if started.number is None:
        return again(person, family=1 if wanted[0].person_id != subject.id else None)
    return redirect(url_for(".payment", number=started.number), 303)


@bp.get("/sheet/<person>/<insurance>")
def sheet(person: str, insurance: str) -> Answer:
    """Why this amount, as the resident would read it: to be printed and handed over."""
    back = url_for(".person", person=person, **tier_fields(request.args))
    ask = url_for(".ask_history", person=person, insurance=insurance, **tier_fields(request.args))
    return sheet_page(own_person(person), insurance, channel=place().channel, back=back, ask=ask)


@bp.post("/sheet/<person>/<insurance>/history")
def ask_history(person: str, insurance: str) -> Answer:
    """请医保局核对参保年度, for somebody of the villages."""
    ask_at_the_bureau(own_person(person), insurance, by=actor(here()))
    return redirect(url_for(".sheet", person=person, insurance=insurance, **tier_fields(request.args)), 303)


def again(person: str, **more: object) -> Answer:
    """The same page with what was ticked and chosen on it."""
    items = request.form.getlist("item")[:MOST_ITEMS]
    chosen = tier_fields(request.form) | typed_amounts(request.form)
    return redirect(url_for(".person", person=person, seen=1, item=items, **chosen, **more), 303)
