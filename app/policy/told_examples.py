"""The worked examples of a year as a person reads them. Pure."""

from collections.abc import Iterator

from app.policy.answer import Eligible, Quote
from app.policy.days import age_on
from app.policy.examples import Example, quoted
from app.policy.facts import FamilyType, Residence, School, SpecialCase
from app.policy.lines import chinese_day
from app.policy.terms import PolicyYear
from app.policy.told_who import Row, told_groups
from app.policy.words import phrases, say
from core.clock import beijing
from core.money import plain_yuan


def example_row(example: Example, rules: PolicyYear) -> Row:
    """What is asked, by whom and when, and the answer; amounts in yuan, empty where there is no price."""
    answer = quoted(rules, example)
    amounts = (answer.total, answer.personal_due, answer.gov_substitute, answer.gov_subsidy)
    at = beijing(example.at)
    return (
        example.title,
        _person(example, rules),
        f"{chinese_day(at.date())}，{phrases('told_channels').get(example.channel, example.channel)}",
        phrases("told")["can"] if answer.eligible is Eligible.YES else say(answer, rules),
        *("" if amount is None else plain_yuan(amount) for amount in amounts),
        _rest(answer),
    )


def _person(example: Example, rules: PolicyYear) -> str:
    return "，".join(said for said in _traits(example, rules) if said)


def _traits(example: Example, rules: PolicyYear) -> Iterator[str]:
    """What of a person differs from everybody else's starting point, in words."""
    words, whom, facts = phrases("told"), phrases("told_who"), example.facts
    years = age_on(facts.birth_date, rules.dates.age_reference)
    born = words["born"].format(day=chinese_day(facts.birth_date), sex=whom[facts.sex])
    yield phrases("names")[facts.insurance]
    yield born + (words["aged"].format(years=years) if years >= 0 else "")
    if facts.residence is not Residence.HUKOU:
        yield whom[facts.residence]
    if facts.school is not School.NONE:
        yield whom[facts.school]
    yield told_groups(facts.categories, rules)
    if facts.family_type is not FamilyType.NONE:
        yield words[facts.family_type]
    if facts.special_case is not SpecialCase.NONE:
        yield words[facts.special_case]
    if facts.determination:
        yield words[facts.determination.decision]
    if facts.enrolled is not None:
        yield words["enrolled"].format(years="、".join(map(str, sorted(facts.enrolled))) or words["no_year"])
    if facts.sponsors:
        yield words["sponsors"].format(many=len(facts.sponsors))
    if example.bought_months:
        yield words["bought"].format(months=example.bought_months)
    if example.tier is not None:
        yield words["tier"].format(tier=plain_yuan(example.tier))
    if example.level is not None:
        yield words["level"].format(level=example.level)


def _rest(answer: Quote) -> str:
    words, said = phrases("told"), []
    if answer.sponsor_share:
        said.append(words["sponsored"].format(amount=plain_yuan(answer.sponsor_share)))
    if answer.couple_bonus:
        said.append(words["bonus_paid"].format(amount=plain_yuan(answer.couple_bonus)))
    if answer.account_credit:
        said.append(words["credit"].format(amount=plain_yuan(answer.account_credit)))
    if answer.waiting_end:
        said.append(words["waited"].format(day=chinese_day(answer.waiting_end)))
    if answer.benefit_start:
        said.append(words["covered"].format(day=chinese_day(answer.benefit_start)))
    return "，".join(said)
