"""A person, a day and a wish → what is due and why, line by line."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from functools import cache, partial
from types import MappingProxyType
from typing import Any

from app.flows.due.doubt import unless_in_doubt
from app.flows.due.facts import asked_for, facts_of
from app.flows.due.item import AGENTS_DAYS, TIER_ASKED, Due, Said, costs_nothing
from app.flows.due.listed import by_roster, unless_unlisted
from app.flows.due.rise import NoSuchItem, due_of_rise
from app.flows.parts import Parts
from app.flows.titles import paid_words
from app.policy.answer import Eligible, Quote, Reason
from app.policy.facts import Facts, Insurance
from app.policy.levels import quote_chosen
from app.policy.quote import TierChoice, amounts, tier_choices
from app.policy.terms import PolicyYear
from app.policy.words import free_until, item_words, outlook, say, say_funds, say_line
from app.registry import find
from app.registry.determinations import Kind, State
from app.registry.find import Subject
from core.clock import business_day
from core.money import Fen

SELF, AGENT = "self", "agent"
YEARS_OWN = (Insurance.RES_MEDICAL, Insurance.RES_PENSION)  # in the order of the pages
ASKED_WORDS = "已经交给医保局核实，有结果就告诉您，请先不要交钱。"
ENDED_WORDS = "{year}年度已经停止征缴，这一项没有交，现在不能再交。"
SHORT_WORDS = "{sponsor}的资助款已用完，这一项按没有这笔资助算。"
ELSEWHERE_ASKED = "{year}年的医保，在外地交过吗？交过就不要在这里交，不能交两份。"


def subjects(parts: Parts, person_ids: Sequence[int]) -> list[Subject]:
    """Persons with all that a quote needs, in one query; nobody who is restricted."""
    with parts.reading() as connection:
        found = find.by_ids(connection, parts.vault, person_ids, years=parts.levy.ever)
    return [person for person in found if not person.restricted_at]


def amount_due(
    parts: Parts,
    subject: Subject,
    insurance: Insurance,
    *,
    at: datetime,
    channel: str = SELF,
    tier: Fen | None = None,
    level: int | None = None,
    determination: int | None = None,
) -> Due:
    """What one person owes for one insurance at a moment of the business clock, and why: the premium of the subject's
    year at the tier or level chosen, or the back-payment of a determination. Pure. NoSuchItem."""
    rules = parts.levy.rules(subject.levy_year)
    backpay = _backpay(subject, insurance, determination) if determination is not None else None
    facts = facts_of(subject, insurance, backpay)
    bill = subject.standing[insurance].bill if backpay is None else backpay["bill"]
    done = bill if bill is not None and bill["state"] == "settled" else None
    ask = partial(quote_chosen, rules, facts, at=at, tier=tier, level=level)
    answer, levels = ask(channel=channel)
    answer = replace(answer, level=done["level"]) if done else answer
    on_phone = ask(channel=SELF)[0] if answer.reason_code in AGENTS_DAYS else None
    heard = on_phone if on_phone is not None and _may_be_spared(on_phone) else answer
    asked = heard.reason_code is Reason.LATE_WAIVER_REVIEW and asked_for(subject, insurance, Kind.LATE_WAIVER)
    may_choose = answer.eligible is Eligible.YES or answer.reason_code in TIER_ASKED
    offered = insurance is Insurance.RES_PENSION and may_choose
    offer = cache(lambda: tier_choices(rules, facts, at, channel) if offered else ())
    first = paid_words(done, business_day(at), by=_gave(subject, insurance)) if done else ASKED_WORDS if asked else None
    due = Due(
        levy_year=rules.year,
        insurance=insurance,
        title=item_words(insurance, rules.year, facts.back_years, answer.level),
        quote=answer,
        say=lambda: _said(first or _sentence(heard, rules, offer()) + short_words(answer), answer, facts, rules),
        offer=offer,
        settled_by=done["settled_by"] if done else None,
        free_until=free_until(answer),
        paid=done["personal_due"] if done else 0,
        ask_first=ELSEWHERE_ASKED.format(year=rules.year) if not backpay and _asks_elsewhere(subject, answer) else None,
        on_phone=on_phone,
        asked=asked,
        determination=determination,
        years=facts.back_years or (),
        is_late=rules.year != parts.levy.years.newest,
        amounts=amounts(rules, facts, at, channel),
        levels=levels,
    )
    if by_roster(rules, channel):
        due = unless_unlisted(rules, subject, due)
    return unless_in_doubt(parts, subject, due)


def short_words(answer: Quote) -> str:
    """Why no sponsor pays what one would have paid; empty where none is short. Pure."""
    return SHORT_WORDS.format(sponsor="、".join(answer.short)) if answer.short else ""


def _gave(subject: Subject, insurance: Insurance) -> str:
    """The sponsors whose money his bill has; empty for none."""
    gave = [each.shown for each in subject.pledges if each.insurance == insurance and each.own]
    return "、".join(dict.fromkeys(gave))


def _sentence(heard: Quote, rules: PolicyYear, choices: Sequence[TierChoice]) -> str:
    kept = any(choice.allowed and choice.tier == rules.pension.kept_tier for choice in choices)
    return say(heard, rules, kept=kept)


def _said(text: str, answer: Quote, facts: Facts, rules: PolicyYear) -> Said:
    return Said(
        text,
        lines=[say_line(line, rules) for line in answer.lines],
        clauses=[rules.cite(line.clause) for line in answer.lines],
        within=say_funds(answer),
        outlook=outlook(answer, facts, rules),
    )


Tiers = Mapping[tuple[int, int | None], Fen]  # by levy year and determination of a back-payment; None: the year's own
Levels = Mapping[int, int]  # of the medical insurance, by levy year
Rises = Mapping[int, Fen]  # to which tier a pension that is paid shall be raised, by levy year
NONE: Mapping[Any, Any] = MappingProxyType({})


def all_due(
    parts: Parts,
    subject: Subject,
    *,
    at: datetime,
    channel: str = SELF,
    tiers: Tiers = NONE,
    levels: Levels = NONE,
    rises: Rises = NONE,
) -> tuple[Due, ...]:
    """The insurances of one person for the newest year, then each back-payment, then what can still be done for a
    former year; `tiers` are those chosen for pensions, `levels` those of the medical insurance, `rises` the tiers to
    which what is paid shall be raised. Reckoned once of a person's facts, a day, a channel and what is chosen: who
    looks goes from page to page within minutes."""
    chosen = frozenset(tiers.items()), frozenset(levels.items()), frozenset(rises.items())
    asked = (parts.levy, parts.levy.years, business_day(at), channel, chosen)
    ask = partial(dues_of_year, parts, at=at, channel=channel, tiers=tiers, levels=levels, rises=rises)
    return subject.once(asked, lambda: tuple(_all_due(parts, subject, ask)))


def _all_due(parts: Parts, subject: Subject, ask: Callable[[Subject], list[Due]]) -> list[Due]:
    # A year that opened since the person was read comes with the next look.
    newest, *former = [year for year in parts.levy.years.all if year in subject.years] or [subject.levy_year]
    dues = ask(subject.in_year(newest))
    for year in former:
        dues += [due for due in ask(subject.in_year(year)) if due.can_be_done or due.rise]
    return dues


def dues_of_year(
    parts: Parts,
    subject: Subject,
    *,
    at: datetime,
    channel: str = SELF,
    tiers: Tiers = NONE,
    levels: Levels = NONE,
    rises: Rises = NONE,
) -> list[Due]:
    """Whichever of both insurances the subject's year has, then each of its back-payments; a pension that is paid with
    what raising it costs, and once it was raised that beside it. A year that is itself among the years of an approved
    back-payment is paid by that one. Of a year that is collected no more nothing can be paid; what a bureau has been
    asked it still answers."""
    year = subject.levy_year
    offered = [insurance for insurance in YEARS_OWN if parts.levy.rules(year).offers(insurance)]
    items = [(insurance, None) for insurance in offered if not paid_back(subject, insurance)]
    items += [(insurance, backpay["id"]) for insurance in offered for backpay in subject.standing[insurance].backpays]
    ask = partial(amount_due, parts, subject, at=at, channel=channel, level=levels.get(year))
    dues = [ask(insurance, tier=tiers.get((year, number)), determination=number) for insurance, number in items]
    is_open, own = year in parts.levy.years.all, subject.standing[Insurance.RES_PENSION]
    if own.paid_tier is not None:
        raised = due_of_rise(parts, subject, at=at, channel=channel, tier=rises.get(year))
        dues = [each for due in dues for each in _with_its_rise(due, raised, is_open=is_open)]
    return dues if is_open else [_at_its_end(due) for due in dues]


def _with_its_rise(due: Due, raised: Due, *, is_open: bool) -> list[Due]:
    if due.insurance is not raised.insurance or due.determination is not None:
        return [due]
    return [due, raised] if raised.settled else [replace(due, rise=raised) if is_open and raised.can_be_done else due]


def paid_back(subject: Subject, insurance: Insurance) -> bool:
    """Is the subject's year among those of an approved back-payment, for whichever year that was applied for? Then no
    money pays the year by itself, whenever it came."""
    return any(
        backpay["state"] == State.APPROVED and subject.levy_year in (backpay["years"] or ())
        for said in subject.years.values()
        for backpay in said.standing[insurance].backpays
    )


def _at_its_end(due: Due) -> Due:
    if due.asked or not due.can_be_done:
        return due
    ended = ENDED_WORDS.format(year=due.levy_year)
    nothing = {"on_phone": None, "offer": tuple, "amounts": None, "levels": ()}
    return replace(due, ended=True, say=lambda: replace(due.said, text=ended, outlook=None), **nothing)


def _backpay(subject: Subject, insurance: Insurance, determination: int) -> Mapping[str, Any]:
    for backpay in subject.standing[insurance].backpays:
        if backpay["id"] == determination:
            return backpay
    raise NoSuchItem(str(determination))


def _may_be_spared(answer: Quote) -> bool:
    """Whom the government pays for, or may pay for, hears that at the agent's too, not that he could still pay."""
    return costs_nothing(answer) or answer.reason_code is Reason.LATE_WAIVER_REVIEW


def _asks_elsewhere(subject: Subject, answer: Quote) -> bool:
    """R08: one insured where he works does not pay here; the list of those comes late, he himself knows today."""
    payable = answer.eligible is Eligible.YES and bool(answer.to_pay)
    return subject.is_migrant and answer.insurance is Insurance.RES_MEDICAL and payable
