"""On what terms somebody comes to the medical insurance: as a newborn, in the window, or after it; from when he is
covered, and until when these terms hold (R21–R24, D25–D28)."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from app.policy.answer import PriceBasis, Reason
from app.policy.days import moment_after, months_after
from app.policy.facts import BY_PERMIT, Decision, Facts, SpecialCase
from app.policy.prices import Charge, Ground, Late, LineTerms, Newborn, Price, Window
from app.policy.terms import PolicyYear
from app.policy.waits import Starts
from app.policy.who import Asked, missed_years


@dataclass(slots=True)
class Terms:
    """On what terms somebody comes; `reason` is the code if something is left to pay, `last_day` the window's."""

    basis: PriceBasis
    reason: Reason
    personal_line: LineTerms
    benefit_start: date
    last_day: date
    until: datetime
    charge: Charge = Charge.PERSONAL
    waiting_end: date | None = None
    benefit_end: date | None = None
    bought_months: int = 0
    gap_months: int = 0


@dataclass(slots=True)
class Case:
    """One person and one asking, and what was found out on the way."""

    rules: PolicyYear
    facts: Facts
    asked: Asked
    price: Price
    ground: Ground | None
    bought_months: int

    @property
    def day(self) -> date:
        """The Beijing day of asking."""
        return self.asked.day

    @property
    def waived(self) -> bool:
        """Would nothing be left to pay in time?"""
        return self.ground is not None and not self.ground.leaves(self.price.personal)

    @property
    def known(self) -> Asked:
        """What is asked for, with whether nothing would be left to pay."""
        return self.asked._replace(waived=self.waived)


def newborn_last_day(rules: PolicyYear, born: date) -> date:
    """The last day of a newborn's price: the same day some months on, or that month's last day (D28); or so many days
    after the birth. The day before the birth in a year without one."""
    stages = rules.medical.newborn
    return _last_day_of(stages[0], born, rules.dates.benefit_to) if stages else born - timedelta(days=1)


def _last_day_of(stage: Newborn, born: date, benefit_to: date) -> date:
    """Never later than the last day that buys a day of cover (D27)."""
    last = months_after(born, stage.months) if stage.months else born + timedelta(days=stage.days)
    return min(last, stage.starts.last_day(benefit_to))


def case_of(rules: PolicyYear, facts: Facts, day: date, level: int | None, bought_months: int) -> Case:
    """Price and ground of one person."""
    asked = rules.asked(day, level=level)
    ground = rules.ground(rules.medical.grounds, facts, asked)
    return Case(rules, facts, asked, rules.medical.price(facts, asked), ground, bought_months)


def terms_of(case: Case) -> Terms | Reason:
    """On what terms the person comes, or why he has to wait for somebody's word."""
    if (stage := newborn_stage(case)) is not None:
        return _newborn_terms(case, stage)
    if case.day <= case.rules.dates.normal_price_end:
        return _in_window(case)
    return _after_window(case)


def newborn_stage(case: Case) -> Newborn | None:
    """The stage that a newborn comes in; None for anybody else, and for one that is too old."""
    facts = case.facts
    if facts.special_case is not SpecialCase.NEWBORN or facts.decision is not Decision.APPROVED:
        return None
    if facts.birth_date > case.rules.dates.benefit_to:
        return None
    stages, ends = case.rules.medical.newborn, case.rules.dates.benefit_to
    return next((stage for stage in stages if case.day <= _last_day_of(stage, facts.birth_date, ends)), None)


def _newborn_terms(case: Case, stage: Newborn) -> Terms:
    dates = case.rules.dates
    last = _last_day_of(stage, case.facts.birth_date, dates.benefit_to)
    start = max(_first_day(case, stage.starts), dates.benefit_from)  # what was before belongs to the year before
    until = max(moment_after(last), dates.normal_until)  # an older child still has the normal price until its end
    line_terms = case.rules.medical.newborn_line
    return Terms(PriceBasis.SPECIAL, Reason.NEWBORN_OK, line_terms, start, last, until)


def window_of(case: Case) -> Window | None:
    """The part of the window that means the person, the first that does; None where none has a first day of its own."""
    return next((each for each in case.rules.medical.windows if each.who.fits(case.facts, case.known)), None)


def _in_window(case: Case) -> Terms:
    dates, medical = case.rules.dates, case.rules.medical
    window = window_of(case)
    start = (window and window.begins) or _first_day(case, window.starts if window else Starts.YEAR)
    waiting_end, bought, added = None, 0, 0
    if medical.gap and medical.gap.in_window and (missed := missed_years(case.facts, case.rules.year)):
        fixed = next((late.wait.whole_months for late in medical.late if late.who.everybody and late.wait), 0)
        bought = medical.gap.bought(missed, case.bought_months)
        added = fixed + medical.gap.left(missed, case.bought_months, fixed)
        start = months_after(start, added)
        waiting_end = start - timedelta(days=1)
    return Terms(
        PriceBasis.NORMAL,
        _ok(case.facts),
        medical.personal_line,
        start,
        dates.normal_price_end,
        dates.normal_until,
        waiting_end=waiting_end,
        benefit_end=window.ends if window else None,
        bought_months=bought,
        gap_months=added,
    )


def _after_window(case: Case) -> Terms | Reason:
    found = late_of(case)
    if found is None or not found.decided or _late_waiver(case.facts) is not None:
        return Reason.LATE_WINDOW_CLOSED if found is None else _late_terms(case, found)
    # Nobody who should pay less is charged the late price because a list missed a row (D25, R47).
    open_ = case.day <= case.rules.dates.late_end
    return Reason.LATE_WAIVER_REVIEW if open_ else Reason.LATE_WINDOW_CLOSED


def late_of(case: Case) -> Late | None:
    """The first of the year's terms for late payers that means the person, but for those that the bureau denied him."""
    for late in case.rules.medical.late:
        denied = late.decided and _late_waiver(case.facts) is Decision.REJECTED
        if late.who.fits(case.facts, case.known) and not denied:
            return late
    return None


def _late_waiver(facts: Facts) -> Decision | None:
    # A decision on a newborn says nothing on the waiver.
    return facts.decision if facts.special_case is SpecialCase.NONE else facts.late_waiver


def _late_terms(case: Case, late: Late) -> Terms | Reason:
    medical = case.rules.medical
    if late.wait is None:
        until = moment_after(late.until)
        start = _first_day(case, late.starts)
        basis, reason = PriceBasis.SPECIAL, _ok(case.facts)
        return Terms(basis, reason, medical.personal_line, start, late.until, until, charge=late.charge)
    missed = missed_years(case.facts, case.rules.year) if medical.gap else 0
    more = medical.gap.left(missed, case.bought_months, late.wait.whole_months) if medical.gap else 0
    start = late.wait.start(case.day, more)
    if late.charge is Charge.MONTHS_LEFT and start > case.rules.dates.benefit_to:
        return Reason.LATE_WINDOW_CLOSED  # no month of cover is left to be paid
    full = late.charge is Charge.TOTAL
    return Terms(
        PriceBasis.LATE,
        Reason.LATE_FULL_PRICE if full else Reason.LATE_WAITING,
        medical.late_line,
        start,
        late.until,
        moment_after(late.until),
        charge=late.charge,
        waiting_end=start - timedelta(days=1),
        bought_months=medical.gap.bought(missed, case.bought_months) if medical.gap else 0,
        gap_months=more,
    )


def _first_day(case: Case, starts: Starts) -> date:
    match starts:
        case Starts.YEAR:
            return case.rules.dates.benefit_from
        case Starts.PAYMENT:
            return case.day
        case Starts.NEXT_MONTH:
            return months_after(case.day.replace(day=1), 1)
        case Starts.BIRTH:
            return max(case.facts.birth_date, case.rules.dates.benefit_from)


def _ok(facts: Facts) -> Reason:
    return Reason.OK_RESIDENCE_PERMIT if facts.residence in BY_PERMIT else Reason.OK
