"""The pages of a resident: who, what is due, is it right; then to the code. One question a screen."""

import secrets
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from types import MappingProxyType

from apiflask import APIBlueprint
from flask import redirect, render_template, request, url_for
from werkzeug.datastructures import MultiDict

from app.access.tally import TooOften
from app.flows.due.item import Due
from app.flows.due.quote import SELF, all_due, amount_due, subjects
from app.flows.family.holders import LetGo
from app.flows.family.people import ConsentRequired, account_of, get_to_know, own_people
from app.flows.pay.follow import unfinished
from app.flows.pay.start import NothingChosen, NotPayable, Want, dues_of
from app.flows.register.apply import ask_for_waiver
from app.policy.facts import Insurance
from app.registry.errors import BadIdNumber, BadName, NoSuchPerson
from app.registry.find import Subject
from app.web.door.access import (
    Answer,
    AnyResponse,
    actor,
    anybody,
    drop,
    guarded_by,
    here,
    page_account,
    reference,
    visitor,
)
from app.web.door.browser import network
from app.web.door.onward import onward, then
from app.web.door.parts import parts
from app.web.door.people import page_resident_and_people, people_here
from app.web.resident.offer import may_lead_to_wechat, offered
from app.web.resident.unhelped import unhelped
from app.web.sheets import ask_at_the_bureau, in_its_year, item_of, sheet_page
from app.web.wishes import carried, known, levels, rises, tier_fields, tiers, wants
from core.money import Fen

bp = APIBlueprint("resident", __name__, enable_openapi=False)


@dataclass(frozen=True)
class Card:
    """A person on a page: the reference its links carry, and every item."""

    reference: str
    person: Subject
    dues: Sequence[Due]


@dataclass(frozen=True)
class Chosen:
    """One line of the page that asks whether all is right."""

    field: str
    person: Subject
    due: Due


def page_who() -> AnyResponse | None:
    """As `page_account`, and whoever has yet to say that the account of his phone is his."""
    held = visitor()
    return None if held is not None and held.unsure_id is not None else page_account()


@bp.get("/who")
@guarded_by(page_who)
def who() -> Answer:
    """Name and identity number."""
    return _ask_who()


@bp.post("/who")
@guarded_by(page_who)
def look_up() -> Answer | tuple[Answer, int]:
    """Found: on to what is due. Not found: the same page, saying what to look at again."""
    return bring_in(request.form)


def bring_in(form: MultiDict[str, str]) -> Answer | tuple[Answer, int]:
    """The person of a name and a number, into the account of this session; what was wrong, on the page that asks."""
    try:
        get_to_know(
            parts(),
            here(),
            name=form.get("name", "")[:100],
            id_number=form.get("id_number", "")[:100],
            network=network(),
            agreed="agreed" in form,
        )
    except (BadIdNumber, BadName, ConsentRequired, LetGo, NoSuchPerson, TooOften) as error:
        return _ask_who(error.fields, None if error.fields else error.sentence()), error.status
    return redirect(onward(**carried(form)), 303)


def _ask_who(fields: Mapping[str, str] = MappingProxyType({}), problem: str | None = None) -> str:
    """What he typed stands there again, for him alone: nothing keeps the page, and its address carries nothing."""
    return render_template(
        "resident/who.html",
        then=then(),
        fields=fields,
        problem=problem,
        account=account_of(parts(), here()),
        tiers=carried(request.values),
        typed=request.form,
    )


def _himself_first(people: list[Subject]) -> list[Subject]:
    """By household, the one of the account's own person first, and he first in it."""
    if len(people) < 2:
        return people
    own = own_people(parts(), here())
    homes = {person.household_id for person in people if person.id in own}
    return sorted(people, key=lambda who: (who.household_id not in homes, who.household_id, who.id not in own, who.id))


@bp.get("/due")
@guarded_by(page_resident_and_people)
def due() -> Answer:
    """Everybody this session knows, one card per insurance; what can be paid together stands together."""
    now = parts().clocks.now()
    people = _himself_first(people_here())
    asked, raised = (tiers(request.args), levels(request.args)), rises(request.args)
    chosen = {
        person.id: {
            kind: last | said.get(person.id, {})
            for kind, last, said in zip(("tiers", "levels"), _last_chosen(person), asked, strict=True)
        }
        for person in people
    }
    households = [
        [
            Card(reference(who.id), who, all_due(parts(), who, at=now, rises=raised.get(who.id, {}), **chosen[who.id]))
            for who in own
        ]
        for _, own in groupby(people, key=lambda person: person.household_id)
    ]
    remembered = {
        f"{kind}.{reference(who)}@{year}": str(value)
        for who, of_whom in chosen.items()
        for kind, of in (
            ("tier", {year: tier for (year, number), tier in of_whom["tiers"].items() if number is None}),
            ("level", of_whom["levels"]),
        )
        for year, value in of.items()
    }
    begun = unfinished(parts(), [each.id for each in people if each.has_open_bill], by=actor(here()))
    return render_template(
        "resident/due.html",
        households=households,
        unhelped=unhelped(people),
        tiers=remembered | tier_fields(request.args),
        key=_key(),
        begun=begun,
        levelled=[rules.year for rules in parts().levy.open if rules.has_medical and rules.has_medical.levels],
    )


def _last_chosen(person: Subject) -> tuple[dict[tuple[int, int | None], Fen], dict[int, int]]:
    """Tier and level of a payment that he began and did not finish are not asked for again. Where nothing need be
    chosen, nothing is remembered: who pays nothing shall see that first."""
    own = [person.in_year(year) for year in parts().levy.years.all if year in person.years]
    tiers = {(each.levy_year, None): _of_open_bill(each, Insurance.RES_PENSION, "tier") for each in own}
    levels = {each.levy_year: _of_open_bill(each, *_LEVEL) for each in own}
    return {of: tier for of, tier in tiers.items() if tier}, {of: level for of, level in levels.items() if level}


_LEVEL = Insurance.RES_MEDICAL, "level"


def _of_open_bill(person: Subject, insurance: Insurance, chosen: str) -> int | None:
    bill = person.standing[insurance].bill
    if bill is None or not bill[chosen]:
        return None
    due = amount_due(parts(), person, insurance, at=parts().clocks.now())
    return int(bill[chosen]) if due.choice_open else None


@bp.get("/sheet/<person>/<insurance>")
def sheet(person: str, insurance: str) -> Answer:
    """Why this amount: to be read, printed, kept."""
    back = url_for("resident.due", **tier_fields(request.args))
    ask = url_for("resident.ask_history", person=person, insurance=insurance, **tier_fields(request.args))
    return sheet_page(person_of(person), insurance, channel=SELF, back=back, ask=ask)


@bp.post("/sheet/<person>/<insurance>/history")
def ask_history(person: str, insurance: str) -> Answer:
    """请医保局核对参保年度: asked once, told on the sheet."""
    ask_at_the_bureau(person_of(person), insurance, by=actor(here()))
    return redirect(url_for("resident.sheet", person=person, insurance=insurance, **tier_fields(request.args)), 303)


@bp.post("/due/<person>/verify")
def verify(person: str) -> Answer:
    """请医保局核实: asked once, told on the card."""
    year = request.form.get("year", type=int) or parts().levy.only
    ask_for_waiver(parts(), in_its_year(person_of(person), year), by=actor(here()))
    return redirect(url_for("resident.due", **tier_fields(request.form)), 303)


@bp.get("/confirm")
def confirm() -> Answer:
    """Names, amounts, total: is it right?"""
    wanted, away = wants(request.args), request.args.getlist("away")
    if not wanted and away:
        return render_template(
            "resident/elsewhere.html", line=None, tiers=tier_fields(request.args), left=_left(away[-1])
        )
    if not wanted:
        raise NothingChosen
    lines = list(_chosen(wanted))
    if not lines:  # the browser's way back, after it was paid
        return redirect(url_for("paid.paid"), 303)
    at_home = request.args.getlist("home")
    if (unchosen := next((line for line in lines if line.due.choice_open), None)) is not None:
        return redirect(_to_choose(unchosen), 303)
    for line in lines:
        if line.due.ask_first and line.field not in at_home:
            return _ask_elsewhere(line, lines)
    total = sum(line.due.quote.to_pay for line in lines)
    return may_lead_to_wechat(
        "resident/confirm.html",
        lines=lines,
        total=total,
        tiers=tier_fields(request.args),
        key=_key(),
        away=len(away),
        **offered(request.args.get("failed", "")),
    )


def _to_choose(line: Chosen) -> str:
    """Where the tier or level that an item lacks is chosen; from there it goes on with all that was chosen before."""
    kept = {name: request.args.getlist(name) for name in ("item", "home", "away")} | tier_fields(request.args)
    of = {"person": reference(line.person.id), "year": line.due.levy_year, "of": line.due.determination}
    page = "resident.level" if line.due.level_open else "resident.rise" if line.due.is_rise else "resident.tier"
    return url_for(page, **of, **kept)


def _left(item: str) -> Card | None:
    """The same year's pension of somebody who paid for the medical elsewhere, if something can be done for it."""
    named, _, key = item.partition(":")
    subject = in_its_year(person_of(named), item_of(key).levy_year)
    pension = amount_due(parts(), subject, Insurance.RES_PENSION, at=parts().clocks.now())
    open_ = not pension.settled and (pension.payable or pension.tier_open)
    return Card(reference(subject.id), subject, [pension]) if open_ else None


def _ask_elsewhere(line: Chosen, lines: Sequence[Chosen]) -> str:
    """在外地交过吗: asked for one person at a time; both answers lead on to the same page."""
    said = {"home": request.args.getlist("home"), "away": request.args.getlist("away")}
    items = [each.field for each in lines]
    rest = [each for each in items if each != line.field]
    fields = tier_fields(request.args)
    no = url_for("resident.confirm", item=items, **said | {"home": [*said["home"], line.field]}, **fields)
    yes = url_for("resident.confirm", item=rest, **said | {"away": [*said["away"], line.field]}, **fields)
    return render_template("resident/elsewhere.html", line=line, no=no, yes=yes, tiers=fields)


@bp.post("/leave")
@guarded_by(anybody)
def leave() -> Answer:
    """Forget who was looked up: the next person may use this phone."""
    return drop(redirect(url_for("home.home"), 303))


def _key() -> str:
    return secrets.token_urlsafe(12)


def _people() -> list[Subject]:
    return subjects(parts(), sorted(set(here().known.values())))


def person_of(named: str) -> Subject:
    """Somebody this session knows, by his reference. UnknownPerson."""
    return subjects(parts(), [known(named)])[0]


def _chosen(wanted: Sequence[Want]) -> Iterator[Chosen]:
    """Each item that is not done yet, with its price beside the others, or still to be chosen. NotPayable."""
    found = {person.id: person for person in subjects(parts(), sorted({want.person_id for want in wanted}))}
    now = parts().clocks.now()
    for person, priced in dues_of(parts(), wanted, found, at=now, channel=SELF):
        if priced.settled:
            continue
        if not priced.payable and not priced.choice_open:
            raise NotPayable(priced)
        yield Chosen(f"{reference(person.id)}:{priced.key}", person, priced)
