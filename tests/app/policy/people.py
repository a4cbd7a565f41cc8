"""People and moments for the tests: an ordinary resident, changed one fact at a time."""

from dataclasses import replace
from datetime import date, datetime

from app.policy.facts import Decision, Determination, Employment, Facts, Insurance, Residence, Sex
from app.policy.quote import Quote, quote
from app.policy.year import load_year
from core.clock import BEIJING

RULES = load_year(2022)
APPROVED, REJECTED = Determination(Decision.APPROVED), Determination(Decision.REJECTED)
SUBSIDIES = {100: 30, 300: 30, 500: 60, 600: 60, 800: 80, 1000: 80, 1500: 80, 2000: 80, 2500: 80, 3000: 80}
SUBSIDIES |= {4000: 80, 5000: 80}
ORDINARY = Facts(
    insurance=Insurance.RES_MEDICAL,
    birth_date=date(1985, 6, 15),
    sex=Sex.M,
    residence=Residence.HUKOU,
    permit_to=None,
    parent_known=False,
    registered=True,
    alive=True,
    categories=frozenset(),
    student=False,
    employee_insured=Employment.NONE,
    insured_elsewhere=frozenset(),
    already_paid=False,
)


def when(text: str) -> datetime:
    """'2021-11-05 10:00' on a Beijing clock."""
    return datetime.fromisoformat(text).replace(tzinfo=BEIJING)


def medical(at: str = "2021-11-05 10:00", channel: str = "self", **facts: object) -> Quote:
    """The medical quote of an ordinary resident with some facts changed."""
    return quote(RULES, replace(ORDINARY, **facts), at=when(at), channel=channel, tier=None)


def pension(tier: int | None = 30000, at: str = "2021-11-05 10:00", channel: str = "self", **facts: object) -> Quote:
    """The pension quote of an ordinary resident with some facts changed; the tier in fen."""
    person = replace(ORDINARY, insurance=Insurance.RES_PENSION, **facts)
    return quote(RULES, person, at=when(at), channel=channel, tier=tier)


def lines(quoted: Quote) -> dict[tuple[str, str], int]:
    """Part and payer of each line → fen."""
    return {(line.part.value, line.payer): line.amount for line in quoted.lines}
