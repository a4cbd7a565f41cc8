"""The medical premium's terms as a year's file says them: prices, grounds for help, late payers, newborns, funds."""

from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from app.policy.facts import WHOLE_BP, Facts
from app.policy.waits import Gap, Starts, Wait
from app.policy.who import Asked, Who
from core.money import Fen, share_half_up


@dataclass(frozen=True)
class LineTerms:
    """Who pays a kind of line, by which clause, on what evidence, and the words in brackets."""

    payer: str
    clause: str
    evidence: str
    note: str


@dataclass(frozen=True)
class Step:
    """What one department pays of what is left: a share of the person's own part (`share_bp`, basis points), a fixed
    sum, or all but an amount that stays with the person (`leaves`; 0: everything). One of the three is not None."""

    payer: str
    clause: str
    evidence: str  # may hold {on} and {age}
    note: str
    share_bp: int | None = None
    fixed: Fen | None = None
    leaves: Fen | None = None

    def pays(self, left: Fen, personal: Fen) -> Fen:
        """So much, never more than is left."""
        if self.share_bp is not None:
            return min(share_half_up(personal, self.share_bp, WHOLE_BP), left)
        if self.fixed is not None:
            return min(self.fixed, left)
        return max(left - (self.leaves or 0), 0)


@dataclass(frozen=True)
class Ground:
    """A reason for which the government pays in a person's place: an identity, an age on the reference date, or both;
    by one department or by several after each other."""

    code: str
    who: Who
    steps: tuple[Step, ...]

    def paid(self, personal: Fen) -> list[tuple[Step, Fen]]:
        """Who pays how much of a person's own part; amounts above 0."""
        left, paid = personal, []
        for step in self.steps:
            amount = step.pays(left, personal)
            if amount:
                paid.append((step, amount))
                left -= amount
        return paid

    def leaves(self, personal: Fen) -> Fen:
        """What the person pays himself."""
        return personal - sum(amount for _, amount in self.paid(personal))


@dataclass(frozen=True)
class Price:
    """What the medical insurance costs whom. Fen."""

    who: Who
    total: Fen
    personal: Fen
    subsidy: Fen


class Charge(StrEnum):
    """What somebody pays outside the window."""

    TOTAL = "total"  # everything, the treasury's part too (R22)
    PERSONAL = "personal"  # what he would have paid in time
    MONTHS_LEFT = "months_left"  # so many twelfths as months of cover are left


@dataclass(frozen=True)
class Late:
    """Who comes after the window on what terms; the first that fits. `decided`: only once the bureau has agreed to a
    late waiver, and nobody is charged anything else before it has spoken. `until`: the last day."""

    who: Who
    charge: Charge
    wait: Wait | None
    starts: Starts
    decided: bool
    until: date


@dataclass(frozen=True)
class Newborn:
    """A newborn's price to a last day counted from birth: months, or days."""

    months: int
    days: int
    starts: Starts


@dataclass(frozen=True)
class Window:
    """A part of the window with a first day of cover of its own, for whom it means: the day `begins`, or where that is
    None what `starts` says; `ends` None: the year's last."""

    who: Who
    starts: Starts
    begins: date | None
    ends: date | None


@dataclass(frozen=True)
class Fund:
    """Another fund that is collected with the premium, fen: a line of its own, and by its own `grounds` somebody else
    who pays it."""

    code: str  # as its accounts are named by; of none of the two insurances
    words: str
    who: Who
    amount: Fen
    line: LineTerms
    grounds: tuple[Ground, ...]


@dataclass(frozen=True)
class Medical:
    """The medical premium. Fen, days. `base`: the price of everybody whom no other price means. `nonlocals`: whoever is
    from elsewhere and has no residence permit may pay too."""

    base: Price
    prices: tuple[Price, ...]
    levels: tuple[int, ...]
    nonlocals: bool
    short_cover_days: int
    windows: tuple[Window, ...]
    late: tuple[Late, ...]
    gap: Gap | None
    newborn: tuple[Newborn, ...]
    funds: tuple[Fund, ...]
    grounds: tuple[Ground, ...]
    personal_line: LineTerms
    subsidy_line: LineTerms
    sponsor_line: LineTerms
    late_line: LineTerms
    newborn_line: LineTerms
    backpay_line: LineTerms

    def price(self, facts: Facts, asked: Asked) -> Price:
        """The first that means this person."""
        return next((price for price in self.prices if price.who.fits(facts, asked)), self.base)

    @property
    def level(self) -> int | None:
        """The level of whoever has chosen none; None where there are no levels."""
        return self.levels[0] if self.levels else None

    @property
    def late_for_all(self) -> Late | None:
        """The terms of everybody who comes late and is not meant by name; None where nobody may."""
        return next((late for late in self.late if late.who.everybody and not late.decided), None)

    @property
    def late_waiting_days(self) -> int:
        """How many days everybody who comes late waits; 0 where it is counted in months or not at all."""
        late = self.late_for_all
        return late.wait.days if late and late.wait else 0
