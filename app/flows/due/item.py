"""One levy item of one person as pages, papers and bills know it: the answer of the rules and its words. Pure."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from app.policy.answer import Eligible, Quote, Reason
from app.policy.facts import Insurance
from app.policy.levels import LevelChoice
from app.policy.quote import Amounts, TierChoice
from core.money import Fen

TIER_ASKED = frozenset({"TIER_REQUIRED", "TIER_ILLEGAL", "TIER_100_NOT_ALLOWED"})
RISE = "rise"  # in the key of an item: the pension raised by paying the difference
_LEVEL_ASKED = frozenset({"LEVEL_REQUIRED", "LEVEL_ILLEGAL"})
AGENTS_DAYS = frozenset({"AGENT_NOT_STARTED", "AGENT_WINDOW_CLOSED"})
_ON_NO_ROSTER = frozenset({"AGENT_NO_ROSTER", "AGENT_NOT_LISTED"})
_ELSEWHERE = frozenset({Reason.DUP_OUTSIDE_ZAOZHUANG, Reason.DUP_WITHIN_ZAOZHUANG, Reason.DUP_PENSION_ELSEWHERE})
_OTHER_DAYS = AGENTS_DAYS | {"WINDOW_NOT_OPEN", "LATE_WINDOW_CLOSED"}


@dataclass(frozen=True)
class Said:
    """What a page says of an item beside its amount."""

    text: str
    lines: Sequence[str] = ()
    clauses: Sequence[str] = ()  # of each line, in the notice's own words
    within: Sequence[str] = ()  # what of the amount is no premium: 其中长期护理保险 20 元
    outlook: str | None = None


@dataclass(frozen=True)
class Due:
    """One levy item of one person: the answer, its words, and the tiers, amounts or levels that may be chosen. What it
    says, and what each tier would cost, is reckoned when somebody first asks: an agent's list of a village never does.
    `levy_year`: for which it is collected. `determination`: of a back-payment, with its `years`; None: the year's
    premium, or the pension raised from the tier `raised_from` that is paid. `rise`: what is offered beside a pension
    that is paid; it is no debt."""

    levy_year: int
    insurance: Insurance
    title: str
    quote: Quote
    say: Callable[[], Said] = field(compare=False, repr=False)
    offer: Callable[[], Sequence[TierChoice]] = field(compare=False, repr=False)
    settled_by: str | None = None  # the cause that booked it, if it is done
    free_until: str | None = None  # his last day, if he pays nothing, and what comes after it
    paid: Fen = 0  # of what is done, the part that he paid himself
    ask_first: str | None = None  # what to ask the payer before he pays
    on_phone: Quote | None = None  # where only the agent's weeks or roster are the reason: what his own phone is told
    asked: bool = False  # the medical bureau has been asked and has not answered yet
    determination: int | None = None
    years: tuple[int, ...] = ()
    is_late: bool = False  # of a former year, while a newer one is collected
    ended: bool = False  # something could be done for it, were its year still collected
    amounts: Amounts | None = None  # between which his pension may be, beside the tiers
    levels: Sequence[LevelChoice] = ()  # of the medical insurance, where they make a difference to him
    raised_from: Fen | None = None
    rise: "Due | None" = None

    @cached_property
    def said(self) -> Said:
        """All its words."""
        return self.say()

    @cached_property
    def choices(self) -> Sequence[TierChoice]:
        """The tiers that may be chosen, or may not."""
        return self.offer()

    @property
    def text(self) -> str:
        """The one sentence that is said first."""
        return self.said.text

    @property
    def key(self) -> str:
        """How a field or an address names it beside the person."""
        return item_key(self.insurance, self.levy_year, self.determination, rise=self.is_rise)

    @property
    def is_rise(self) -> bool:
        """Is it the difference to a higher tier of a pension that is paid?"""
        return self.raised_from is not None

    @property
    def tier(self) -> Fen | None:
        """That of the answer, as its bill will have it."""
        return self.quote.tier

    @property
    def level(self) -> int | None:
        """That of the answer, as its bill will have it."""
        return self.quote.level

    @property
    def named_tier(self) -> Fen | None:
        """The tier as it is said beside the amount: none of an amount between two, which is no tier, nor of a rise,
        whose title says it."""
        tier = None if self.is_rise else self.quote.tier
        return None if self.amounts and all(choice.tier != tier for choice in self.choices) else tier

    @property
    def heading(self) -> str:
        """The title where years stand side by side: 2022年居民医保（逾期）."""
        return f"{self.title}（逾期）" if self.is_late and (self.can_be_done or self.not_now) else self.title

    @property
    def payable(self) -> bool:
        """May this be put into a payment now?"""
        return self.quote.eligible is Eligible.YES and not self.ended

    @property
    def is_free(self) -> bool:
        """May it be settled now without the person paying anything?"""
        return costs_nothing(self.quote) and not self.ended

    @property
    def is_spared(self) -> bool:
        """The same, on his own phone at least."""
        return self.is_free or (self.on_phone is not None and costs_nothing(self.on_phone))

    @property
    def waits(self) -> bool:
        """Shall he pay nothing until the medical bureau has looked (D25)?"""
        return (self.on_phone or self.quote).reason_code is Reason.LATE_WAIVER_REVIEW and not self.ended

    @property
    def in_doubt(self) -> bool:
        """Do offices contradict each other about him, so that nothing is billed until one of them has decided?"""
        return self.quote.reason_code is Reason.REGISTER_CONFLICT and not self.ended

    @property
    def elsewhere(self) -> bool:
        """Is it only that he is said to have paid in another place? He may say that it is not so."""
        return self.quote.reason_code in _ELSEWHERE and not self.settled

    @property
    def tier_open(self) -> bool:
        """Is only the tier missing?"""
        return self.quote.reason_code in TIER_ASKED and not self.ended

    @property
    def level_open(self) -> bool:
        """Is only the level missing?"""
        return self.quote.reason_code in _LEVEL_ASKED and not self.ended

    @property
    def choice_open(self) -> bool:
        """Is it only that nobody has chosen yet?"""
        return self.tier_open or self.level_open

    @property
    def not_now(self) -> bool:
        """Is only the day the reason that it cannot be paid, or the year's end?"""
        return self.quote.reason_code in _OTHER_DAYS or self.ended

    @property
    def unlisted(self) -> bool:
        """Is it only that he is not on the roster by which the village's agent collects?"""
        return self.quote.reason_code in _ON_NO_ROSTER and not self.ended

    @property
    def waits_for_roster(self) -> bool:
        """Of these: is none in force yet?"""
        return self.unlisted and self.quote.reason_code is Reason.AGENT_NO_ROSTER

    @property
    def can_be_done(self) -> bool:
        """Is there anything that somebody can do for it now, on his own phone at least, or wait for?"""
        quotes = (self.quote, self.on_phone or self.quote)
        asked = TIER_ASKED | _LEVEL_ASKED
        can_be_paid = any(each.eligible is Eligible.YES or each.reason_code in asked for each in quotes)
        can_be_paid = can_be_paid or any(choice.allowed for choice in self.levels)
        return not self.settled and not self.ended and (can_be_paid or self.waits or self.in_doubt)

    @property
    def may_ask(self) -> bool:
        """May the medical bureau be asked to look (D25), at the agent's too? Not twice."""
        heard = {self.quote.reason_code, self.on_phone.reason_code if self.on_phone else None}
        return Reason.LATE_WAIVER_REVIEW in heard and not self.asked and not self.ended

    @property
    def settled(self) -> bool:
        """Is this item of the year done here?"""
        return self.settled_by is not None


def item_key(insurance: Insurance, levy_year: int, determination: int | None, *, rise: bool = False) -> str:
    """RES_PENSION@2022, of a back-payment RES_PENSION@2022:17, of a tier that is raised RES_PENSION@2022:rise."""
    beside = RISE if rise else determination
    return f"{insurance}@{levy_year}" + (f":{beside}" if beside is not None else "")


def costs_nothing(answer: Quote) -> bool:
    """May it be settled without the person paying anything?"""
    return answer.eligible is Eligible.YES and not answer.to_pay
