"""Levels of the medical insurance: which somebody may choose, what each costs him, and whether he must. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from app.policy.answer import Eligible, Quote, Reason, turned_away
from app.policy.facts import Facts, Insurance
from app.policy.quote import quote
from app.policy.terms import PolicyYear
from core.money import Fen


@dataclass(frozen=True, slots=True)
class LevelChoice:
    """One row of the page's list of levels, in fen (with the other funds), with its quote. Not allowed: `reason_code`
    says why."""

    level: int
    allowed: bool
    personal_due: Fen | None
    quote: Quote

    @property
    def reason_code(self) -> Reason:
        """That of its quote."""
        return self.quote.reason_code


Chosen = tuple[Quote, tuple[LevelChoice, ...]]


def quote_chosen(
    rules: PolicyYear, facts: Facts, *, at: datetime, channel: str, tier: Fen | None, level: int | None
) -> Chosen:
    """What is due at the `level` that somebody chose, and all that he may choose.

    Nobody is charged for a level that he did not choose: without one the answer is LEVEL_REQUIRED, but for whom the
    year's first costs nothing. Whom no level makes a difference for chooses none, and none is named in his quote."""
    medical = rules.has_medical
    if facts.insurance is not Insurance.RES_MEDICAL or medical is None or not medical.levels:
        return quote(rules, facts, at=at, channel=channel, tier=tier), ()
    quotes = {each: quote(rules, facts, at=at, channel=channel, tier=None, level=each) for each in medical.levels}
    first = quotes[medical.levels[0]]
    if len({replace(each, level=None) for each in quotes.values()}) == 1:
        return replace(first, level=None), ()
    choices = tuple(
        LevelChoice(each, found.eligible is Eligible.YES, _to_pay(found), found) for each, found in quotes.items()
    )
    if level is None:
        return _unchosen(first, quotes), choices
    return quotes.get(level) or turned_away(first.insurance, first.day, Reason.LEVEL_ILLEGAL), choices


def proposed(choices: Sequence[LevelChoice], rules: PolicyYear) -> int | None:
    """What a page begins with: the year's first level, where the person may choose it."""
    first = rules.medical.level
    return first if any(each.level == first and each.allowed for each in choices) else None


def _to_pay(found: Quote) -> Fen | None:
    return found.to_pay if found.personal_due is not None else None


def _unchosen(first: Quote, quotes: Mapping[int, Quote]) -> Quote:
    if first.eligible is Eligible.YES and not first.to_pay:
        return first
    found = {each.eligible: each for each in quotes.values()}
    if review := found.get(Eligible.REVIEW):
        return review  # nobody who should pay less is led to pay before the bureau has looked (D25)
    return turned_away(first.insurance, first.day, Reason.LEVEL_REQUIRED) if Eligible.YES in found else first
