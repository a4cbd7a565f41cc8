"""What the rules may know about one person and one insurance. Facts only: no wish, no price, no database row."""

from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from core.money import Fen

WHOLE_BP = 10_000


class Insurance(StrEnum):
    """The two resident insurances; also the fund that a line's money goes into."""

    RES_PENSION = "RES_PENSION"
    RES_MEDICAL = "RES_MEDICAL"


class Sex(StrEnum):
    """As the bureaus record it."""

    M = "M"
    F = "F"


class Residence(StrEnum):
    """By what right a person may enrol here (R06, R07). Never inferred from the identity number."""

    HUKOU = "hukou"
    PERMIT = "permit"
    PERMIT_CHILD = "permit_child"
    NONLOCAL = "nonlocal"


BY_PERMIT = frozenset({Residence.PERMIT, Residence.PERMIT_CHILD})


class Category(StrEnum):
    """Identities that count only if they stand on a department's list (D06, D38), as most places know them; a year's
    file may name more of its own."""

    DIS1 = "DIS1"
    DIS2 = "DIS2"
    DIS3 = "DIS3"
    DIS4 = "DIS4"
    WUBAO = "WUBAO"
    TEKUN = "TEKUN"
    DIBAO = "DIBAO"
    YOUFU = "YOUFU"
    POVERTY = "POVERTY"
    ORPHAN = "ORPHAN"
    DFUC = "DFUC"
    ILLNESS = "ILLNESS"
    DIBAO_EDGE = "DIBAO_EDGE"
    RELAPSED = "RELAPSED"
    MONITORED = "MONITORED"
    STABLE_EXPOOR = "STABLE_EXPOOR"
    CHILD_HARDSHIP = "CHILD_HARDSHIP"
    VETERAN = "VETERAN"
    RELEASED = "RELEASED"


class School(StrEnum):
    """Where somebody learns, for years that price it; not every student is told apart."""

    NONE = "none"
    PUPIL = "pupil"
    UNIVERSITY = "university"


class Employment(StrEnum):
    """Which employee schemes the person is in; tested per insurance (D04)."""

    NONE = "none"
    PENSION = "pension"
    MEDICAL = "medical"
    BOTH = "both"


class Elsewhere(StrEnum):
    """What the person already has in another place (R08, D05, D08)."""

    MEDICAL_OUTSIDE_ZZ = "medical_outside_zz"
    MEDICAL_INSIDE_ZZ = "medical_inside_zz"
    PENSION_ELSEWHERE = "pension_elsewhere"
    DRAWING_PENSION = "drawing_pension"


class FamilyType(StrEnum):
    """As on the health bureau's list (R15, D17); a person's own word does not count."""

    NONE = "none"
    ONLY_CHILD = "only_child"
    TWO_DAUGHTERS = "two_daughters"


class SpecialCase(StrEnum):
    """Cases that a bureau must determine before there is a bill (R28). A back-payment is an item of its own beside the
    year's premium: who asks for one asks with it as the special case."""

    NONE = "none"
    NEWBORN = "newborn"
    POLICY_BACKPAY = "policy_backpay"
    INTERRUPTED_BACKPAY = "interrupted_backpay"


BACKPAYS = frozenset({SpecialCase.POLICY_BACKPAY, SpecialCase.INTERRUPTED_BACKPAY})


class Decision(StrEnum):
    """A bureau's word."""

    APPROVED = "approved"
    REJECTED = "rejected"


@dataclass(frozen=True, slots=True)
class Determination:
    """A bureau's decision on a special case or, without one, on a late waiver (D25).

    `amount` (fen) and `years` come with an approved back-payment (D30). Without an amount a pension back-payment is
    the chosen tier for each of `years`; a medical one is not yet determined."""

    decision: Decision
    amount: Fen | None = None
    years: tuple[int, ...] = ()
    benefit_start: date | None = None


class SponsorMode(StrEnum):
    """How much of what is left a sponsor takes over (D22)."""

    ALL = "ALL"
    PCT = "PCT"
    FIX = "FIX"


@dataclass(frozen=True, slots=True)
class SponsorRule:
    """One funded promise to pay part of a person's medical premium (R20).

    `value`: basis points of the remainder for PCT, fen for FIX, unused for ALL. `covers_late` only if the sponsor's
    own rule says that it also pays after the normal price has ended. Callers pass only sponsors whose money is in;
    `left` is how much of it (None: as much as is asked for): a share is paid whole or not at all. `begins` and `ends`
    are the promise's own days; `category`, `from_age`, `to_age` (full years on the year's reference) whom it means."""

    mode: SponsorMode
    code: str
    name: str
    value: int = 0
    covers_late: bool = False
    left: Fen | None = None
    begins: date | None = None
    ends: date | None = None
    category: str | None = None
    from_age: int | None = None
    to_age: int | None = None

    def __post_init__(self) -> None:
        assert type(self.value) is int and self.value >= 0, "a sponsor's share is a whole number"
        assert self.mode is not SponsorMode.PCT or self.value <= WHOLE_BP, "a sponsor pays at most everything"

    def can_pay(self, share: Fen) -> bool:
        """Is so much left?"""
        return self.left is None or share <= self.left


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """One person and one insurance on the day of asking. Dates are Beijing dates.

    `registered`: with HRSS for the pension, the medical bureau for the medical (R29). `already_paid`: for this
    item. `spouse_birth` None: not known. `determination` None: nobody has decided. `late_waiver`: what the bureau said
    on a late waiver (D25) where `determination` is about a special case. `permit_to`: the last day of the residence
    permit, an accompanying child's is the parent's (D07); None: no day was named, the registration stands (D06).
    `categories`: codes of `Category` or of the year's own. `enrolled`: the levy years in which the person had this
    insurance, None: nobody knows of a year without.
    No field that would make a person billable has a default: a forgotten fact must not become a bill."""

    insurance: Insurance
    birth_date: date
    sex: Sex
    residence: Residence
    registered: bool
    alive: bool
    categories: frozenset[str]
    student: bool
    employee_insured: Employment
    insured_elsewhere: frozenset[Elsewhere]
    already_paid: bool
    permit_to: date | None
    parent_known: bool
    family_type: FamilyType = FamilyType.NONE
    spouse_birth: date | None = None
    special_case: SpecialCase = SpecialCase.NONE
    determination: Determination | None = None
    late_waiver: Decision | None = None
    sponsors: tuple[SponsorRule, ...] = ()
    school: School = School.NONE
    enrolled: frozenset[int] | None = None

    @property
    def decision(self) -> Decision | None:
        """What the bureau said, if it has spoken."""
        return self.determination.decision if self.determination else None

    @property
    def back_years(self) -> tuple[int, ...] | None:
        """The years that a back-payment is for, as far as they are determined; None: this is the year's premium."""
        if self.special_case not in BACKPAYS:
            return None
        return self.determination.years if self.determination else ()
