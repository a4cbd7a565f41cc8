"""One person under two years' rules, and what adds up over many: who pays what, who bears it, whose reason changes.

Pure. A `Change` holds nothing of a person but the two answers, so equal people share one."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import Self

from app.policy.answer import Eligible, Part, Quote, Reason
from app.policy.facts import Facts, Insurance
from app.policy.quote import quote
from app.policy.terms import PolicyYear
from core.clock import business_day
from core.money import Fen

CHANNEL = "self"
SUBSIDIES = frozenset({Part.GOV_SUBSTITUTE, Part.GOV_SUBSIDY, Part.COUPLE_BONUS})

BudgetLine = tuple[str, Part, str]  # payer, what for, into which fund


class TierBy(StrEnum):
    """Why a pension tier was asked about: nobody has chosen one in a replay."""

    LAST = "last"
    DEFAULT = "default"
    LOWEST = "lowest"


@dataclass(frozen=True, slots=True)
class Side:
    """The answer under one year's rules. `budget`: everything that others than the resident bear, fen above 0.

    `tier_by`: pension only."""

    eligible: bool
    reason: Reason
    personal: Fen
    budget: tuple[tuple[BudgetLine, Fen], ...]
    tier_by: TierBy | None

    @property
    def subsidies(self) -> frozenset[Part]:
        """The public money that comes with the premium."""
        return frozenset(part for (_, part, _), _ in self.budget) & SUBSIDIES


@dataclass(frozen=True, slots=True)
class Change:
    """One insurance of one person before and after."""

    insurance: Insurance
    before: Side
    after: Side


def side(
    rules: PolicyYear, facts: Facts, *, at: datetime, last_tier: Fen | None, last_level: int | None = None
) -> Side:
    """The answer to somebody who pays himself, at last year's tier; without one, at the tier that the government pays
    anyway (D16), else at the lowest that everybody may choose. Likewise at the level of the medical insurance that he
    paid last, where the year has it, else at the year's first."""
    tier, by = None, None
    if facts.insurance is Insurance.RES_PENSION and rules.offers(facts.insurance):
        tier, by = _tier(rules, facts, last_tier, business_day(at))
    level = last_level if rules.has_medical and last_level in rules.has_medical.levels else None
    return _side(quote(rules, facts, at=at, channel=CHANNEL, tier=tier, level=level), by)


def _tier(rules: PolicyYear, facts: Facts, last_tier: Fen | None, day: date) -> tuple[Fen, TierBy]:
    if last_tier is not None:
        return last_tier, TierBy.LAST
    pension = rules.pension
    if pension.default_tier is not None and rules.ground(pension.grounds, facts, rules.asked(day)):
        return pension.default_tier, TierBy.DEFAULT
    return rules.pension.lowest_open_tier, TierBy.LOWEST


def _side(quoted: Quote, by: TierBy | None) -> Side:
    return Side(
        eligible=quoted.eligible is Eligible.YES,
        reason=quoted.reason_code,
        personal=quoted.to_pay,
        budget=tuple(
            ((line.payer, line.part, line.fund), line.amount) for line in quoted.lines if line.part is not Part.PERSONAL
        ),
        tier_by=by,
    )


@dataclass
class Group:
    """People whose personal part moved one way: how many, and by how much in all (fen, above 0)."""

    people: int = 0
    amount: Fen = 0

    def __iadd__(self, other: Self) -> Self:
        self.people += other.people
        self.amount += other.amount
        return self

    def take(self, people: int, each: Fen) -> None:
        """So many people more, each by so much."""
        self.people += people
        self.amount += people * each


@dataclass
class Total:
    """Sums over people, of one insurance. Two can be added. Pairs are (before, after); amounts in fen.

    `more`, `less`, `same`: eligible both times. `joined`, `left`: eligible only after, only before, with what they pay
    in that year. So personal after − before = more − less + joined − left. `gains`, `loses`: people who get a subsidy
    line, substitute payment or bonus that they did not have, or had; `gained`, `lost`: by part."""

    asked: int = 0
    eligible: Counter[int] = field(default_factory=Counter)
    personal: Counter[int] = field(default_factory=Counter)
    more: Group = field(default_factory=Group)
    less: Group = field(default_factory=Group)
    same: Group = field(default_factory=Group)
    joined: Group = field(default_factory=Group)
    left: Group = field(default_factory=Group)
    gains: int = 0
    loses: int = 0
    gained: Counter[Part] = field(default_factory=Counter)
    lost: Counter[Part] = field(default_factory=Counter)
    budget: tuple[Counter[BudgetLine], Counter[BudgetLine]] = field(default_factory=lambda: (Counter(), Counter()))
    tiers: tuple[Counter[TierBy], Counter[TierBy]] = field(default_factory=lambda: (Counter(), Counter()))
    reasons: Counter[tuple[Reason, Reason]] = field(default_factory=Counter)

    def take(self, change: Change, people: int) -> None:
        """So many people with this change more."""
        before, after = change.before, change.after
        self.asked += people
        self.reasons[before.reason, after.reason] += people
        for when, one in enumerate((before, after)):
            if one.eligible:
                self.eligible[when] += people
                self.personal[when] += people * one.personal
                if one.tier_by:
                    self.tiers[when][one.tier_by] += people
            for line, amount in one.budget:
                self.budget[when][line] += people * amount
        self._take_personal(before, after, people)
        self._take_subsidies(after.subsidies - before.subsidies, before.subsidies - after.subsidies, people)

    def add(self, other: "Total") -> None:
        """Another total of the same insurance, over other people."""
        self.asked += other.asked
        self.gains += other.gains
        self.loses += other.loses
        for name in ("more", "less", "same", "joined", "left"):
            group: Group = getattr(self, name)
            group += getattr(other, name)
        for name in ("eligible", "personal", "gained", "lost", "reasons"):
            getattr(self, name).update(getattr(other, name))
        for name in ("budget", "tiers"):
            for mine, others in zip(getattr(self, name), getattr(other, name), strict=True):
                mine.update(others)

    def _take_personal(self, before: Side, after: Side, people: int) -> None:
        if before.eligible and after.eligible:
            step = after.personal - before.personal
            group = self.more if step > 0 else self.less if step < 0 else self.same
            group.take(people, abs(step))
        elif after.eligible:
            self.joined.take(people, after.personal)
        elif before.eligible:
            self.left.take(people, before.personal)

    def _take_subsidies(self, gained: frozenset[Part], lost: frozenset[Part], people: int) -> None:
        self.gains += people if gained else 0
        self.loses += people if lost else 0
        for part in gained:
            self.gained[part] += people
        for part in lost:
            self.lost[part] += people


Totals = Mapping[Insurance, Total]


def totals(changes: Mapping[Change, int]) -> Totals:
    """How many people have which change → the sums, by insurance."""
    found = {insurance: Total() for insurance in Insurance}
    for change, people in changes.items():
        found[change.insurance].take(change, people)
    return found


def together(parts: Iterable[Totals]) -> Totals:
    """Totals of several places as one."""
    found = {insurance: Total() for insurance in Insurance}
    for part in parts:
        for insurance, total in part.items():
            found[insurance].add(total)
    return found
