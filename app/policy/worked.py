"""Worked cases as people write them: one reading of sponsors, one list of output columns, for examples and tables."""

from collections.abc import Iterable

from app.policy.answer import Quote
from app.policy.facts import WHOLE_BP, SponsorMode, SponsorRule
from core.money import fen

OUTPUTS = (
    "eligible",
    "reason_code",
    "price_basis",
    "total",
    "personal_due",
    "gov_substitute",
    "sponsor_share",
    "gov_subsidy",
    "couple_bonus",
    "account_credit",
    "waiting_end",
    "benefit_start",
)
AMOUNTS = frozenset(OUTPUTS[3:10])


def sponsors_of(rules: Iterable[str]) -> tuple[SponsorRule, ...]:
    """'ALL', 'PCT:33.33', 'FIX:100' in registered order → sponsors S1, S2, …; ValueError for anything else.

    A percentage has at most two decimals: basis points."""
    return tuple(_sponsor(text, f"S{number}") for number, text in enumerate(rules, 1))


def output(quoted: Quote, column: str) -> object:
    """A quote's value for an output column: text, fen, date or None."""
    return getattr(quoted, column)


def _sponsor(text: str, code: str) -> SponsorRule:
    mode, colon, value = text.partition(":")
    if mode == SponsorMode.ALL and not colon:
        return SponsorRule(SponsorMode.ALL, code, code)
    if mode == SponsorMode.PCT and fen(value) <= WHOLE_BP:
        return SponsorRule(SponsorMode.PCT, code, code, fen(value))  # two decimals of a percentage are basis points
    if mode == SponsorMode.FIX:
        return SponsorRule(SponsorMode.FIX, code, code, fen(value))
    raise ValueError(f"not a sponsor's rule: {text!r}")
