"""Whom a rule means, who pays and from when, in the words of the document that a year is told in. Pure."""

from collections.abc import Mapping
from datetime import date

from app.policy.facts import WHOLE_BP
from app.policy.lines import chinese_day
from app.policy.prices import Step
from app.policy.terms import PolicyYear
from app.policy.waits import Starts
from app.policy.who import Who
from app.policy.words import phrases
from core.money import Fen, plain_yuan

Row = tuple[str, ...]
_DAYS = ("born_from", "born_to", "paid_from", "paid_to")


def told_who(who: Who, rules: PolicyYear, *, after: bool = False) -> str:
    """低保，17岁以下的（含17岁）; everybody, or whoever is left `after` the rules before."""
    if who.everybody:
        return phrases("told")["others" if after else "everybody"]
    words, said = phrases("told_who"), []
    if who.groups:
        said.append(_groups(who, rules))
    said += [words[word] for word in (*sorted(who.schools), *sorted(who.residences))]
    if who.from_age is not None or who.to_age is not None:
        pattern = "ages" if who.from_age is not None and who.to_age is not None else _age_named(who)
        said.append(words[pattern].format(low=who.from_age, high=who.to_age))
    said += [words[name].format(day=chinese_day(day)) for name in _DAYS if (day := getattr(who, name))]
    if who.sex:
        said.append(words[who.sex])
    if who.history:
        said.append(words[who.history])
    if who.levels:
        said.append(words["levels"].format(levels="、".join(map(str, sorted(who.levels)))))
    if who.waived is not None:
        said.append(words["waived" if who.waived else "not_waived"])
    return "，".join(said)


def told_group(code: str, rules: PolicyYear) -> str:
    """A group's words: the year's own, or those that most places know."""
    return rules.groups.get(code) or phrases("categories").get(code, code)


def told_groups(codes: frozenset[str], rules: PolicyYear) -> str:
    """特困、低保, in one order always."""
    return "、".join(told_group(code, rules) for code in sorted(codes, key=_place))


def told_step(step: Step, departments: Mapping[str, str]) -> str:
    """民政交全部, by the district's names of its departments."""
    words = phrases("told")
    payer = departments.get(step.payer, step.payer)
    if step.share_bp is not None and step.share_bp < WHOLE_BP:
        return words["share"].format(payer=payer, share=plain_yuan(step.share_bp))
    if step.fixed is not None:
        return words["fixed"].format(payer=payer, amount=plain_yuan(step.fixed))
    if step.leaves:
        return words["leaves"].format(payer=payer, amount=plain_yuan(step.leaves))
    return words["all_of_it"].format(payer=payer)


def told_starts(starts: Starts, rules: PolicyYear) -> str:
    """From when cover runs: 2025年1月1日起, 出生起."""
    return phrases("told")[starts].format(**{"from": chinese_day(rules.dates.benefit_from)})


def told_from(day: date) -> str:
    """2025年1月1日起."""
    return phrases("told")["year"].format(**{"from": chinese_day(day)})


def in_yuan(amount: Fen) -> str:
    """350元."""
    return phrases("told")["yuan"].format(amount=plain_yuan(amount))


def _groups(who: Who, rules: PolicyYear) -> str:
    first = told_groups(who.groups, rules)
    if not who.also:
        return first
    return phrases("told_who")["also"].format(first=first, second=told_groups(who.also, rules))


def _age_named(who: Who) -> str:
    return "from_age" if who.from_age is not None else "to_age"


def _place(code: str) -> tuple[int, str]:
    known = list(phrases("categories"))
    return (known.index(code) if code in known else len(known), code)
