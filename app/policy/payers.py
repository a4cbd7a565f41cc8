"""Who pays beside the resident under a year's rules. Pure: the book must have an account for each of them before the
year is collected."""

from collections.abc import Iterable, Iterator

from app.policy.answer import Part
from app.policy.facts import Insurance
from app.policy.prices import Ground
from app.policy.terms import PolicyYear

Payer = tuple[Part, str, str]  # what for, the payer's code in the file, into which fund


def payers(rules: PolicyYear) -> set[Payer]:
    """Everybody whom some rule of the year lets pay."""
    return {*_of_medical(rules), *_of_pension(rules)}


def _of_medical(rules: PolicyYear) -> Iterator[Payer]:
    if medical := rules.has_medical:
        yield Part.GOV_SUBSIDY, medical.subsidy_line.payer, Insurance.RES_MEDICAL
        yield Part.SPONSOR, medical.sponsor_line.payer, Insurance.RES_MEDICAL
        yield from _substitutes(medical.grounds, Insurance.RES_MEDICAL)
        for fund in medical.funds:
            yield from _substitutes(fund.grounds, fund.code)


def _of_pension(rules: PolicyYear) -> Iterator[Payer]:
    if pension := rules.has_pension:
        yield Part.GOV_SUBSIDY, pension.subsidy_line.payer, Insurance.RES_PENSION
        yield from _substitutes(pension.grounds, Insurance.RES_PENSION)
        if pension.bonus:
            yield Part.COUPLE_BONUS, pension.bonus.line.payer, Insurance.RES_PENSION


def _substitutes(grounds: Iterable[Ground], fund: str) -> Iterator[Payer]:
    for ground in grounds:
        for step in ground.steps:
            yield Part.GOV_SUBSTITUTE, step.payer, fund


def givers(rules: PolicyYear) -> dict[str, frozenset[str]]:
    """Category → the departments that pay for it this year: theirs it is to say who belongs to it. One that nobody pays
    for (a grade that only opens a lower tier) is anybody's to say."""
    found: dict[str, set[str]] = {}
    medical, pension = rules.has_medical, rules.has_pension
    beside = [ground for fund in (medical.funds if medical else ()) for ground in fund.grounds]
    for ground in (*(medical.grounds if medical else ()), *beside, *(pension.grounds if pension else ())):
        found.setdefault(ground.code, set()).update(step.payer for step in ground.steps)
    return {code: frozenset(departments) for code, departments in found.items()}
