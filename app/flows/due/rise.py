"""The pension of the year raised once by paying the difference (decision 0048): what somebody who has paid may choose
and at what price, why he may not, or what he chose. Pure."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, datetime
from typing import Any

from app.flows.due.doubt import unless_in_doubt
from app.flows.due.facts import facts_of
from app.flows.due.item import Due, Said
from app.flows.parts import Parts
from app.flows.titles import paid_how
from app.policy.answer import Eligible, Quote, Reason, turned_away
from app.policy.facts import Insurance
from app.policy.lines import chinese_day
from app.policy.quote import TierChoice
from app.policy.raising import Rise, quote_rise
from app.policy.terms import PolicyYear
from app.policy.words import phrases, rise_words, say, say_line
from app.registry.subject import Standing, Subject
from core.clock import business_day
from core.errors import NotFound
from core.money import Fen, plain_yuan

PENSION = Insurance.RES_PENSION


class NoSuchItem(NotFound):
    """A back-payment that nobody determined for this person, or that was refused; a rise of what nobody has paid."""

    text = "没有找到这一项，请返回重新查。"


def due_of_rise(parts: Parts, subject: Subject, *, at: datetime, channel: str, tier: Fen | None = None) -> Due:
    """What it costs to raise the pension of the subject's year to a tier, or to each that may be chosen; or what was
    paid for it. NoSuchItem for a pension that nobody has paid."""
    rules, own = parts.levy.rules(subject.levy_year), subject.standing[PENSION]
    if own.bill is None or own.bill["state"] != "settled":
        raise NoSuchItem(f"{PENSION} {subject.levy_year}")
    if own.rise is not None and own.rise["state"] == "settled":
        return raised(rules, own.rise, business_day(at))
    paid, day = own.bill["tier"], business_day(at)
    barred = _barred(rules, own, day)
    quotes = {} if barred else _higher(rules, subject, paid, at=at, channel=channel)
    answer = turned_away(PENSION, day, Reason.ALREADY_PAID) if barred else _answer(quotes, tier, day)
    due = Due(
        levy_year=rules.year,
        insurance=PENSION,
        title=rise_words(rules.year, paid, answer.tier),
        quote=answer,
        say=lambda: Said(
            barred or _words(rules, paid, answer, choices=bool(quotes)),
            lines=[say_line(line, rules) for line in answer.lines],
            clauses=[rules.cite(line.clause) for line in answer.lines],
        ),
        offer=lambda: [_choice(to, found) for to, found in quotes.items()],
        is_late=rules.year != parts.levy.years.newest,
        raised_from=paid,
    )
    return unless_in_doubt(parts, subject, due)


def raised(rules: PolicyYear, bill: Mapping[str, Any], day: date) -> Due:
    """What was paid for it, by its bill; of one that has gone back, that it has."""
    tier, paid = bill["tier"], bill["raised_from"]
    words = phrases("rise")["done" if bill["state"] == "settled" else "gone_back"]
    return Due(
        levy_year=rules.year,
        insurance=PENSION,
        title=rise_words(rules.year, paid, tier),
        quote=replace(turned_away(PENSION, day, Reason.ALREADY_PAID), tier=tier),
        say=lambda: Said(words.format(tier=plain_yuan(tier), how=paid_how(bill, day))),
        offer=tuple,
        settled_by=bill["settled_by"],
        paid=bill["personal_due"],
        raised_from=paid,
    )


def _barred(rules: PolicyYear, own: Standing, day: date) -> str | None:
    """Why no tier can be chosen, whichever: the year, the day, who paid, or that it goes back."""
    words, until = phrases("rise"), rules.pension.raising_until if rules.has_pension else None
    assert own.bill is not None, "asked before"
    if until is None:
        return words["never"].format(year=rules.year)
    if day > until:
        return words["over"].format(year=rules.year, until=chinese_day(until))
    why = "going_back" if own.bill["going_back"] else None if own.bill["personal_due"] else "waived"
    return words[why].format(year=rules.year) if why else None


def _higher(rules: PolicyYear, subject: Subject, paid: Fen, *, at: datetime, channel: str) -> dict[Fen, Quote]:
    """Each tier of the year above the paid one, with its quote."""
    facts = facts_of(subject, PENSION)
    return {
        tier: quote_rise(rules, facts, Rise(paid, tier), at=at, channel=channel)
        for tier in rules.pension.tiers
        if tier > paid
    }


def _answer(quotes: dict[Fen, Quote], tier: Fen | None, day: date) -> Quote:
    """The quote of the tier that was chosen; while none is, that one is to be, or why none can."""
    if not any(found.eligible is Eligible.YES for found in quotes.values()):
        return next(iter(quotes.values()), turned_away(PENSION, day, Reason.ALREADY_PAID))
    if tier is None:
        return turned_away(PENSION, day, Reason.TIER_REQUIRED)
    return quotes.get(tier) or turned_away(PENSION, day, Reason.TIER_ILLEGAL)


def _words(rules: PolicyYear, paid: Fen, answer: Quote, *, choices: bool) -> str:
    words, until = phrases("rise"), rules.pension.raising_until
    assert until is not None, "barred before"
    if answer.reason_code is Reason.TIER_REQUIRED:
        return words["TIER_REQUIRED"].format(paid=plain_yuan(paid), until=chinese_day(until))
    if not choices:
        return words["highest"]
    if answer.eligible is not Eligible.YES:
        return say(answer, rules)
    return words["subsidised" if answer.gov_subsidy else "payable"].format(
        amount=plain_yuan(answer.to_pay),
        paid=plain_yuan(paid),
        tier=plain_yuan(answer.tier or 0),
        subsidy=plain_yuan(answer.gov_subsidy or 0),
    )


def _choice(tier: Fen, found: Quote) -> TierChoice:
    return TierChoice(
        tier, found.eligible is Eligible.YES, found.personal_due, found.gov_subsidy or 0, found.reason_code
    )
