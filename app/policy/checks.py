"""Who may pay at all, in the fixed order of D40: the first failure is the one clear message to the person."""

from datetime import date

from app.policy.answer import Reason
from app.policy.days import birthday
from app.policy.facts import (
    BACKPAYS,
    BY_PERMIT,
    Decision,
    Elsewhere,
    Employment,
    Facts,
    Insurance,
    Residence,
    SpecialCase,
)
from app.policy.terms import Mode, PolicyYear

_EMPLOYEE_PENSION = frozenset({Employment.PENSION, Employment.BOTH})
_EMPLOYEE_MEDICAL = frozenset({Employment.MEDICAL, Employment.BOTH})


def exclusion(rules: PolicyYear, facts: Facts, day: date) -> Reason | None:
    """Why a person does not belong to this insurance on a Beijing day, or None: also who is taken out of the
    denominator of coverage (D41)."""
    if not rules.offers(facts.insurance):
        return Reason.NOT_OFFERED
    if not facts.alive:
        return Reason.DECEASED
    if facts.residence is Residence.NONLOCAL and not _takes_nonlocals(rules, facts.insurance):
        return Reason.NOT_RESIDENT
    if facts.residence in BY_PERMIT and (refused := _permit_refusal(facts, day)):
        return refused
    if facts.insurance is Insurance.RES_PENSION:
        return _pension_exclusion(rules, facts, day)
    return _medical_exclusion(facts)


def standing(rules: PolicyYear, facts: Facts, day: date) -> Reason | None:
    """Exclusion, then registration (R29), then one paid item per person, insurance and year (D36)."""
    excluded = exclusion(rules, facts, day)
    if excluded:
        return excluded
    if not facts.registered:
        return Reason.NOT_REGISTERED
    return Reason.ALREADY_PAID if facts.already_paid else None


def is_backpay(rules: PolicyYear, facts: Facts, day: date) -> bool:
    """A determined back-payment (R28), or this year's pension premium after its last day (D29)."""
    return facts.special_case in BACKPAYS or (
        facts.insurance is Insurance.RES_PENSION and day > rules.pension.calendar.last
    )


def undecided(rules: PolicyYear, facts: Facts, day: date) -> Reason | None:
    """Special cases wait for the bureau (R28, D28, D30). A newborn that was rejected pays like anybody else."""
    backpay = is_backpay(rules, facts, day)
    newborn = facts.insurance is Insurance.RES_MEDICAL and facts.special_case is SpecialCase.NEWBORN
    if (backpay or newborn) and facts.decision is None:
        return Reason.DETERMINATION_REQUIRED
    if not backpay:
        return None
    if facts.decision is Decision.REJECTED:
        return Reason.BACKPAY_REJECTED
    if facts.insurance is Insurance.RES_MEDICAL and facts.determination and facts.determination.amount is None:
        return Reason.DETERMINATION_REQUIRED
    return None


def tier_refusal(rules: PolicyYear, facts: Facts, tier: int | None, *, allowed: bool = True) -> Reason | None:
    """One of the year's tiers, `allowed` where not every one is, and the lowest only for those it is kept for (R11,
    R12)."""
    if tier is None:
        return Reason.TIER_REQUIRED
    known = rules.pension.tier(tier)
    if known is None or not allowed:
        return Reason.TIER_ILLEGAL
    if known.only_for and known.only_for.isdisjoint(facts.categories):
        return Reason.TIER_100_NOT_ALLOWED
    return None


def channel_refusal(rules: PolicyYear, mode: Mode, day: date) -> Reason | None:
    """Agents collect only in their part of the campaign (R25, R38, D23)."""
    if mode is not Mode.AGENT:
        return None
    if day < rules.dates.agent_open:
        return Reason.AGENT_NOT_STARTED
    return Reason.AGENT_WINDOW_CLOSED if day > rules.dates.concentrated_end else None


def _takes_nonlocals(rules: PolicyYear, insurance: Insurance) -> bool:
    return insurance is Insurance.RES_MEDICAL and rules.medical.nonlocals


def _permit_refusal(facts: Facts, day: date) -> Reason | None:
    """A permit counts to its last day; an accompanying child's is that of a parent who must be named (R07, D07)."""
    if facts.residence is Residence.PERMIT_CHILD and not facts.parent_known:
        return Reason.PARENT_UNKNOWN
    return Reason.PERMIT_ENDED if facts.permit_to is not None and facts.permit_to < day else None


def _pension_exclusion(rules: PolicyYear, facts: Facts, day: date) -> Reason | None:
    if facts.employee_insured in _EMPLOYEE_PENSION:
        return Reason.EMPLOYEE_PENSION
    if birthday(facts.birth_date, rules.pension.join_age) > day:
        return Reason.UNDER_16
    if facts.student:
        return Reason.STUDENT
    if birthday(facts.birth_date, rules.pension.due_until_age) <= day and not _missing_years_approved(facts):
        return Reason.PENSION_AGE_REACHED
    if Elsewhere.DRAWING_PENSION in facts.insured_elsewhere:
        return Reason.DRAWING_PENSION
    return Reason.DUP_PENSION_ELSEWHERE if Elsewhere.PENSION_ELSEWHERE in facts.insured_elsewhere else None


def _missing_years_approved(facts: Facts) -> bool:
    # R10: past the age nothing is due for the year, but missing years are HRSS's to decide; its yes must be payable.
    return facts.special_case in BACKPAYS and facts.decision is Decision.APPROVED


def _medical_exclusion(facts: Facts) -> Reason | None:
    if facts.employee_insured in _EMPLOYEE_MEDICAL:
        return Reason.EMPLOYEE_MEDICAL
    if Elsewhere.MEDICAL_OUTSIDE_ZZ in facts.insured_elsewhere:
        return Reason.DUP_OUTSIDE_ZAOZHUANG
    return Reason.DUP_WITHIN_ZAOZHUANG if Elsewhere.MEDICAL_INSIDE_ZZ in facts.insured_elsewhere else None
