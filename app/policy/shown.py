"""Which prices, windows, late terms and newborn stages no worked example of a year shows. Pure."""

from collections.abc import Iterator

from app.policy.answer import Eligible, PriceBasis, Quote, Reason
from app.policy.examples import Example, quoted
from app.policy.facts import BACKPAYS, Insurance
from app.policy.terms import PolicyYear
from app.policy.told_medical import medical_rows
from app.policy.windows import Case, case_of, late_of, newborn_stage, window_of
from app.policy.year import Written


def unshown(written: Written) -> Iterator[tuple[str, str]]:
    """(place, whom it means in words) of each that no example shows."""
    rules, medical = written.rules, written.rules.has_medical
    if medical is None:
        return
    shown = [_shown(example, rules) for example in written.examples]
    ways: dict[str, tuple[object, ...]] = {
        "prices": (*medical.prices, medical.base),
        "windows": medical.windows,
        "late": medical.late,
        "newborn": medical.newborn,
    }
    told = medical_rows(rules, medical, {})
    for key, each in ways.items():
        for at, way in enumerate(each):
            if not any(way is seen for seen_here in shown for seen in seen_here):
                place = "medical" if way is medical.base else f"medical.{key}[{at}]"
                yield place, told[key][at][0]


def _shown(example: Example, rules: PolicyYear) -> list[object]:
    """The price, and the stage, late terms or window that an example is answered by."""
    answer = quoted(rules, example)
    if example.facts.insurance is not Insurance.RES_MEDICAL or example.facts.special_case in BACKPAYS:
        return []
    case = case_of(rules, example.facts, answer.day, answer.level or example.level, example.bought_months)
    if answer.reason_code is Reason.LATE_WAIVER_REVIEW:
        return [late_of(case)]
    return [case.price, _way(case, answer)] if answer.eligible is Eligible.YES else []


def _way(case: Case, answer: Quote) -> object:
    if (stage := newborn_stage(case)) is not None:
        return stage
    return window_of(case) if answer.price_basis is PriceBasis.NORMAL else late_of(case)
