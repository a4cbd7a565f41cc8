"""How the lines of both insurances are written, so that clause, evidence and brackets come from the year's file."""

from collections.abc import Sequence
from datetime import date

from app.policy.answer import Line, Part
from app.policy.days import age_on
from app.policy.facts import Facts, Insurance, SponsorMode, SponsorRule
from app.policy.prices import LineTerms, Step
from app.policy.terms import PolicyYear
from core.money import Fen, plain_yuan


def line(part: Part, fund: str, amount: Fen, terms: LineTerms) -> Line:
    """A line whose payer, clause and evidence are the same for everybody."""
    return Line(part, terms.payer, fund, amount, terms.clause, terms.evidence, terms.note)


def government_lines(
    rules: PolicyYear, facts: Facts, paid: Sequence[tuple[Step, Fen]], fund: str | None = None
) -> list[Line]:
    """The government's payments in the person's place, into the insurance's own fund or another: by the list, or by the
    age on the reference date."""
    return [
        Line(
            Part.GOV_SUBSTITUTE,
            step.payer,
            fund or facts.insurance,
            amount,
            step.clause,
            aged(step.evidence, facts.birth_date, rules.dates.age_reference),
            step.note,
        )
        for step, amount in paid
    ]


def sponsor_line(sponsor: SponsorRule, fund: Insurance, amount: Fen, terms: LineTerms) -> Line:
    """What one sponsor pays, with the promise it comes from."""
    evidence = terms.evidence.format(sponsor=sponsor.name, promise=_promise(sponsor))
    return Line(
        Part.SPONSOR, f"{terms.payer}:{sponsor.code}", fund, amount, terms.clause, evidence, terms.note or sponsor.name
    )


def aged(evidence: str, born: date, day: date) -> str:
    """Fills {on} and {age}: '2021年12月31日满65周岁'."""
    return evidence.format(on=chinese_day(day), age=age_on(born, day))


def chinese_day(day: date) -> str:
    """2021年12月31日."""
    return f"{day.year}年{day.month}月{day.day}日"


def _promise(sponsor: SponsorRule) -> str:
    match sponsor.mode:
        case SponsorMode.ALL:
            return "全额"
        case SponsorMode.PCT:
            return f"{plain_yuan(sponsor.value)}%"  # basis points read like fen: two places behind the point
        case SponsorMode.FIX:
            return f"{plain_yuan(sponsor.value)}元"
