"""The offices' money in doubt: the list by day, one with its steps, and the four ways to go on."""

import re
from datetime import date

from apiflask import APIBlueprint
from flask import redirect, render_template, request, url_for

from app.access.roles import may
from app.flows.due.item import item_key
from app.flows.due.look_up import identify
from app.flows.due.quote import YEARS_OWN
from app.flows.pay.start import Want
from app.flows.suspense import solve
from app.flows.suspense.desk import SOURCES, STEPS, doubt, doubts, proposed_pledge, said
from app.policy.facts import Insurance
from app.policy.words import item_words, phrases
from app.web.door.access import Answer, needs, officer
from app.web.door.parts import parts
from app.web.wishes import BadWish, Item, item_named
from core.errors import AppError
from core.money import Fen, fen
from payments.errors import SuspenseUnfit
from payments.suspense.solve import Key, Proposal

LARGEST_ID = 1 << 62
NO_PLEDGE = "没有这个编号的资助，或者它现在不收钱（还没有人同意，或者这笔钱正在退）。编号以 ZZ 开头，后面十位数字。"
bp = APIBlueprint("office_suspense", __name__, enable_openapi=False)


@bp.get("/")
@needs("suspense.see")
def listed() -> Answer:
    """What waits for a solution, or what was solved."""
    solved = "solved" in request.args
    return render_template("office/suspenses.html", rows=doubts(parts(), solved=solved), solved=solved)


@bp.get("/<int:household>/<cause>")
@needs("suspense.see")
def one(household: int, cause: str) -> Answer:
    """One, and what this desk may do about it."""
    return _page(Key(household, cause), problem=None)


@bp.post("/<int:household>/<cause>/take")
@needs("suspense.solve")
def take_one(household: int, cause: str) -> Answer:
    """由我负责."""
    solve.take(parts(), Key(household, cause), by=_by())
    return _back(household, cause)


@bp.post("/<int:household>/<cause>/keep")
@needs("suspense.solve")
def keep_one(household: int, cause: str) -> Answer:
    """先放着, for a reason, until a day."""
    until = _day(request.form.get("until", ""))
    solve.keep(parts(), Key(household, cause), until=until, reason=request.form.get("reason", ""), by=_by())
    return _back(household, cause)


@bp.post("/<int:household>/<cause>/back")
@needs("suspense.solve")
def back_one(household: int, cause: str) -> Answer:
    """申请退回; then on its page another person agrees."""
    asked = solve.give_back(parts(), Key(household, cause), by=_by())
    return redirect(url_for("office_refunds.one", number=asked.number), 303)


@bp.post("/<int:household>/<cause>/propose")
@needs("suspense.solve")
def propose_one(household: int, cause: str) -> Answer | tuple[Answer, int]:
    """用来缴费: for whom, for what and for which years. The identity number comes in a form and is written nowhere."""
    form, key = request.form, Key(household, cause)
    try:
        person = identify(parts(), name=form.get("name", "")[:100], id_number=form.get("id_number", "")[:100])
        named = [item for each in form.getlist("insurance") if (item := item_named(each)) is not None]
        wants = [
            Want(
                person,
                item.insurance,
                _tier(item.levy_year) if item.insurance is Insurance.RES_PENSION else None,
                item.determination,
                item.levy_year,
                _level(item),
                item.rise,
            )
            for item in named
        ]
        solve.propose(parts(), key, wants, by=_by())
    except AppError as error:
        return _page(key, problem=next(iter(error.fields.values()), error.sentence())), error.status
    return _back(household, cause)


@bp.post("/<int:household>/<cause>/pledge")
@needs("suspense.solve")
def pledge_one(household: int, cause: str) -> Answer | tuple[Answer, int]:
    """记到一笔资助: the number of a pledge. What was typed stays on an error."""
    key = Key(household, cause)
    try:
        solve.propose_pledge(parts(), key, request.form.get("pledge", "")[:20], by=_by())
    except SuspenseUnfit:
        return _page(key, problem=NO_PLEDGE), SuspenseUnfit.status
    return _back(household, cause)


@bp.post("/<int:household>/<cause>/give")
@needs("suspense.confirm")
def give_one(household: int, cause: str) -> Answer:
    """同意 to the pledge that the page showed, by another person."""
    given = request.form.get("pledge", "")
    pledge = int(given) if re.fullmatch(r"[0-9]{1,18}", given) else 0
    solve.give_pledge(parts(), Key(household, cause), pledge, by=_by())
    return _back(household, cause)


@bp.post("/<int:household>/<cause>/withdraw")
@needs("suspense.solve")
def withdraw_one(household: int, cause: str) -> Answer:
    """撤回, by who proposed."""
    solve.withdraw(parts(), Key(household, cause), by=_by())
    return _back(household, cause)


@bp.post("/<int:household>/<cause>/agree")
@needs("suspense.confirm")
def agree_one(household: int, cause: str) -> Answer:
    """同意 to what the page showed, by another person."""
    solve.settle(parts(), Key(household, cause), _seen(), by=_by())
    return _back(household, cause)


def _page(key: Key, *, problem: str | None) -> str:
    found, steps, proposed = doubt(parts(), key)
    role = officer().role
    return render_template(
        "office/suspense.html",
        doubt=found,
        steps=steps,
        words=STEPS,
        said=said(parts(), key),
        sources=SOURCES,
        proposed=proposed,
        pledge=proposed_pledge(parts(), key),
        typed=request.form,
        problem=problem,
        solves=may(role, "suspense.solve") and not found.solution,
        agrees=may(role, "suspense.confirm") and not found.solution and found.proposed_by not in (None, _by()),
        proposed_here=found.proposed_by == _by() and not found.solution,
        years=[_offered(year) for year in parts().levy.ever.all],
    )


def _offered(year: int) -> dict[str, object]:
    """What a levy year offers on the form: its items by key, and its tiers in fen."""
    rules = parts().levy.rules(year)
    items = {item_key(each, year, None): item_words(each, year, None) for each in YEARS_OWN if rules.offers(each)}
    if rules.has_pension and rules.has_pension.raising_until:
        items[item_key(Insurance.RES_PENSION, year, None, rise=True)] = phrases("rise")["desk"].format(year=year)
    tiers = list(rules.has_pension.tiers) if rules.has_pension else []
    between = rules.has_pension.between if rules.has_pension else None
    levels = rules.has_medical.levels if rules.has_medical else ()
    return {"year": year, "items": items, "tiers": tiers, "between": between, "levels": levels}


def _seen() -> Proposal:
    """The bills and the amount that the page showed; whatever is no number was not shown by a page of ours."""
    bills = [int(each) for each in request.form.getlist("bill") if re.fullmatch(r"[0-9]{1,19}", each)]
    amount = request.form.get("amount", "")
    return Proposal(
        frozenset(bill for bill in bills if bill < LARGEST_ID),
        int(amount) if re.fullmatch(r"[0-9]{1,15}", amount) else None,
    )


def _level(item: Item) -> int | None:
    given = request.form.get(f"level@{item.levy_year}", "")
    own = item.insurance is Insurance.RES_MEDICAL and item.determination is None
    return int(given) if own and re.fullmatch(r"[1-9][0-9]?", given) else None


def _tier(year: int) -> Fen | None:
    given = request.form.get(f"tier@{year}", "").strip()
    try:
        return fen(given) if given else None
    except AppError as error:
        raise BadWish from error


def _day(given: str) -> date:
    try:
        return date.fromisoformat(given)
    except ValueError as error:
        raise solve.KeptForNothing from error


def _by() -> str:
    return f"staff:{officer().login}"


def _back(household: int, cause: str) -> Answer:
    return redirect(url_for("office_suspense.one", household=household, cause=cause), 303)
