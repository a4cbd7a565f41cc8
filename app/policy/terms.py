"""One policy year in memory: figures, dates, lists. Holds what the year's file says; no figure of its own."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from functools import cached_property

from app.policy.facts import WHOLE_BP, Category
from core.clock import beijing_midnight
from core.errors import BadInput
from core.money import Fen


class UnknownChannel(BadInput):
    """A channel that the policy year does not name (R03)."""

    text = "没有这种缴费渠道，请换一种再试。"


class Mode(StrEnum):
    """Who collects: the person pays (R26), a village agent (R25), a department for its list (R27)."""

    SELF = "self"
    AGENT = "agent"
    DEPARTMENT = "department"


def birthday(born: date, age: int) -> date:
    """The day on which `age` full years are reached: the birthday itself, 29 February → 1 March (D03)."""
    try:
        return born.replace(year=born.year + age)
    except ValueError:
        return date(born.year + age, 3, 1)


def born_by(day: date, age: int) -> date:
    """Who is born by it has that age on the day: `birthday(born, age) <= day` for these and nobody else."""
    try:
        return day.replace(year=day.year - age)
    except ValueError:
        return date(day.year - age, 2, 28)


def age_on(born: date, day: date) -> int:
    """Full years on a day; negative before birth (D03)."""
    age = day.year - born.year
    return age if birthday(born, age) <= day else age - 1


@dataclass(frozen=True)
class Source:
    """The document that the figures come from."""

    number: str
    title: str
    issuer: str
    printed: date


@dataclass(frozen=True)
class Clause:
    """A rule in words: its place in the source document (empty: the district's own decision) and what it says."""

    place: str
    words: str


@dataclass(frozen=True)
class Dates:
    """Beijing dates, each the first or the last day of something; the moments are half-open ends (D24)."""

    age_reference: date
    self_open: date
    agent_open: date
    concentrated_end: date
    normal_price_end: date
    sponsors_end: date
    late_end: date
    pension_out_of_window_end: date
    benefit_from: date
    benefit_to: date

    @cached_property
    def agent_until(self) -> datetime:
        """The first moment without agents."""
        return moment_after(self.concentrated_end)

    @cached_property
    def normal_until(self) -> datetime:
        """The first moment without the normal medical price."""
        return moment_after(self.normal_price_end)

    @cached_property
    def sponsors_until(self) -> datetime:
        """The first moment without sponsors, but for those whose own rule covers late payers (D22)."""
        return moment_after(self.sponsors_end)

    @cached_property
    def late_until(self) -> datetime:
        """The first moment at which late payers are refused."""
        return moment_after(self.late_end)

    @cached_property
    def benefit_until(self) -> datetime:
        """The first moment after the year's medical cover."""
        return moment_after(self.benefit_to)

    @cached_property
    def pension_until(self) -> datetime:
        """The first moment at which this year's pension premium is back-pay (D29)."""
        return moment_after(self.pension_out_of_window_end)


def moment_after(day: date) -> datetime:
    """The first moment (aware, UTC) after a Beijing day."""
    return beijing_midnight(day + timedelta(days=1))


@dataclass(frozen=True)
class Ground:
    """A reason for which the government pays in a person's place: an identity or an age on the reference date.

    `share_bp`: how much of the personal part, in basis points. `evidence` may hold {on} and {age}."""

    code: str
    payer: str
    clause: str
    evidence: str
    note: str
    share_bp: int
    from_age: int | None = None

    @property
    def full(self) -> bool:
        """Nothing is left to pay."""
        return self.share_bp == WHOLE_BP


@dataclass(frozen=True)
class LineTerms:
    """Who pays a kind of line, by which clause, on what evidence, and the words in brackets."""

    payer: str
    clause: str
    evidence: str
    note: str


@dataclass(frozen=True)
class Medical:
    """The medical premium. Fen, years, days, months."""

    total: Fen
    personal: Fen
    subsidy: Fen
    waiting_days: int
    short_cover_days: int
    newborn_months: int
    grounds: tuple[Ground, ...]
    personal_line: LineTerms
    subsidy_line: LineTerms
    sponsor_line: LineTerms
    late_line: LineTerms
    newborn_line: LineTerms
    backpay_line: LineTerms


@dataclass(frozen=True)
class Tier:
    """One contribution tier: fen, the entry subsidy of its band, and for whom it is kept (empty: everybody)."""

    amount: Fen
    subsidy: Fen
    only_for: frozenset[Category]


@dataclass(frozen=True)
class Pension:
    """The pension premium. Fen and years."""

    join_age: int
    due_until_age: int
    tiers: Mapping[Fen, Tier]
    bands: tuple[tuple[Fen, Fen | None, Fen], ...]
    only_for_words: str
    substitute_amount: Fen
    default_tier: Fen
    grounds: tuple[Ground, ...]
    bonus_amount: Fen
    bonus_wife_age: int
    personal_line: LineTerms
    subsidy_line: LineTerms
    bonus_line: LineTerms
    backpay_line: LineTerms

    @cached_property
    def kept_tier(self) -> Fen:
        """The tier that is kept for some (R12)."""
        return next(tier.amount for tier in self.tiers.values() if tier.only_for)

    @cached_property
    def lowest_open_tier(self) -> Fen:
        """The lowest tier that everybody may choose."""
        return min(tier.amount for tier in self.tiers.values() if not tier.only_for)


@dataclass(frozen=True)
class Campaign:
    """Figures of the campaign that other rooms keep to (D24, D31, D35, D39). Days, hours, minutes, fen."""

    notice_days: int
    retained_warn_hours: int
    retained_red_hours: int
    retained_red_amount: Fen
    order_minutes: int
    receipts_until: datetime


@dataclass(frozen=True)
class PolicyYear:
    """Everything that one levy year's file says; built only by `app.policy.year`."""

    year: int
    source: Source
    clauses: Mapping[str, Clause]
    behind: Mapping[str, tuple[str, ...]]  # reason code → the rules behind it
    dates: Dates
    medical: Medical
    pension: Pension
    channels: Mapping[str, Mode]
    campaign: Campaign

    def mode(self, channel: str) -> Mode:
        """Who collects through a channel; UnknownChannel if the year does not name it."""
        mode = self.channels.get(channel)
        if mode is None:
            raise UnknownChannel(channel)
        return mode

    def cite(self, number: str) -> str:
        """A rule as people read it: '峄政办发〔2021〕12号第四条（一）居民医疗保险：“…”', or the district's practice."""
        clause = self.clauses[number]
        where = f"{self.source.number}{clause.place}" if clause.place else "区里的办理口径"
        return f"{where}：“{clause.words}”"

    def ground(self, grounds: tuple[Ground, ...], categories: frozenset[Category], born: date) -> Ground | None:
        """The first ground that fits, in the order of the file: one payment, one department (D15, D20)."""
        for ground in grounds:
            if ground.from_age is None:
                if ground.code in categories:
                    return ground
            elif birthday(born, ground.from_age) <= self.dates.age_reference:
                return ground
        return None
