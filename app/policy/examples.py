"""A year's worked examples: read, quoted, compared on every output. A year that its own examples refute is refused."""

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import TypeVar

from app.policy.answer import Eligible, Quote, Reason
from app.policy.facts import (
    Category,
    Decision,
    Determination,
    Elsewhere,
    Employment,
    Facts,
    FamilyType,
    Insurance,
    Residence,
    School,
    Sex,
    SpecialCase,
)
from app.policy.quote import quote
from app.policy.read_who import codes
from app.policy.strict import BadPolicyYear, Page
from app.policy.terms import PolicyYear
from app.policy.tiers import Pension
from app.policy.worked import AMOUNTS, OUTPUTS, output, sponsors_of
from core.money import Fen

Word = TypeVar("Word", bound=StrEnum)


@dataclass(frozen=True)
class Example:
    """One worked example and its place in the file. `expect`: output → fen, date or text; not named: nothing."""

    place: str
    title: str
    facts: Facts
    at: datetime
    channel: str
    tier: Fen | None
    level: int | None
    bought_months: int
    expect: dict[str, object]


def read_examples(page: Page, rules: PolicyYear) -> tuple[Example, ...]:
    """The tables `person` and `examples`; BadPolicyYear names a wrong key."""
    person = page.page("person")
    return tuple(_example(each.over(person), rules) for each in page.pages("examples"))


def prove(rules: PolicyYear, examples: tuple[Example, ...]) -> None:
    """Every example comes true, and every tier, band, category and the bonus has one; else BadPolicyYear."""
    shown: set[object] = set()
    for example in examples:
        answer = quoted(rules, example)
        _compare(example, answer)
        if answer.eligible is Eligible.YES and answer.reason_code is not Reason.BACKPAY_APPROVED:
            shown |= _shown(example, answer)
    for wanted, place in _wanted(rules):
        if wanted not in shown:
            raise BadPolicyYear(f"{place}: no worked example shows it")


def quoted(rules: PolicyYear, example: Example) -> Quote:
    """What the rules answer to an example."""
    return quote(
        rules,
        example.facts,
        at=example.at,
        channel=example.channel,
        tier=example.tier,
        level=example.level,
        bought_months=example.bought_months,
    )


def _compare(example: Example, answer: Quote) -> None:
    for column in OUTPUTS:
        got, expected = output(answer, column), example.expect.get(column)
        if (got or None) != (expected or None):
            raise BadPolicyYear(f"{example.place} ({example.title}): {column} is {got}, expected {expected}")


def _shown(example: Example, answer: Quote) -> set[object]:
    categories = example.facts.categories
    alone = next(iter(categories)) if len(categories) == 1 else None
    bonus = {"bonus"} if answer.couple_bonus else set()
    return {("tier", answer.tier), (answer.insurance, answer.ground), ("kept", answer.tier, alone), *bonus}


def _wanted(rules: PolicyYear) -> list[tuple[object, str]]:
    wanted: list[tuple[object, str]] = []
    if rules.has_medical:
        wanted += [
            ((Insurance.RES_MEDICAL, ground.code), f"medical.grounds {ground.code}")
            for ground in rules.has_medical.grounds
        ]
    if rules.has_pension:
        wanted += _wanted_of(rules.has_pension)
    return wanted


def _wanted_of(pension: Pension) -> list[tuple[object, str]]:
    wanted: list[tuple[object, str]] = [(("tier", tier), f"pension.tiers {tier}") for tier in pension.tiers]
    if pension.bonus:
        wanted.append(("bonus", "pension.bonus"))
    wanted += [
        (("kept", tier.amount, category), f"pension.kept {category}")
        for tier in pension.tiers.values()
        for category in sorted(tier.only_for)
    ]
    wanted += [
        ((Insurance.RES_PENSION, ground.code), f"pension.substitute.grounds {ground.code}")
        for ground in pension.grounds
    ]
    return wanted


def _example(page: Page, rules: PolicyYear) -> Example:
    example = Example(
        place=page.place,
        title=page.text("title"),
        facts=_facts(page, rules),
        at=page.moment("at"),
        channel=page.text("channel"),
        tier=page.whole("tier") if page.has("tier") else None,
        level=page.whole("level") if page.has("level") else None,
        bought_months=page.whole("bought_months") if page.has("bought_months") else 0,
        expect=_expect(page.page("expect")),
    )
    page.done()
    return example


def _expect(page: Page) -> dict[str, object]:
    expect: dict[str, object] = {}
    for column in OUTPUTS:
        if not page.has(column):
            continue
        if column in AMOUNTS:
            expect[column] = page.whole(column)
        elif column in ("waiting_end", "benefit_start"):
            expect[column] = page.day(column)
        else:
            expect[column] = page.text(column)
    page.done()
    return expect


def _facts(page: Page, rules: PolicyYear) -> Facts:
    decided = page.text("determination")
    try:
        sponsors = sponsors_of(page.texts("sponsors"))
    except ValueError as error:
        raise page.wrong("sponsors", str(error)) from error
    return Facts(
        insurance=_word(page, "insurance", Insurance),
        birth_date=page.day("birth_date"),
        sex=_word(page, "sex", Sex),
        residence=_word(page, "residence", Residence),
        permit_to=_optional_day(page, "permit_to"),
        parent_known=page.flag("parent_known"),
        registered=page.flag("registered"),
        alive=page.flag("alive"),
        categories=codes(page, "categories", {**dict.fromkeys(Category, ""), **rules.groups}),
        student=page.flag("student"),
        employee_insured=_word(page, "employee_insured", Employment),
        insured_elsewhere=frozenset(_words(page, "insured_elsewhere", Elsewhere)),
        already_paid=page.flag("already_paid"),
        family_type=_word(page, "family_type", FamilyType),
        spouse_birth=_optional_day(page, "spouse_birth"),
        special_case=_word(page, "special_case", SpecialCase),
        determination=None
        if decided == "none"
        else Determination(_known(page, "determination", Decision, decided), years=(rules.year,)),
        sponsors=sponsors,
        school=_word(page, "school", School) if page.has("school") else School.NONE,
        enrolled=frozenset(page.wholes("enrolled")) if page.has("enrolled") else None,
    )


def _optional_day(page: Page, key: str) -> date | None:
    return page.day(key) if page.has(key) else None


def _word(page: Page, key: str, words: type[Word]) -> Word:
    return _known(page, key, words, page.text(key))


def _words(page: Page, key: str, words: type[Word]) -> list[Word]:
    return [_known(page, key, words, text) for text in page.texts(key)]


def _known(page: Page, key: str, words: type[Word], text: str) -> Word:
    if text not in set(words):
        raise page.wrong(key, f"no such word: {text}")
    return words(text)
