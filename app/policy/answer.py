"""What the rules answer: a quote and its lines. Values only; nothing here decides."""

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from app.policy.facts import Insurance
from core.money import Fen


class Eligible(StrEnum):
    """May be billed, may not, or a bureau must look first."""

    YES = "yes"
    NO = "no"
    REVIEW = "review"


class PriceBasis(StrEnum):
    """Which price stands behind the amounts."""

    NORMAL = "normal"
    LATE = "late"
    SPECIAL = "special"
    NONE = "none"


class Part(StrEnum):
    """What a line is for."""

    PERSONAL = "personal"
    GOV_SUBSTITUTE = "gov_substitute"
    SPONSOR = "sponsor"
    GOV_SUBSIDY = "gov_subsidy"
    COUPLE_BONUS = "couple_bonus"


class Reason(StrEnum):
    """Stable codes; the sentence for each is in `words.toml` (domain 4.1)."""

    OK = "OK"
    OK_WAIVED = "OK_WAIVED"
    OK_SPONSORED = "OK_SPONSORED"
    OK_RESIDENCE_PERMIT = "OK_RESIDENCE_PERMIT"
    OK_OUT_OF_WINDOW = "OK_OUT_OF_WINDOW"
    NEWBORN_OK = "NEWBORN_OK"
    BACKPAY_APPROVED = "BACKPAY_APPROVED"
    LATE_FULL_PRICE = "LATE_FULL_PRICE"
    LATE_WAITING = "LATE_WAITING"

    NOT_OFFERED = "NOT_OFFERED"
    DECEASED = "DECEASED"
    NOT_RESIDENT = "NOT_RESIDENT"
    PARENT_UNKNOWN = "PARENT_UNKNOWN"
    PERMIT_ENDED = "PERMIT_ENDED"
    EMPLOYEE_PENSION = "EMPLOYEE_PENSION"
    EMPLOYEE_MEDICAL = "EMPLOYEE_MEDICAL"
    UNDER_16 = "UNDER_16"
    STUDENT = "STUDENT"
    PENSION_AGE_REACHED = "PENSION_AGE_REACHED"
    DRAWING_PENSION = "DRAWING_PENSION"
    DUP_PENSION_ELSEWHERE = "DUP_PENSION_ELSEWHERE"
    DUP_OUTSIDE_ZAOZHUANG = "DUP_OUTSIDE_ZAOZHUANG"
    DUP_WITHIN_ZAOZHUANG = "DUP_WITHIN_ZAOZHUANG"
    NOT_REGISTERED = "NOT_REGISTERED"
    ALREADY_PAID = "ALREADY_PAID"
    BACKPAY_REJECTED = "BACKPAY_REJECTED"
    LEVEL_REQUIRED = "LEVEL_REQUIRED"
    LEVEL_ILLEGAL = "LEVEL_ILLEGAL"
    TIER_REQUIRED = "TIER_REQUIRED"
    TIER_ILLEGAL = "TIER_ILLEGAL"
    TIER_100_NOT_ALLOWED = "TIER_100_NOT_ALLOWED"
    WINDOW_NOT_OPEN = "WINDOW_NOT_OPEN"
    AGENT_NOT_STARTED = "AGENT_NOT_STARTED"
    AGENT_WINDOW_CLOSED = "AGENT_WINDOW_CLOSED"
    AGENT_NO_ROSTER = "AGENT_NO_ROSTER"  # a fact of the village, which no rule is told (app/flows/due/listed.py)
    AGENT_NOT_LISTED = "AGENT_NOT_LISTED"
    LATE_WINDOW_CLOSED = "LATE_WINDOW_CLOSED"

    DETERMINATION_REQUIRED = "DETERMINATION_REQUIRED"
    LATE_WAIVER_REVIEW = "LATE_WAIVER_REVIEW"
    REGISTER_CONFLICT = "REGISTER_CONFLICT"  # no rule's answer: offices contradict each other about him


REVIEWS = frozenset({Reason.DETERMINATION_REQUIRED, Reason.LATE_WAIVER_REVIEW, Reason.REGISTER_CONFLICT})


@dataclass(frozen=True, slots=True)
class Line:
    """One payer's part into one fund: the insurance's own, or another collected with it. `amount` in fen, above 0.

    `payer`: resident, a department's code, or `sponsor:<code>`. `clause`: R or D number. `evidence`: which list, or
    which age on which day, for staff and auditors. `note`: what residents may read in brackets; it never names a
    category (section 5.4)."""

    part: Part
    payer: str
    fund: str
    amount: Fen
    clause: str
    evidence: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class FundDue:
    """What the person pays for another fund in the same payment, fen above 0; no part of the premium's own amounts."""

    code: str
    words: str
    amount: Fen


@dataclass(frozen=True, slots=True, kw_only=True)
class Quote:
    """The answer for one person, insurance, moment, channel and tier. Amounts in fen; None where not eligible, or
    where the insurance has no such amount. `day` is the Beijing date of the asking.

    `price_until`: the first moment (aware) at which these amounts no longer hold for this channel.
    `benefit_start`, `benefit_end`, `waiting_end`: medical only (D26). `level`: what was reckoned with, in a year with
    levels. `bought_months`: waiting months that are paid for, in `personal_due` and `total`; `gap_months`: those that
    missed years add to the waiting, without what was bought. `normal_due`: beside the
    late price, what the person would have paid in time. `bonus_pending`: the wife's birth date is not known yet (D17).
    `ground`: the category code, AGE70 or AGE60 for which the government pays; for staff only. `lines` are those of the
    premium and then of the other `funds`, in which only the person's own parts are."""

    insurance: Insurance
    day: date
    eligible: Eligible
    reason_code: Reason
    price_basis: PriceBasis = PriceBasis.NONE
    tier: Fen | None = None
    total: Fen | None = None
    personal_due: Fen | None = None
    gov_substitute: Fen | None = None
    sponsor_share: Fen | None = None
    gov_subsidy: Fen | None = None
    couple_bonus: Fen | None = None
    account_credit: Fen | None = None
    waiting_end: date | None = None
    benefit_start: date | None = None
    benefit_end: date | None = None
    price_until: datetime | None = None
    lines: tuple[Line, ...] = ()
    normal_due: Fen | None = None
    sponsors: tuple[str, ...] = ()
    short: tuple[str, ...] = ()  # sponsors who would pay too, and whose money is used up
    ground: str | None = None
    bonus_pending: bool = False
    level: int | None = None
    bought_months: int = 0
    gap_months: int = 0
    funds: tuple[FundDue, ...] = ()

    @property
    def to_pay(self) -> Fen:
        """What the person pays in all: his part of the premium and the other funds collected with it."""
        return (self.personal_due or 0) + self.for_funds

    @property
    def for_funds(self) -> Fen:
        """Of it, what is not the premium."""
        return sum(fund.amount for fund in self.funds)

    @property
    def whole(self) -> Fen | None:
        """The premium's total and all that goes into the other funds, whoever pays it; None without a price."""
        others = (line.amount for line in self.lines if line.fund != self.insurance)
        return None if self.total is None else self.total + sum(others)


def turned_away(insurance: Insurance, day: date, reason: Reason) -> Quote:
    """A quote without a price: refused, or sent to a bureau first."""
    eligible = Eligible.REVIEW if reason in REVIEWS else Eligible.NO
    return Quote(insurance=insurance, day=day, eligible=eligible, reason_code=reason)
