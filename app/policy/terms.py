"""One policy year in memory: figures, dates, lists. Holds what the year's file says; no figure of its own."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from functools import cached_property

from app.policy.days import moment_after
from app.policy.facts import Facts, Insurance
from app.policy.prices import Ground, Medical
from app.policy.tiers import Pension
from app.policy.who import Asked
from core.errors import BadInput, Conflict
from core.money import Fen


class UnknownChannel(BadInput):
    """A channel that the policy year does not name (R03)."""

    text = "没有这种缴费渠道，请换一种再试。"


class Mode(StrEnum):
    """Who collects: the person pays (R26), a village agent (R25), a department for its list (R27)."""

    SELF = "self"
    AGENT = "agent"
    DEPARTMENT = "department"


@dataclass(frozen=True)
class Source:
    """The document that the figures come from, and the place whose rules they are."""

    number: str
    title: str
    issuer: str
    printed: date
    district: str  # 峄城区
    city: str  # 枣庄市


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


@dataclass(frozen=True)
class Campaign:
    """Figures of the campaign that other rooms keep to (D24, D31, D35, D39). Days, hours, minutes, fen.
    `agents_by_roster`: a village's agent collects only for who is on its roster in force (R38)."""

    notice_days: int
    retained_warn_hours: int
    retained_red_hours: int
    retained_red_amount: Fen
    order_minutes: int
    receipts_until: datetime
    agents_by_roster: bool = False
    agents_take_cash: bool = False  # where the town switches it on (R40); a year that does not say so takes none
    closing_until: date | None = None  # last day on which it hangs who is insured (R59); None: nothing hangs


class NotOffered(Conflict):
    """An insurance that the year's file does not have."""

    text = "这里不收这一种保险。"


@dataclass(frozen=True)
class PolicyYear:
    """Everything that one levy year's file says; built only by `app.policy.year`."""

    year: int
    source: Source
    clauses: Mapping[str, Clause]
    behind: Mapping[str, tuple[str, ...]]  # reason code → the rules behind it
    dates: Dates
    has_medical: Medical | None
    has_pension: Pension | None
    channels: Mapping[str, Mode]
    campaign: Campaign
    groups: Mapping[str, str]  # codes of the year's own groups → their words

    @property
    def medical(self) -> Medical:
        """NotOffered in a year without it."""
        if self.has_medical is None:
            raise NotOffered(Insurance.RES_MEDICAL)
        return self.has_medical

    @property
    def pension(self) -> Pension:
        """NotOffered in a year without it."""
        if self.has_pension is None:
            raise NotOffered(Insurance.RES_PENSION)
        return self.has_pension

    @property
    def funds(self) -> Mapping[str, str]:
        """The other funds that are collected with a premium: code → the name that people read."""
        return {fund.code: fund.words for fund in self.has_medical.funds} if self.has_medical else {}

    def offers(self, insurance: Insurance) -> bool:
        """Is this insurance collected under these rules?"""
        return (self.has_medical if insurance is Insurance.RES_MEDICAL else self.has_pension) is not None

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

    def asked(self, day: date, *, level: int | None = None, waived: bool = False) -> Asked:
        """What a rule needs to know beside the facts."""
        return Asked(day, self.dates.age_reference, self.year, level, waived)

    def ground(self, grounds: tuple[Ground, ...], facts: Facts, asked: Asked) -> Ground | None:
        """The first ground that fits, in the order of the file: one help for each person (D15, D20)."""
        return next((ground for ground in grounds if ground.who.fits(facts, asked)), None)
