"""What is odd about a year's file that is good all the same: told to whoever writes it, never a reason to refuse it.
Pure."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from app.policy.answer import Reason
from app.policy.clauses import used
from app.policy.figures import contradicting, unworded
from app.policy.lines import chinese_day
from app.policy.prices import Charge, Medical
from app.policy.refunds import TERMS
from app.policy.shown import unshown
from app.policy.terms import Mode, PolicyYear
from app.policy.tiers import Pension
from app.policy.told import value_words
from app.policy.words import phrases
from app.policy.year import Written
from core.clock import business_day
from core.money import plain_yuan

_OF_REFUNDS = sorted({term.clause for term in TERMS.values()})


@dataclass(frozen=True)
class Remark:
    """Where in the file, and what a person should look at there, in plain Chinese."""

    place: str
    words: str


def remarks(written: Written) -> list[Remark]:
    """Everything that is worth a look, what is assumed last."""
    rules, words = written.rules, phrases("remarks")
    found = [*_days(rules)]
    for number, amount in contradicting(rules):
        found.append(Remark(f"clauses.{number}", words["contradicts"].format(amount=plain_yuan(amount))))
    for place, amount in unworded(rules):
        found.append(Remark(place, words["unworded"].format(amount=plain_yuan(amount))))
    found += [Remark(f"clauses.{number}", words["unnamed"]) for number in _unnamed(rules)]
    found += [Remark(f"clauses.{number}", words["wordless"]) for number in _OF_REFUNDS if number not in rules.clauses]
    if reasons := _baseless(rules):
        found.append(Remark("behind", words["baseless"].format(reasons="、".join(reasons))))
    found += [Remark(place, words["unshown"].format(whom=whom)) for place, whom in unshown(written)]
    for each in written.assumed:
        pattern = words["assumed_why" if each.why else "assumed"]
        found.append(Remark(each.place, pattern.format(written=value_words(each), why=each.why)))
    return found


_BEFORE, _SAME, _AFTER = (-1, 0), (0,), (0, 1)  # the years, counted from the levy's, in which a day belongs
_BELONGS = {
    "age_reference": _BEFORE,
    "self_open": _BEFORE,
    "agent_open": _BEFORE,
    "concentrated_end": _BEFORE,
    "normal_price_end": _BEFORE,
    "sponsors_end": _BEFORE,
    "late_end": _SAME,
    "pension_out_of_window_end": _SAME,
    "benefit_from": _BEFORE,  # of students from September
    "benefit_to": _AFTER,
}


def _days(rules: PolicyYear) -> Iterator[Remark]:
    for place, day, years in _placed(rules):
        if day.year - rules.year not in years:
            belongs = "、".join(str(rules.year + each) for each in years)
            yield Remark(place, phrases("remarks")["day"].format(day=chinese_day(day), years=belongs))


def _placed(rules: PolicyYear) -> Iterator[tuple[str, date, tuple[int, ...]]]:
    """Each day with its place and the years in which it belongs."""
    yield "source.printed", rules.source.printed, _BEFORE
    for name, years in _BELONGS.items():
        yield f"dates.{name}", getattr(rules.dates, name), years
    yield "campaign.receipts_until", business_day(rules.campaign.receipts_until), _BEFORE
    if rules.campaign.closing_until:
        yield "campaign.closing_until", rules.campaign.closing_until, _BEFORE
    if medical := rules.has_medical:
        for at, window in enumerate(medical.windows):
            yield f"medical.windows[{at}].begins", window.begins or rules.dates.benefit_from, _BEFORE
            yield f"medical.windows[{at}].ends", window.ends or rules.dates.benefit_to, _AFTER
        for at, late in enumerate(medical.late):
            yield f"medical.late[{at}].until", late.until, _SAME
    if pension := rules.has_pension:
        yield "pension.calendar.opens", pension.calendar.opens, _BEFORE
        yield "pension.calendar.normal_end", pension.calendar.normal_end, _BEFORE
        yield "pension.calendar.last", pension.calendar.last, _SAME


def _unnamed(rules: PolicyYear) -> list[str]:
    """Clauses that no line, no answer and no ground of a refund names."""
    rooms = [room for room in (rules.has_medical, rules.has_pension) if room]
    named = {*used(rooms), *(number for cited in rules.behind.values() for number in cited), *_OF_REFUNDS}
    return [number for number in rules.clauses if number not in named]


def _baseless(rules: PolicyYear) -> list[Reason]:
    """Answers that the year can give, without a line of their own and without an entry in `behind`."""
    given = set(_refusals(rules))
    if rules.has_medical:
        given |= set(_of_medical(rules.has_medical))
    if rules.has_pension:
        given |= set(_of_pension(rules.has_pension))
    return [reason for reason in Reason if reason in given and reason not in rules.behind]


def _refusals(rules: PolicyYear) -> Iterator[Reason]:
    if rules.has_pension or not (rules.has_medical and rules.has_medical.nonlocals):
        yield Reason.NOT_RESIDENT
    yield from (Reason.PARENT_UNKNOWN, Reason.PERMIT_ENDED, Reason.NOT_REGISTERED)
    yield from (Reason.ALREADY_PAID, Reason.WINDOW_NOT_OPEN, Reason.OK_RESIDENCE_PERMIT)
    yield from (Reason.BACKPAY_REJECTED, Reason.DETERMINATION_REQUIRED)
    if Mode.AGENT in rules.channels.values():
        yield from (Reason.AGENT_NOT_STARTED, Reason.AGENT_WINDOW_CLOSED)
    if rules.campaign.agents_by_roster:
        yield from (Reason.AGENT_NO_ROSTER, Reason.AGENT_NOT_LISTED)


def _of_medical(medical: Medical) -> Iterator[Reason]:
    yield from (Reason.EMPLOYEE_MEDICAL, Reason.DUP_OUTSIDE_ZAOZHUANG, Reason.DUP_WITHIN_ZAOZHUANG)
    yield Reason.LATE_WINDOW_CLOSED
    if medical.levels:
        yield Reason.LEVEL_ILLEGAL
    if any(late.decided for late in medical.late):
        yield Reason.LATE_WAIVER_REVIEW
    if medical.late_line == medical.personal_line:
        charges = {late.charge for late in medical.late if late.wait}
        yield from (Reason.LATE_FULL_PRICE for charge in charges if charge is Charge.TOTAL)
        yield from (Reason.LATE_WAITING for charge in charges if charge is not Charge.TOTAL)
    if medical.newborn and medical.newborn_line == medical.personal_line:
        yield Reason.NEWBORN_OK
    if medical.backpay_line == medical.personal_line:
        yield Reason.BACKPAY_APPROVED


def _of_pension(pension: Pension) -> Iterator[Reason]:
    yield from (Reason.EMPLOYEE_PENSION, Reason.UNDER_16, Reason.STUDENT, Reason.PENSION_AGE_REACHED)
    yield from (Reason.DRAWING_PENSION, Reason.DUP_PENSION_ELSEWHERE, Reason.TIER_REQUIRED, Reason.TIER_ILLEGAL)
    if pension.kept_words:
        yield Reason.TIER_100_NOT_ALLOWED
    if pension.calendar.last > pension.calendar.normal_end:
        yield Reason.OK_OUT_OF_WINDOW
    if pension.backpay_line == pension.personal_line:
        yield Reason.BACKPAY_APPROVED
