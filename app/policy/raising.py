"""Raising the pension's tier once within the year by paying the difference, where a year allows it; the subsidy is that
of the last tier. Pure (decision 0048)."""

from dataclasses import dataclass, replace
from datetime import datetime

from app.policy.answer import Eligible, Part, Quote, Reason, turned_away
from app.policy.days import moment_after
from app.policy.facts import Facts, Insurance
from app.policy.lines import line
from app.policy.quote import quote
from app.policy.terms import PolicyYear
from core.clock import business_day
from core.money import Fen

PENSION = Insurance.RES_PENSION


@dataclass(frozen=True, slots=True)
class Rise:
    """From the tier that is paid to a higher one, fen; `before`: this year's was raised already."""

    paid: Fen
    tier: Fen
    before: bool = False


def quote_rise(rules: PolicyYear, facts: Facts, rise: Rise, *, at: datetime, channel: str) -> Quote:
    """What somebody who has paid for the year owes for a higher tier: all of the difference himself, whoever paid the
    first part, and what the treasury adds to its subsidy. ALREADY_PAID where the year allows it not, not any more, or
    not again; else refused as the higher tier would be (`quote`)."""
    day, until = business_day(at), rules.pension.raising_until
    if until is None or day > until or rise.before:
        return turned_away(PENSION, day, Reason.ALREADY_PAID)
    higher = quote(rules, replace(facts, already_paid=False), at=at, channel=channel, tier=rise.tier)
    if higher.eligible is not Eligible.YES or higher.reason_code is Reason.BACKPAY_APPROVED:
        return higher
    was, becomes = rules.pension.tier(rise.paid), rules.pension.tier(rise.tier)
    if was is None or becomes is None or rise.tier <= rise.paid:
        return turned_away(PENSION, day, Reason.TIER_ILLEGAL)
    more, subsidy = rise.tier - rise.paid, becomes.subsidy - was.subsidy
    lines = [line(Part.PERSONAL, PENSION, more, rules.pension.personal_line)]
    if subsidy:
        lines.append(line(Part.GOV_SUBSIDY, PENSION, subsidy, rules.pension.subsidy_line))
    assert higher.price_until is not None and sum(each.amount for each in lines) == more + subsidy
    return replace(
        higher,
        reason_code=higher.reason_code if higher.personal_due else Reason.OK,
        total=more,
        personal_due=more,
        gov_substitute=0,
        gov_subsidy=subsidy,
        couple_bonus=0,
        account_credit=more + subsidy,
        price_until=min(higher.price_until, moment_after(until)),
        lines=tuple(lines),
        ground=None,
        bonus_pending=False,
    )
