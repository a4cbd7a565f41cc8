"""A person, a moment, a channel, a tier → what is due and who pays it. Pure: the same facts give the same quote.

The two insurances' arithmetic is in `medical.py` and `pension.py`; the order of checks (D40) starts here."""

from dataclasses import dataclass, replace
from datetime import datetime

from app.policy.answer import Eligible, Line, Part, PriceBasis, Quote, Reason, turned_away
from app.policy.checks import exclusion, is_backpay, standing, undecided
from app.policy.days import moment_after
from app.policy.facts import BY_PERMIT, Facts, Insurance
from app.policy.medical import quote_medical
from app.policy.pension import offers, quote_pension
from app.policy.terms import Mode, PolicyYear
from app.policy.tiers import WHOLE_YUAN
from core.clock import business_day
from core.money import Fen

__all__ = [
    "Amounts",
    "Eligible",
    "Line",
    "Part",
    "PriceBasis",
    "Quote",
    "Reason",
    "TierChoice",
    "accepts",
    "amounts",
    "exclusion",
    "quote",
    "tier_choices",
]


@dataclass(frozen=True, slots=True)
class TierChoice:
    """One row of the page's tier list, in fen. Not allowed: no due, and the reason why."""

    tier: Fen
    allowed: bool
    personal_due: Fen | None
    gov_subsidy: Fen
    reason_code: Reason


@dataclass(frozen=True, slots=True)
class Amounts:
    """What a person may pay into his pension beside the tiers, fen: any whole yuan from `least` to `most`."""

    least: Fen
    most: Fen

    def holds(self, amount: Fen | None) -> bool:
        """Is it one of them?"""
        return amount is not None and self.least <= amount <= self.most and amount % WHOLE_YUAN == 0

    def proposed(self, *wishes: Fen | None) -> Fen:
        """What a page begins with: the first of these that may be paid, else the least."""
        return next((wish for wish in wishes if wish is not None and self.holds(wish)), self.least)


def quote(
    rules: PolicyYear,
    facts: Facts,
    *,
    at: datetime,
    channel: str,
    tier: Fen | None,
    level: int | None = None,
    bought_months: int = 0,
) -> Quote:
    """What one person owes for one insurance at `at` (aware, business clock) through `channel` (R03).

    `tier` in fen, pension only; the medical premium ignores it. `level`, `bought_months` (waiting months to be bought
    back): medical only, where the year has them. UnknownChannel if the year does not name the channel;
    ValueError for a naive moment. Everything else is an answer, not an error."""
    day = business_day(at)
    mode = rules.mode(channel)
    refused = standing(rules, facts, day) or undecided(rules, facts, day)
    if refused:
        return turned_away(facts.insurance, day, refused)
    if facts.insurance is Insurance.RES_PENSION:
        quoted = quote_pension(rules, facts, day=day, mode=mode, tier=tier)
    else:
        quoted = quote_medical(rules, facts, day=day, mode=mode, level=level, bought_months=bought_months)
    if quoted.price_until and facts.residence in BY_PERMIT and facts.permit_to:
        quoted = replace(quoted, price_until=min(quoted.price_until, moment_after(facts.permit_to)))
    if mode is Mode.AGENT and quoted.price_until and quoted.price_until > rules.dates.agent_until:
        return replace(quoted, price_until=rules.dates.agent_until)  # agents stop before the price does (R25)
    return quoted


def accepts(quoted: Quote, tendered: Fen) -> bool:
    """Whether exactly what is due was offered: no more, no less, no part payment (R56, D36). In fen."""
    return quoted.eligible is Eligible.YES and tendered == quoted.to_pay


def tier_choices(rules: PolicyYear, facts: Facts, at: datetime, channel: str) -> tuple[TierChoice, ...]:
    """Every tier of the year in the file's order, as this person would be quoted; empty for the medical premium, and
    for a back-payment whose amount the bureau has determined: there is nothing to choose."""
    determined = facts.determination is not None and facts.determination.amount is not None
    if facts.insurance is not Insurance.RES_PENSION or determined or not rules.offers(facts.insurance):
        return ()
    day, mode = business_day(at), rules.mode(channel)
    refused = standing(rules, facts, day) or undecided(rules, facts, day)
    if refused:
        return tuple(
            TierChoice(amount, False, None, tier.subsidy, refused) for amount, tier in rules.pension.tiers.items()
        )
    return tuple(TierChoice(*offer) for offer in offers(rules, facts, day=day, mode=mode))


def amounts(rules: PolicyYear, facts: Facts, at: datetime, channel: str) -> Amounts | None:
    """The bounds of what may be paid now; None where the year has tiers only, nothing can be paid, or a bureau has
    determined what."""
    pension, determined = rules.has_pension, facts.determination is not None and facts.determination.amount is not None
    if facts.insurance is not Insurance.RES_PENSION or pension is None or pension.between is None or determined:
        return None
    least, most = pension.between
    if quote(rules, facts, at=at, channel=channel, tier=least).eligible is not Eligible.YES:
        return None
    if is_backpay(rules, facts, business_day(at)) and pension.backpay.most:
        most = min(most, pension.backpay.most)
    return Amounts(least, most)
