"""The pension premium's terms: calendar, tiers, subsidies, the couple bonus. What a year's file says."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from functools import cached_property

from app.policy.days import moment_after
from app.policy.facts import WHOLE_BP
from app.policy.prices import Ground, LineTerms
from app.policy.who import Who
from core.money import Fen, share_half_up

WHOLE_YUAN = 100


@dataclass(frozen=True)
class Tier:
    """One contribution tier: fen, the entry subsidy of its band, and for whom it is kept (empty: everybody)."""

    amount: Fen
    subsidy: Fen
    only_for: frozenset[str]


@dataclass(frozen=True)
class Band:
    """What tiers from one amount to another bring from the treasury: a sum, or a share of the tier (basis points)."""

    low: Fen
    high: Fen | None
    subsidy: Fen
    share_bp: int | None = None

    def of(self, tier: Fen) -> Fen:
        """The entry subsidy of a tier of the band."""
        return self.subsidy if self.share_bp is None else share_half_up(tier, self.share_bp, WHOLE_BP)

    def holds(self, tier: Fen) -> bool:
        """Does the tier lie in it?"""
        return self.low <= tier and (self.high is None or tier <= self.high)


@dataclass(frozen=True)
class Extra:
    """What the treasury adds to the entry subsidy for whom, fen."""

    who: Who
    amount: Fen


@dataclass(frozen=True)
class Bonus:
    """The bonus of couples of a family type (R15): fen, the wife's age, and its line."""

    amount: Fen
    wife_age: int
    line: LineTerms


@dataclass(frozen=True)
class Calendar:
    """An insurance's own window: first day, last day at its name's price, last day at all (Beijing, inclusive)."""

    opens: date
    normal_end: date
    last: date

    @cached_property
    def until(self) -> datetime:
        """The first moment after its last day."""
        return moment_after(self.last)


@dataclass(frozen=True)
class Aid:
    """What others may add to a person's account in the year, fen at most, on which days (Beijing, inclusive)."""

    most: Fen
    opens: date
    last: date

    def left(self, given: Fen, day: date) -> Fen:
        """How much more may be given on a day to whom so much was given in the year."""
        return max(self.most - given, 0) if self.opens <= day <= self.last else 0


@dataclass(frozen=True)
class Backpay:
    """At what tier missed years are paid where the bureau names no amount: at the one, or at any up to `most`."""

    tier: Fen | None = None
    most: Fen | None = None

    def allows(self, tier: Fen) -> bool:
        """May the years be paid at it?"""
        return (self.tier is None or tier == self.tier) and (self.most is None or tier <= self.most)


@dataclass(frozen=True)
class Pension:
    """The pension premium. Fen and years. `between`: any whole yuan from the first to the second, beside the tiers.
    `raising_until`: the last day on which who has paid may pay the difference to a higher tier, once in the year."""

    join_age: int
    due_until_age: int
    calendar: Calendar
    tiers: Mapping[Fen, Tier]
    between: tuple[Fen, Fen] | None
    bands: tuple[Band, ...]
    kept_words: Mapping[Fen, str]
    default_tier: Fen | None
    grounds: tuple[Ground, ...]
    extras: tuple[Extra, ...]
    bonus: Bonus | None
    raising_until: date | None
    aid: Aid | None
    backpay: Backpay
    personal_line: LineTerms
    subsidy_line: LineTerms
    backpay_line: LineTerms

    def tier(self, amount: Fen) -> Tier | None:
        """What a tier is, or None if the year has none of that amount."""
        if found := self.tiers.get(amount):
            return found
        if self.between is None or amount % WHOLE_YUAN or not self.between[0] <= amount <= self.between[1]:
            return None
        return Tier(amount, next(band.of(amount) for band in self.bands if band.holds(amount)), frozenset())

    def names(self, tier: Fen) -> bool:
        """Do people call it a tier, 500元档? An amount between two is none."""
        return self.between is None or tier in self.tiers

    @cached_property
    def kept_tier(self) -> Fen | None:
        """The lowest tier that is kept for some (R12), if there is one."""
        return min((tier.amount for tier in self.tiers.values() if tier.only_for), default=None)

    @cached_property
    def lowest_open_tier(self) -> Fen:
        """The lowest tier that everybody may choose."""
        free = (tier.amount for tier in self.tiers.values() if not tier.only_for)
        return min((*free, *(self.between[:1] if self.between else ())))

    @cached_property
    def highest_tier(self) -> Fen:
        """The highest that anybody may choose."""
        return max((*self.tiers, *(self.between or ())))
