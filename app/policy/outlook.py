"""What would change an answer: an age ahead, a last day, a step to take. Picks the sentence; `words.py` says it."""

from collections.abc import Callable
from datetime import timedelta

from app.policy.answer import Eligible, PriceBasis, Quote, Reason
from app.policy.days import birthday
from app.policy.facts import Facts, FamilyType, Insurance, Sex, SpecialCase
from app.policy.lines import chinese_day
from app.policy.prices import Charge
from app.policy.terms import PolicyYear
from app.policy.windows import newborn_last_day
from core.money import plain_yuan

Filled = dict[str, object] | None


def prospect(quoted: Quote, facts: Facts, rules: PolicyYear) -> tuple[str, dict[str, object]] | None:
    """The name of the first sentence of `[outlook]` that fits, with the places only it knows."""
    for name, fits in _PROSPECTS:
        filled = fits(quoted, facts, rules)
        if filled is not None:
            return name, filled
    return None


def _newborn(quoted: Quote, facts: Facts, rules: PolicyYear) -> Filled:
    if quoted.reason_code is not Reason.LATE_FULL_PRICE or facts.special_case is not SpecialCase.NONE:
        return None
    last = newborn_last_day(rules, facts.birth_date)
    return {"newborn_end": chinese_day(last)} if quoted.day <= last else None


def _short_cover(quoted: Quote, facts: Facts, rules: PolicyYear) -> Filled:
    if quoted.price_basis is not PriceBasis.LATE or quoted.benefit_start is None:
        return None
    days = ((quoted.benefit_end or rules.dates.benefit_to) - quoted.benefit_start).days + 1
    return {"cover_days": max(days, 0)} if days < rules.medical.short_cover_days else None  # a gap may outlast the year


def _bonus_pending(quoted: Quote, facts: Facts, rules: PolicyYear) -> Filled:
    return {} if quoted.bonus_pending else None


def _age_ahead(quoted: Quote, facts: Facts, rules: PolicyYear) -> Filled:
    """Next year's help by age, at this year's figures; nothing for those who already have as much."""
    if not _pays(quoted, Insurance.RES_MEDICAL) or quoted.price_basis is PriceBasis.SPECIAL:
        return None
    medical = rules.medical
    asked = rules.asked(quoted.day, level=quoted.level)
    now, personal = rules.ground(medical.grounds, facts, asked), medical.price(facts, asked).personal
    next_reference = birthday(rules.dates.age_reference, 1)
    for ground in medical.grounds:
        if not ground.who.aged or not ground.who.fits(facts, asked._replace(reference=next_reference)):
            continue
        due = ground.leaves(personal)
        if now is not None and now.leaves(personal) <= due:
            return None
        due += quoted.for_funds
        return {"age": ground.who.from_age, "due": f"只交 {plain_yuan(due)} 元" if due else "不用交"}
    return None


def _bonus_ahead(quoted: Quote, facts: Facts, rules: PolicyYear) -> Filled:
    if quoted.eligible is not Eligible.YES or quoted.couple_bonus != 0 or facts.family_type is FamilyType.NONE:
        return None
    wife_born = facts.birth_date if facts.sex is Sex.F else facts.spouse_birth
    if quoted.reason_code is Reason.BACKPAY_APPROVED or wife_born is None:
        return None
    next_reference = birthday(rules.dates.age_reference, 1)
    bonus = rules.pension.bonus
    return {} if bonus and birthday(wife_born, bonus.wife_age) <= next_reference else None


def _deadline(quoted: Quote, facts: Facts, rules: PolicyYear) -> Filled:
    """Where late payers pay the whole price, theirs, and wait; elsewhere they wait, and `late_waits` says so."""
    late = rules.medical.late_for_all if _in_time(quoted) else None
    if late is None or late.wait is None or late.charge is not Charge.TOTAL:
        return None
    price = rules.medical.price(facts, rules.asked(quoted.day, level=quoted.level))
    return {"late_amount": plain_yuan(price.total + quoted.for_funds)}


def _late_waits(quoted: Quote, facts: Facts, rules: PolicyYear) -> Filled:
    waits = [late.wait for late in rules.medical.late if late.wait] if _in_time(quoted) else []
    if not waits:
        return None
    return {"waits": "几个月" if waits[-1].whole_months else f"{waits[-1].days}天"}


def _in_time(quoted: Quote) -> bool:
    return _pays(quoted, Insurance.RES_MEDICAL) and quoted.price_basis is PriceBasis.NORMAL


def _join_age_ahead(quoted: Quote, facts: Facts, rules: PolicyYear) -> Filled:
    if quoted.reason_code is not Reason.UNDER_16 or facts.student:
        return None
    joins = birthday(facts.birth_date, rules.pension.join_age)
    return {"join_day": chinese_day(joins)} if joins <= rules.pension.calendar.last else None


def _after_school(quoted: Quote, facts: Facts, rules: PolicyYear) -> Filled:
    return {} if quoted.reason_code is Reason.STUDENT else None


def _pay_oneself(quoted: Quote, facts: Facts, rules: PolicyYear) -> Filled:
    return {} if quoted.reason_code is Reason.AGENT_NOT_STARTED else None


def _left_employer(quoted: Quote, facts: Facts, rules: PolicyYear) -> Filled:
    return {} if quoted.reason_code in (Reason.EMPLOYEE_MEDICAL, Reason.EMPLOYEE_PENSION) else None


def _opens(quoted: Quote, facts: Facts, rules: PolicyYear) -> Filled:
    if quoted.reason_code is not Reason.WINDOW_NOT_OPEN:
        return None
    pension = quoted.insurance is Insurance.RES_PENSION
    opens = rules.pension.calendar.opens if pension else rules.dates.self_open
    return {"days_left": (opens - quoted.day) // timedelta(days=1)}


def _pays(quoted: Quote, insurance: Insurance) -> bool:
    return quoted.insurance is insurance and bool(quoted.personal_due)


_PROSPECTS: tuple[tuple[str, Callable[[Quote, Facts, PolicyYear], Filled]], ...] = (
    ("newborn", _newborn),
    ("short_cover", _short_cover),
    ("bonus_pending", _bonus_pending),
    ("age_ahead", _age_ahead),
    ("bonus_ahead", _bonus_ahead),
    ("deadline", _deadline),
    ("late_waits", _late_waits),
    ("join_age_ahead", _join_age_ahead),
    ("after_school", _after_school),
    ("pay_oneself", _pay_oneself),
    ("left_employer", _left_employer),
    ("opens", _opens),
)
