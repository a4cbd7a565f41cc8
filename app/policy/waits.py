"""How long somebody waits for medical cover, and from which day he has it. Pure; Beijing dates."""

from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from app.policy.days import months_after


class Starts(StrEnum):
    """From when cover runs that is not waited for."""

    YEAR = "year"  # the year's first day of cover
    PAYMENT = "payment"  # the day of payment
    NEXT_MONTH = "next_month"  # the first of the month after the payment
    BIRTH = "birth"  # the day of birth

    def last_day(self, benefit_to: date) -> date:
        """The last day of payment that buys a day of cover (D27); without an end where the payment does not count."""
        match self:
            case Starts.PAYMENT:
                return benefit_to
            case Starts.NEXT_MONTH:
                return benefit_to.replace(day=1) - timedelta(days=1)
        return date.max


@dataclass(frozen=True, slots=True)
class Wait:
    """`days` after the day of payment, which does not count (D26); or `months` from day to day: paid on 10 March, three
    of them, covered from 10 June; or `calendar_months`, the month of payment the first: paid in January, three of
    them, covered from 1 April. One of the three is above 0."""

    days: int = 0
    months: int = 0
    calendar_months: int = 0

    @property
    def whole_months(self) -> int:
        """As many months as it is counted in; 0 for days."""
        return self.months or self.calendar_months

    def start(self, day: date, more_months: int = 0) -> date:
        """The first day with cover for whoever pays (or begins to wait) on that day."""
        if self.calendar_months:
            return months_after(day.replace(day=1), self.calendar_months + more_months)
        if self.months:
            return months_after(day, self.months + more_months)
        return months_after(day + timedelta(days=self.days + 1), more_months)


@dataclass(frozen=True, slots=True)
class Gap:
    """What years without enrolment cost in time: `months_each` for every missed year after the first `free_years` of
    them, at most `most` months; after `long_years` of them the sum with the fixed wait stays `long_months` or more.
    `buys`: months can be bought back, each for this year's personal part. `in_window`: it waits also who pays in the
    window, counted from the year's first day of cover."""

    months_each: int
    free_years: int
    most: int | None
    long_years: int | None
    long_months: int
    buys: bool
    in_window: bool

    def months(self, missed: int) -> int:
        """How many months the missed years add."""
        added = self.months_each * max(missed - self.free_years, 0)
        return added if self.most is None else min(added, self.most)

    def left(self, missed: int, bought: int, fixed: int) -> int:
        """What is left of them beside a fixed wait of so many months, once some were bought back."""
        left = self.months(missed) - self.bought(missed, bought)
        if self.long_years is not None and missed >= self.long_years:
            return max(left, self.long_months - fixed)
        return left

    def bought(self, missed: int, bought: int) -> int:
        """How many months can really be bought of those that were asked for."""
        return min(bought, self.months(missed)) if self.buys else 0
