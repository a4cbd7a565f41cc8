"""The pages of a village agent: log in, the village's list, one person in large type, the code, the next one."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from apiflask import APIBlueprint
from flask import make_response, redirect, render_template, request, url_for

from app.access.tally import TooOften
from app.flows.due.item import Due
from app.flows.due.quote import AGENT, all_due, subjects
from app.flows.enter.session import WrongLogin, leave_elsewhere, log_in
from app.flows.pay.codes_out import codes_out
from app.flows.pay.follow import close_payment
from app.flows.pay.pause import paused_words
from app.flows.pay.start import NothingChosen
from app.flows.village.people import (
    SHOWN,
    VillageName,
    closed_words,
    household,
    in_words,
    matching,
    search_noted,
    villagers,
    villages,
)
from app.flows.village.slips import can_be_handed_out
from app.registry.find import Subject
from app.web.agent import listing
from app.web.agent.chosen import (
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
from app.web.door.access import (
    Answer,
    actor,
    agent,
    agent_in,
    anybody,
    drop,
    guarded_by,
    here,
    mark_of,
    own_payment,
    reference,
    visitor,
)
from app.web.door.browser import keep, network, typed_login
from app.web.door.onward import is_lasting
from app.web.door.parts import parts
from app.web.paying import show, start_chosen
from app.web.sheets import ask_at_the_bureau, sheet_page
from app.web.ways import codes
from app.web.wishes import MOST_ITEMS, UnknownPerson, choices, known, tier_fields, typed_amounts, unread, wants
from core.errors import NotFound
from payments.errors import ChannelPaused

bp = APIBlueprint("agent", __name__, enable_openapi=False)
PAGE = 50


class NotYourVillage(NotFound):
    """A village of somebody else's, or none at all: the same answer (A30)."""

    text = "没有找到这个村，或者不归您负责。"


@dataclass(frozen=True)
class Member:
    """Somebody of the household on the page, with the reference its fields carry."""

    reference: str
    person: Subject
    dues: Sequence[Due]


@bp.get("/login")
@guarded_by(anybody)
def login() -> Answer:
    """Login and password."""
    held = visitor()
    if held is not None and held.agent is not None:
        return redirect(url_for("agent.today"), 303)
    return render_template("agent/login.html", problem=None, typed="")


@bp.post("/login")
@guarded_by(anybody)
def enter() -> Answer | tuple[Answer, int]:
    """A new session with a new token, or the same words for whatever was wrong."""
    form = request.form
    try:
        entry = log_in(parts(), typed_login(), former=visitor())
    except (WrongLogin, TooOften) as error:
        typed = form.get("login", "")[:64]
        return render_template("agent/login.html", problem=error.sentence(), typed=typed), error.status
    wanted = form.get("then", "")
    return keep(redirect(wanted if is_lasting(wanted) else url_for("agent.today"), 303), entry)


@bp.post("/others/end")
def end_others() -> Answer:
    """Out of every other phone and computer, at once."""
    return redirect(url_for("own_agent.agent_account", ended=leave_elsewhere(parts(), here())), 303)


@bp.post("/logout")
@guarded_by(agent_in)
def logout() -> Answer:
    """Out, at once and for good."""
    return drop(redirect(url_for("agent.login"), 303))


@bp.get("/")
def today() -> Answer:
    """The agent's villages; straight to the list if there is one."""
    own = villages(parts(), sorted(agent().villages))
    if len(own) == 1:
        return redirect(url_for("agent.village", code=own[0].code), 303)
    return render_template("agent/today.html", villages=own)


@bp.get("/villages/<code>")
def village(code: str) -> Answer:
    """Everybody, or whom he sought: what is still to do first, or house by house; fifty a page."""
    place, asked = own_village(code), listing.asked(code)
    lines, progress = villagers(parts(), place.code)
    found = matching(lines, asked.wanted, SHOWN[asked.show][1], by_house=asked.by_house)
    pages = max(1, -(-len(found) // PAGE))
    page = min(asked.page, pages)
    shown = render_template(
        "agent/village.html",
        place=place,
        progress=in_words(progress, parts().rules.year),
        closed=closed_words(parts().rules.dates, parts().clocks.today()),
        slips=can_be_handed_out(parts().rules, parts().clocks.today()),
        lines=[
            (reference(line.subject.id), mark_of(line.subject.id), line)
            for line in found[(page - 1) * PAGE : page * PAGE]
        ],
        asked=asked,
        choices=[(show, title) for show, (title, _) in SHOWN.items()],
        count=len(found),
        page=page,
        pages=pages,
        several=len(agent().villages) > 1,
    )
    return listing.remember(make_response(shown), asked)


@bp.post("/villages/<code>")
def search(code: str) -> Answer:
    """By name or household number; on to the list of those found."""
    place, wanted = own_village(code), request.form.get("q", "").strip()[:30]
    if wanted:
        search_noted(parts(), here().by, wanted, place=place.code, network=network())
    return redirect(listing.sought(place.code, wanted), 303)


@bp.get("/people/<person>")
def person(person: str) -> Answer:
    """One of three sentences per insurance, and the rest of the household to be paid for together."""
    subject = own_person(person)
    said, at_level = choices(request.args), levels_shown(subject)
    ask = partial(all_due, parts(), at=parts().clocks.now(), channel=AGENT)
    members = [
        Member(reference(each.id), each, ask(each, **said.get(each.id, {}) | {"levels": at_level.get(each.id, {})}))
        for each in household(parts(), subject.household_id)
        if each.alive or each.id == subject.id
    ]
    members.sort(key=lambda member: member.person.id != subject.id)
    ticked = in_this_payment(subject)
    open_items = [(member.person.id, due) for member in members for due in offered(member.dues) if is_open(due)]
    out = codes_out(parts(), [member.person.id for member in members], but=actor(here()))
    return render_template(
        "agent/person.html",
        subject=subject,
        members=members,
        ticked=ticked,
        said=said,
        unread=unread(request.args),
        ready=bool(open_items),
        total=sum(due.quote.to_pay for who, due in open_items if (who, due.key) in ticked),
        family_open="family" in request.args or any(who != subject.id for who, _ in ticked),
        village_list=listing.as_left(subject.village_code),
        out={(code.person_id, code.key): code for code in out},
        warned=numbers(out),
        key=secrets.token_urlsafe(12),
        ways=codes(parts().gateways),
        paused=paused_words(parts()),
    )


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
    _all_mine(found)
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
        started = start_chosen(wanted, channel=AGENT, fields=request.form)
    except ChannelPaused:
        return again(person)  # which says so, with the other ways
    if started.number is None:
        return again(person, family=1 if wanted[0].person_id != subject.id else None)
    return redirect(url_for("agent.payment", number=started.number), 303)


@bp.get("/sheet/<person>/<insurance>")
def sheet(person: str, insurance: str) -> Answer:
    """Why this amount, as the resident would read it: to be printed and handed over."""
    back = url_for("agent.person", person=person, **tier_fields(request.args))
    ask = url_for("agent.ask_history", person=person, insurance=insurance, **tier_fields(request.args))
    return sheet_page(own_person(person), insurance, channel=AGENT, back=back, ask=ask)


@bp.post("/sheet/<person>/<insurance>/history")
def ask_history(person: str, insurance: str) -> Answer:
    """请医保局核对参保年度, for somebody of the villages."""
    ask_at_the_bureau(own_person(person), insurance, by=actor(here()))
    return redirect(url_for("agent.sheet", person=person, insurance=insurance, **tier_fields(request.args)), 303)


@bp.get("/pay/<number>")
def payment(number: str) -> Answer:
    """The code with the name to be read back, or 缴费成功 in large letters."""
    found = own_payment(number)
    first = found.items[0]
    village_list = listing.as_left(first.village_code)
    return show(found, "agent/payment.html", first=reference(first.person_id), village_list=village_list)


@bp.post("/pay/<number>/close")
def close(number: str) -> Answer:
    """The code shall not be paid any more."""
    close_payment(parts(), own_payment(number).number, by=actor(here()))
    return redirect(url_for("agent.payment", number=number), 303)


def again(person: str, **more: object) -> Answer:
    """The same page with what was ticked and chosen on it."""
    items = request.form.getlist("item")[:MOST_ITEMS]
    chosen = tier_fields(request.form) | typed_amounts(request.form)
    return redirect(url_for("agent.person", person=person, seen=1, item=items, **chosen, **more), 303)


def own_village(code: str) -> VillageName:
    """A village of this agent's, of this moment. NotYourVillage."""
    if code not in agent().villages:
        raise NotYourVillage
    return villages(parts(), [code])[0]


def own_person(named: str) -> Subject:
    """Somebody of this agent's villages, by his reference. UnknownPerson."""
    found = subjects(parts(), [known(named)])
    _all_mine(found)
    return found[0]


def _all_mine(found: Sequence[Subject]) -> None:
    """UnknownPerson for anybody outside the agent's villages of this moment."""
    mine = agent().villages
    if not found or any(each.village_code not in mine for each in found):
        raise UnknownPerson
