"""A person, a day and a wish → what is due and why, line by line."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from types import MappingProxyType
from typing import Any

from app.flows.due.facts import asked_for, facts_of
from app.flows.parts import Parts
from app.flows.titles import paid_words
from app.policy.answer import Eligible, Quote, Reason
from app.policy.facts import Insurance
from app.policy.levels import LevelChoice, quote_chosen
from app.policy.quote import Amounts, TierChoice, amounts, tier_choices
from app.policy.words import free_until, item_words, outlook, say, say_funds, say_line
from app.registry import find
from app.registry.determinations import Kind, State
from app.registry.find import Subject
from core.clock import business_day
from core.errors import NotFound
from core.money import Fen

SELF, AGENT = "self", "agent"
YEARS_OWN = (Insurance.RES_MEDICAL, Insurance.RES_PENSION)  # in the order of the pages
ASKED_WORDS = "已经交给医保局核实，有结果就告诉您，请先不要交钱。"
ENDED_WORDS = "{year}年度已经停止征缴，这一项没有交，现在不能再交。"
ELSEWHERE_ASKED = "{year}年的医保，在外地交过吗？交过就不要在这里交，不能交两份。"


class NoSuchItem(NotFound):
    """A back-payment that nobody determined for this person, or that was refused."""

    text = "没有找到这一项，请返回重新查。"


@dataclass(frozen=True)
class Due:
    """One levy item of one person: the answer, its words, and the tiers, amounts or levels that may be chosen.
    `levy_year`: for which it is collected. `determination`: of a back-payment, with its `years`; None: the year's
    premium."""

    levy_year: int
    insurance: Insurance
    title: str
    quote: Quote
    text: str
    lines: Sequence[str]
    clauses: Sequence[str]  # of each line, in the notice's own words
    within: Sequence[str]  # what of the amount is no premium: 其中长期护理保险 20 元
    outlook: str | None
    choices: Sequence[TierChoice]
    settled_by: str | None = None  # the cause that booked it, if it is done
    free_until: str | None = None  # his last day, if he pays nothing, and what comes after it
    paid: Fen = 0  # of what is done, the part that he paid himself
    ask_first: str | None = None  # what to ask the payer before he pays
    on_phone: Quote | None = None  # where only the agent's weeks are the reason: what his own phone would be told
    asked: bool = False  # the medical bureau has been asked and has not answered yet
    determination: int | None = None
    years: tuple[int, ...] = ()
    is_late: bool = False  # of a former year, while a newer one is collected
    ended: bool = False  # something could be done for it, were its year still collected
    amounts: Amounts | None = None  # between which his pension may be, beside the tiers
    levels: Sequence[LevelChoice] = ()  # of the medical insurance, where they make a difference to him

    @property
    def key(self) -> str:
        """How a field or an address names it beside the person."""
        return item_key(self.insurance, self.levy_year, self.determination)

    @property
    def level(self) -> int | None:
        """That of the answer, as its bill will have it."""
        return self.quote.level

    @property
    def heading(self) -> str:
        """The title where years stand side by side: 2022年居民医保（逾期）."""
        return f"{self.title}（逾期）" if self.is_late and (self.can_be_done or self.not_now) else self.title

    @property
    def payable(self) -> bool:
        """May this be put into a payment now?"""
        return self.quote.eligible is Eligible.YES and not self.ended

    @property
    def is_free(self) -> bool:
        """May it be settled now without the person paying anything?"""
        return _costs_nothing(self.quote) and not self.ended

    @property
    def is_spared(self) -> bool:
        """The same, on his own phone at least."""
        return self.is_free or (self.on_phone is not None and _costs_nothing(self.on_phone))

    @property
    def waits(self) -> bool:
        """Shall he pay nothing until the medical bureau has looked (D25)?"""
        return (self.on_phone or self.quote).reason_code is Reason.LATE_WAIVER_REVIEW and not self.ended

    @property
    def tier_open(self) -> bool:
        """Is only the tier missing?"""
        return self.quote.reason_code in _TIER_ASKED and not self.ended

    @property
    def level_open(self) -> bool:
        """Is only the level missing?"""
        return self.quote.reason_code in _LEVEL_ASKED and not self.ended

    @property
    def choice_open(self) -> bool:
        """Is it only that nobody has chosen yet?"""
        return self.tier_open or self.level_open

    @property
    def not_now(self) -> bool:
        """Is only the day the reason that it cannot be paid, or the year's end?"""
        return self.quote.reason_code in _OTHER_DAYS or self.ended

    @property
    def can_be_done(self) -> bool:
        """Is there anything that somebody can do for it now, on his own phone at least, or wait for?"""
        quotes = (self.quote, self.on_phone or self.quote)
        asked = _TIER_ASKED | _LEVEL_ASKED
        can_be_paid = any(each.eligible is Eligible.YES or each.reason_code in asked for each in quotes)
        can_be_paid = can_be_paid or any(choice.allowed for choice in self.levels)
        return not self.settled and not self.ended and (can_be_paid or self.waits)

    @property
    def may_ask(self) -> bool:
        """May the medical bureau be asked to look (D25)? Not twice."""
        return self.quote.reason_code is Reason.LATE_WAIVER_REVIEW and not self.asked and not self.ended

    @property
    def settled(self) -> bool:
        """Is this item of the year done here?"""
        return self.settled_by is not None


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
    on_phone = ask(channel=SELF)[0] if answer.reason_code in _AGENTS_DAYS else None
    heard = on_phone if on_phone is not None and _may_be_spared(on_phone) else answer
    asked = heard.reason_code is Reason.LATE_WAIVER_REVIEW and asked_for(subject, insurance, Kind.LATE_WAIVER)
    choices: Sequence[TierChoice] = ()
    if insurance is Insurance.RES_PENSION and (answer.eligible is Eligible.YES or answer.reason_code in _TIER_ASKED):
        choices = tier_choices(rules, facts, at, channel)
    kept = any(choice.allowed and choice.tier == rules.pension.kept_tier for choice in choices)
    ask_first = backpay is None and _asks_elsewhere(subject, answer)
    return Due(
        levy_year=rules.year,
        insurance=insurance,
        title=item_words(insurance, rules.year, facts.back_years, done["level"] if done else answer.level),
        quote=answer,
        text=paid_words(done, business_day(at)) if done else ASKED_WORDS if asked else say(heard, rules, kept=kept),
        lines=[say_line(line, rules) for line in answer.lines],
        clauses=[rules.cite(line.clause) for line in answer.lines],
        within=say_funds(answer),
        outlook=outlook(answer, facts, rules),
        choices=choices,
        settled_by=done["settled_by"] if done else None,
        free_until=free_until(answer),
        paid=done["personal_due"] if done else 0,
        ask_first=ELSEWHERE_ASKED.format(year=rules.year) if ask_first else None,
        on_phone=on_phone,
        asked=asked,
        determination=determination,
        years=facts.back_years or (),
        is_late=rules.year != parts.levy.years.newest,
        amounts=amounts(rules, facts, at, channel),
        levels=levels,
    )


Tiers = Mapping[tuple[int, int | None], Fen]  # by levy year and determination of a back-payment; None: the year's own
Levels = Mapping[int, int]  # of the medical insurance, by levy year
NONE: Mapping[Any, Any] = MappingProxyType({})


def all_due(
    parts: Parts,
    subject: Subject,
    *,
    at: datetime,
    channel: str = SELF,
    tiers: Tiers = NONE,
    levels: Levels = NONE,
) -> tuple[Due, ...]:
    """The insurances of one person for the newest year, then each back-payment, then what can still be done for a
    former year; `tiers` are those chosen for pensions, `levels` those of the medical insurance. Reckoned once of a
    person's facts, a day, a channel and what is chosen: who looks goes from page to page within minutes."""
    chosen = frozenset(tiers.items()), frozenset(levels.items())
    asked = (parts.levy, parts.levy.years, business_day(at), channel, chosen)
    ask = partial(dues_of_year, parts, at=at, channel=channel, tiers=tiers, levels=levels)
    return subject.once(asked, lambda: tuple(_all_due(parts, subject, ask)))


def _all_due(parts: Parts, subject: Subject, ask: Callable[[Subject], list[Due]]) -> list[Due]:
    # A year that opened since the person was read comes with the next look.
    newest, *former = [year for year in parts.levy.years.all if year in subject.years] or [subject.levy_year]
    dues = ask(subject.in_year(newest))
    for year in former:
        dues += [due for due in ask(subject.in_year(year)) if due.can_be_done]
    return dues


def dues_of_year(
    parts: Parts,
    subject: Subject,
    *,
    at: datetime,
    channel: str = SELF,
    tiers: Tiers = NONE,
    levels: Levels = NONE,
) -> list[Due]:
    """Whichever of both insurances the subject's year has, then each of its back-payments. A year that is itself among
    the years of an approved back-payment is paid by that one. Of a year that is collected no more nothing can be paid;
    what a bureau has been asked it still answers."""
    year = subject.levy_year
    offered = [insurance for insurance in YEARS_OWN if parts.levy.rules(year).offers(insurance)]
    items = [(insurance, None) for insurance in offered if not paid_back(subject, insurance)]
    items += [(insurance, backpay["id"]) for insurance in offered for backpay in subject.standing[insurance].backpays]
    ask = partial(amount_due, parts, subject, at=at, channel=channel, level=levels.get(year))
    dues = [ask(insurance, tier=tiers.get((year, number)), determination=number) for insurance, number in items]
    return dues if year in parts.levy.years.all else [_at_its_end(due) for due in dues]


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
    nothing = {"on_phone": None, "choices": (), "amounts": None, "levels": (), "outlook": None}
    return replace(due, ended=True, text=ENDED_WORDS.format(year=due.levy_year), **nothing)


def item_key(insurance: Insurance, levy_year: int, determination: int | None) -> str:
    """RES_PENSION@2022, of a back-payment RES_PENSION@2022:17."""
    return f"{insurance}@{levy_year}" + (f":{determination}" if determination is not None else "")


def _backpay(subject: Subject, insurance: Insurance, determination: int) -> Mapping[str, Any]:
    for backpay in subject.standing[insurance].backpays:
        if backpay["id"] == determination:
            return backpay
    raise NoSuchItem(str(determination))


_TIER_ASKED = frozenset({"TIER_REQUIRED", "TIER_ILLEGAL", "TIER_100_NOT_ALLOWED"})
_LEVEL_ASKED = frozenset({"LEVEL_REQUIRED", "LEVEL_ILLEGAL"})
_AGENTS_DAYS = frozenset({"AGENT_NOT_STARTED", "AGENT_WINDOW_CLOSED"})
_OTHER_DAYS = _AGENTS_DAYS | {"WINDOW_NOT_OPEN", "LATE_WINDOW_CLOSED"}


def _costs_nothing(answer: Quote) -> bool:
    return answer.eligible is Eligible.YES and not answer.to_pay


def _may_be_spared(answer: Quote) -> bool:
    """Whom the government pays for, or may pay for, hears that at the agent's too, not that he could still pay."""
    return _costs_nothing(answer) or answer.reason_code is Reason.LATE_WAIVER_REVIEW


def _asks_elsewhere(subject: Subject, answer: Quote) -> bool:
    """R08: one insured where he works does not pay here; the list of those comes late, he himself knows today."""
    payable = answer.eligible is Eligible.YES and bool(answer.to_pay)
    return subject.is_migrant and answer.insurance is Insurance.RES_MEDICAL and payable
