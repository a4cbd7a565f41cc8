"""Whom a rule of a year means: groups, school, age, sex, residence, history of enrolment, a span of days, a level."""

from dataclasses import dataclass, fields, replace
from datetime import date, timedelta
from enum import StrEnum
from typing import NamedTuple

from app.policy.days import birthday
from app.policy.facts import Facts, Residence, School, Sex


class History(StrEnum):
    """How somebody was enrolled before this levy year."""

    UNBROKEN = "unbroken"  # last year too, or nothing is known against it
    GAP = "gap"  # once, but not last year
    NEVER = "never"


class Asked(NamedTuple):
    """What beside the facts decides whom a rule means: the Beijing day of asking, the day on which ages count, the
    levy year, the level that was chosen, and whether a ground leaves nothing to pay (where that is known yet)."""

    day: date
    reference: date
    year: int
    level: int | None = None
    waived: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Who:
    """All that is named must hold; nothing named means everybody. Ages are full years on the year's age reference,
    days are inclusive. `groups`: in one of them, `also`: and in one of these as well."""

    groups: frozenset[str] = frozenset()
    also: frozenset[str] = frozenset()
    schools: frozenset[School] = frozenset()
    residences: frozenset[Residence] = frozenset()
    levels: frozenset[int] = frozenset()
    from_age: int | None = None
    to_age: int | None = None
    born_from: date | None = None
    born_to: date | None = None
    paid_from: date | None = None
    paid_to: date | None = None
    sex: Sex | None = None
    history: History | None = None
    waived: bool | None = None

    @property
    def everybody(self) -> bool:
        """Does it name nothing?"""
        return self == Who()

    @property
    def aged(self) -> bool:
        """Does an age alone decide, and no list?"""
        return self.from_age is not None and not self.groups

    def fits(self, facts: Facts, asked: Asked) -> bool:
        """Is this person meant?"""
        if self.groups and self.groups.isdisjoint(facts.categories):
            return False
        if self.also and self.also.isdisjoint(facts.categories):
            return False
        if self.from_age is not None and birthday(facts.birth_date, self.from_age) > asked.reference:
            return False
        if self.to_age is not None and birthday(facts.birth_date, self.to_age + 1) <= asked.reference:
            return False
        return self._more(facts, asked)

    def changes(self, facts: Facts, asked: Asked) -> date | None:
        """The next day on which its span of days makes it mean this person, or no more."""
        if self.paid_from is None and self.paid_to is None:
            return None
        ends = [self.paid_from] if self.paid_from else []
        ends += [self.paid_to + timedelta(days=1)] if self.paid_to else []
        ahead = [day for day in ends if day > asked.day]
        always = replace(self, paid_from=None, paid_to=None)
        return min(ahead) if ahead and always.fits(facts, asked) else None

    def _more(self, facts: Facts, asked: Asked) -> bool:
        return (
            (not self.schools or facts.school in self.schools)
            and (not self.residences or facts.residence in self.residences)
            and (not self.levels or asked.level in self.levels)
            and _within(facts.birth_date, self.born_from, self.born_to)
            and _within(asked.day, self.paid_from, self.paid_to)
            and (self.sex is None or facts.sex is self.sex)
            and (self.history is None or history(facts, asked.year) is self.history)
            and (self.waived is None or self.waived is asked.waived)
        )


FIELDS = frozenset(each.name for each in fields(Who))


def history(facts: Facts, year: int) -> History:
    """What the years of enrolment say. Without a history nobody is charged for a gap that nobody has seen."""
    if facts.enrolled is None or year - 1 in facts.enrolled:
        return History.UNBROKEN
    return History.GAP if any(each < year for each in facts.enrolled) else History.NEVER


def gap_years(facts: Facts, year: int) -> range:
    """The levy years in a row without enrolment, right before this one, since the last that there was."""
    if history(facts, year) is not History.GAP or facts.enrolled is None:
        return range(year, year)
    return range(max(each for each in facts.enrolled if each < year) + 1, year)


def missed_years(facts: Facts, year: int) -> int:
    """How many those are."""
    return len(gap_years(facts, year))


def _within(day: date, first: date | None, last: date | None) -> bool:
    return (first is None or first <= day) and (last is None or day <= last)
