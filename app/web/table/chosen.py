"""What is chosen on a household's page, what it comes to, and which codes of others hold it already."""

from collections.abc import Sequence
from typing import Any

from flask import request
from werkzeug.datastructures import MultiDict

from app.flows.due.item import Due, item_key
from app.flows.due.quote import amount_due
from app.flows.pay.codes_out import CodeOut, codes_out
from app.flows.pay.start import Want, dues_of
from app.policy.facts import Insurance
from app.policy.levels import proposed
from app.registry.find import Subject
from app.web.door.access import actor, here
from app.web.door.parts import parts
from app.web.table.place import place
from app.web.wishes import levels, rises, tiers, wants
from core.money import Fen


def chosen_items(fields: MultiDict[str, Any]) -> list[Want]:
    """The items ticked, and each pension or medical insurance for which a tier or level was chosen, and each pension
    that shall be raised: choosing it is the tick."""
    ticked = [want for want in wants(fields) if want.insurance is Insurance.RES_MEDICAL or want.determination]
    raised = [
        Want(person, Insurance.RES_PENSION, tier, levy_year=year, rise=True)
        for person, own in rises(fields).items()
        for year, tier in own.items()
    ]
    pensions = [
        Want(person, Insurance.RES_PENSION, tier, determination, year)
        for person, own in tiers(fields).items()
        for (year, determination), tier in own.items()
    ]
    medical = [
        Want(person, Insurance.RES_MEDICAL, levy_year=year, level=level)
        for person, own in levels(fields).items()
        for year, level in own.items()
    ]
    return [want for want in ticked if want.tier is None and want.level is None] + pensions + medical + raised


def levels_shown(subject: Subject) -> dict[int, dict[int, int]]:
    """The levels chosen on the page, by person id, then levy year; at first, of the person at the table, the one that
    the year's rules begin with."""
    chosen, rules = levels(request.args), parts().rules
    if "seen" in request.args or not rules.has_medical:
        return chosen
    due = amount_due(parts(), subject, Insurance.RES_MEDICAL, at=parts().clocks.now(), channel=place().channel)
    first = proposed(due.levels, rules) if due.level_open else None
    return chosen if first is None else {subject.id: {rules.year: first}} | chosen


def in_this_payment(subject: Subject) -> set[tuple[int, str]]:
    """What is in this payment, by person and the item's key: what was ticked, at first the medical of the person at the
    table, and chosen tiers."""
    rules = parts().rules
    at_first = [Want(subject.id, Insurance.RES_MEDICAL, levy_year=rules.year)] if rules.has_medical else []
    wanted = chosen_items(request.args) if "seen" in request.args else at_first + chosen_items(request.args)
    return {(want.person_id, _key(want)) for want in wanted}


def offered(dues: Sequence[Due]) -> list[Due]:
    """These, and what is offered beside a pension that is paid. Pure."""
    return [each for due in dues for each in (due, due.rise) if each is not None]


def is_open(due: Due) -> bool:
    """May something be paid for it now, perhaps after a tier is chosen?"""
    choices = (*due.choices, *due.levels)
    dear = due.amounts or any(choice.allowed and choice.personal_due for choice in choices)
    return not due.settled and (bool(dear) or (due.payable and bool(due.quote.to_pay)))


def priced(wanted: Sequence[Want], found: Sequence[Subject]) -> list[Due]:
    """Each item at its price of this moment, beside the others."""
    now, people = parts().clocks.now(), {each.id: each for each in found}
    return [due for _, due in dues_of(parts(), wanted, people, at=now, channel=place().channel)]


def sum_of(dues: Sequence[Due]) -> Fen:
    """What a code for these items would be for, in fen. Pure."""
    return sum(due.quote.to_pay for due in dues)


def beside(wanted: Sequence[Want]) -> list[CodeOut]:
    """The codes of others that hold an item of this wish."""
    keys = {(want.person_id, _key(want)) for want in wanted}
    out = codes_out(parts(), {want.person_id for want in wanted}, but=actor(here()))
    return [code for code in out if (code.person_id, code.key) in keys]


def _key(want: Want) -> str:
    return item_key(want.insurance, want.levy_year or parts().levy.only, want.determination, rise=want.rise)


def numbers(out: Sequence[CodeOut]) -> list[str]:
    """The payments of these codes. Pure."""
    return sorted({code.number for code in out})
