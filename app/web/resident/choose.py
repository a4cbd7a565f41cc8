"""A resident chooses: the tier or amount of a pension, or a higher one than he paid; the level of the medical
insurance. The choice goes on in the address, nothing is written. Routes of `dues`' door."""

from flask import redirect, render_template, request, url_for

from app.flows.due.item import Due
from app.flows.due.quote import SELF, amount_due
from app.flows.due.rise import due_of_rise
from app.policy.answer import Reason
from app.policy.facts import Insurance
from app.policy.levels import LevelChoice, proposed
from app.policy.quote import Amounts
from app.policy.terms import NotOffered, PolicyYear
from app.policy.words import phrases, say
from app.registry.find import Subject
from app.web.door.access import Answer
from app.web.door.parts import parts
from app.web.resident.dues import bp, person_of
from app.web.sheets import in_its_year
from app.web.wishes import MOST_LETTERS, levels, rises, tier_fields, tiers, typed_fen
from core.money import plain_yuan

LEVEL_CLOSED = "集中缴费已结束，这一档不能再交了，请选别的档。"
_WISH = ("item", "home", "away")  # what was ticked, where the page that asks whether all is right led here


@bp.get("/due/<person>/tier")
def tier(person: str) -> Answer | tuple[Answer, int]:
    """Which pension tier, or what amount between the year's bounds, of a `year` or of one of its back-payments (`of`).
    NotOffered, YearClosed."""
    number = request.args.get("of", type=int)
    rules, subject = _in_year(person, Insurance.RES_PENSION)
    found = amount_due(parts(), subject, Insurance.RES_PENSION, at=parts().clocks.now(), determination=number)
    item = f"{person}@{rules.year}" + ("" if number is None else f":{number}")
    typed, problem = request.args.get(f"yuan.{item}", "").strip()[:MOST_LETTERS], None
    others = _others(f"tier.{item}")
    if "amount" in request.args and found.amounts:
        amount = typed_fen(typed)
        if found.amounts.holds(amount) or any(each.allowed and each.tier == amount for each in found.choices):
            return redirect(url_for(_next(), **others | {f"tier.{item}": str(amount)}), 303)
        problem = _out_of(found.amounts)
    # Whom the government pays for need choose nothing (D16).
    default = found.quote.tier if found.is_free else subject.last_tier
    picked = tiers(request.args).get(subject.id, {}).get((rules.year, number), default)
    page = render_template(
        "resident/tier.html",
        subject=subject,
        due=found,
        item=item,
        others=others,
        back=_others(),
        next=_next(),
        picked=picked,
        proposed=typed or (plain_yuan(found.amounts.proposed(picked)) if found.amounts else ""),
        problem=problem,
        rules=rules,
    )
    return (page, 422) if problem else page


@bp.get("/due/<person>/level")
def level(person: str) -> Answer:
    """Which level of the medical insurance of a `year`; one that may not be chosen says why. NotOffered, YearClosed."""
    rules, subject = _in_year(person, Insurance.RES_MEDICAL)
    found = amount_due(parts(), subject, Insurance.RES_MEDICAL, at=parts().clocks.now())
    field = f"level.{person}@{rules.year}"
    return render_template(
        "resident/level.html",
        subject=subject,
        due=found,
        field=field,
        others=_others(field),
        back=_others(),
        next=_next(),
        picked=levels(request.args).get(subject.id, {}).get(rules.year, proposed(found.levels, rules)),
        refusals={each.level: _refusal(found, each, rules) for each in found.levels if not each.allowed},
        same=bool(rules.medical.levels) and not found.levels and found.payable,
    )


@bp.get("/due/<person>/rise")
def rise(person: str) -> Answer:
    """To which tier the pension of a `year` that is paid shall be raised; why it cannot be. NotOffered, YearClosed,
    NoSuchItem."""
    rules, subject = _in_year(person, Insurance.RES_PENSION)
    found = due_of_rise(parts(), subject, at=parts().clocks.now(), channel=SELF)
    item, field = f"{person}:{found.key}", f"rise.{person}@{rules.year}"
    others = _others(field)
    ticked = list(dict.fromkeys((*request.args.getlist("item"), item)))
    return render_template(
        "resident/rise.html",
        subject=subject,
        due=found,
        field=field,
        others=others | {"item": ticked},
        back=_others(),
        picked=rises(request.args).get(subject.id, {}).get(rules.year),
    )


def _refusal(found: Due, choice: LevelChoice, rules: PolicyYear) -> str:
    """Why a level may not be chosen; where another still may, the year is not over."""
    closed = choice.reason_code == Reason.LATE_WINDOW_CLOSED and any(each.allowed for each in found.levels)
    return LEVEL_CLOSED if closed else say(choice.quote, rules)


def _in_year(person: str, insurance: Insurance) -> tuple[PolicyYear, Subject]:
    year = request.args.get("year", type=int) or parts().levy.only
    rules = parts().levy.known(year)
    subject = in_its_year(person_of(person), year)
    if not rules.offers(insurance):
        raise NotOffered(str(year))
    return rules, subject


def _others(own: str = "") -> dict[str, str | list[str]]:
    """All that was chosen and ticked but this; without it all."""
    chosen = {name: value for name, value in tier_fields(request.args).items() if name != own}
    return chosen | {name: request.args.getlist(name) for name in _WISH if name in request.args}


def _next() -> str:
    return "resident.confirm" if "item" in request.args else "resident.due"


def _out_of(bounds: Amounts) -> str:
    return phrases("between")["TIER_ILLEGAL"].format(least=plain_yuan(bounds.least), most=plain_yuan(bounds.most))
