"""Every year's file that there is, as the program reads it and as it stands; and people and moments near its edges."""

import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import cache
from pathlib import Path
from random import Random
from typing import Any, TypeVar

from app.policy.examples import Example
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
    SponsorMode,
    SponsorRule,
)
from app.policy.terms import PolicyYear
from app.policy.year import YEARS, written_file
from core.clock import BEIJING
from tests.app.policy.anew.asking import WHO, later

HERE = Path(__file__).parent
PATHS = [*sorted(YEARS.glob("*.toml")), *sorted((HERE / "places").glob("*.toml")), HERE / "every_shape.toml"]
NAMES = [path.stem for path in PATHS]
DAY = timedelta(days=1)
Thing = TypeVar("Thing")
AGES = ("from_age", "to_age", "join_age", "due_until_age", "wife_age")


@dataclass(frozen=True)
class File:
    """One file: `rules` as the program has them, `text` as it stands; what its rules turn on."""

    rules: PolicyYear
    examples: tuple[Example, ...]
    text: dict[str, Any]
    days: tuple[date, ...]
    ages: tuple[int, ...]
    tiers: tuple[int | None, ...]
    levels: tuple[int | None, ...]
    groups: tuple[str, ...]  # those that a rule of the file names
    turns: dict[str, set[Any]]  # key of `who` → what the medical insurance says there


@cache
def file_of(name: str) -> File:
    """The file of that name."""
    path = PATHS[NAMES.index(name)]
    written, text = written_file(path), tomllib.loads(path.read_text(encoding="utf-8"))
    said = list(_said({key: text[key] for key in ("dates", "medical", "pension") if key in text}))
    pension = text.get("pension", {})
    bounds = pension.get("between", {}).values()
    tiers = [near for tier in (*pension.get("tiers", []), *bounds) for near in (tier, tier, tier + 100, tier + 50)]
    tiers += [edge for band in pension.get("subsidy_bands", []) for edge in (band["from"], band["from"] - 100)]
    tiers += 6 * pension.get("tiers", [])
    return File(
        rules=written.rules,
        examples=written.examples,
        text=text,
        days=tuple(sorted({value for _, value in said if type(value) is date})),
        ages=tuple(sorted({value for key, value in said if key in AGES} | {0, 1, 40})),
        tiers=(None, -1, 0, *tiers),
        levels=(*9 * [None], *3 * text.get("medical", {}).get("levels", []), 9),
        turns={key: {said for name, said in _said(text.get("medical", {})) if name == key} for key in WHO},
        groups=tuple(sorted({str(value) for _, value in said if value in {*Category, *written.rules.groups}})),
    )


def _said(value: object, key: str = "") -> Iterator[tuple[str, object]]:
    """Every key of a table and of those inside it, with what stands there."""
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from _said(inner, name)
    elif isinstance(value, list):
        for inner in value:
            yield from _said(inner, key)
    else:
        yield key, value


def usually(chance: Random, usual: Thing, *others: Thing) -> Thing:
    """Mostly the usual fact, so that most people get as far as a price."""
    return chance.choice(others) if chance.random() < 0.03 else usual


def some(chance: Random, things: Sequence[Thing], most: int) -> frozenset[Thing]:
    """Up to so many different ones."""
    return frozenset(chance.sample(list(things), min(chance.randint(0, most), len(things))))


def moment(file: File, chance: Random, born: date) -> datetime:
    """Around a day that the file names or a newborn's price ends on, or anywhere while something is open."""
    opens, ends = file.text["dates"]["self_open"], file.text["dates"]["benefit_to"]
    stages = file.text.get("medical", {}).get("newborn", [])
    turns = [later(born, stage["months"]) if "months" in stage else born + DAY * stage["days"] for stage in stages]
    day = chance.choice((*file.days, *6 * turns)) + DAY * chance.randint(-1, 1)
    if chance.random() < 0.5 or not opens - 30 * DAY <= day <= ends + 30 * DAY:
        day = opens + DAY * chance.randint(-10, (ends - opens).days + 10)
    return datetime.combine(day, chance.choice((time(0, 0), time(10, 0), time(23, 59, 59, 999999))), BEIJING)


def birth(file: File, chance: Random) -> date:
    """Around an age on the day where ages count or on one that ends something; a newborn; anybody."""
    starts, ends = file.text["dates"]["benefit_from"], file.text["dates"]["benefit_to"]
    kind = chance.random()
    if kind < 0.4:
        turn = chance.choice((*file.days, *3 * [file.text["dates"]["age_reference"]]))
        turn = turn - DAY if (turn.month, turn.day) == (2, 29) else turn
        return turn.replace(year=turn.year - chance.choice(file.ages) - chance.randint(0, 1)) + DAY * chance.randint(
            -1, 1
        )
    if kind < 0.5:
        return starts + DAY * chance.randint(-400, (ends - starts).days + 5)
    if kind < 0.55:
        return date(chance.choice((1952, 1964, 2004)), 2, 29)
    return date(1930, 1, 1) + DAY * chance.randint(0, (ends - date(1930, 1, 1)).days)


def sponsors(chance: Random) -> tuple[SponsorRule, ...]:
    """Three who pay in three ways, some of them late too."""
    found = [SponsorRule(SponsorMode.ALL, "A", "甲村", covers_late=chance.random() < 0.5)]
    found += [SponsorRule(SponsorMode.PCT, "B", "乙社", chance.randint(0, 10000), chance.random() < 0.5)]
    found += [SponsorRule(SponsorMode.FIX, "C", "丙厂", chance.randint(0, 50000))]
    return tuple(chance.sample(found, chance.randint(1, 3)))


def determination(chance: Random) -> Determination:
    """A bureau's word, with an amount or without."""
    decision = chance.choice((Decision.APPROVED, Decision.APPROVED, Decision.REJECTED))
    amount = chance.choice((None, chance.randint(1, 900000)))
    return Determination(decision, amount, chance.choice(((), (2020,), (2019, 2020))))


def person(file: File, chance: Random) -> Facts:
    """Somebody whom the file's rules may tell apart."""
    year = file.rules.year
    groups = chance.choice((file.groups, file.groups, tuple(Category)))
    special = usually(chance, SpecialCase.NONE, *SpecialCase)
    born = birth(file, chance)
    if born.year >= year - 1 and chance.random() < 0.6:
        special = SpecialCase.NEWBORN
    return Facts(
        insurance=chance.choice([each for each in Insurance if file.rules.offers(each)]),
        birth_date=born,
        sex=chance.choice(tuple(Sex)),
        residence=usually(chance, usually(chance, Residence.HUKOU, *Residence), *Residence),
        permit_to=usually(chance, None, *file.days),
        parent_known=usually(chance, True, False),
        registered=usually(chance, True, False),
        alive=usually(chance, True, False),
        categories=chance.choice((frozenset(), some(chance, groups, 1), some(chance, groups, 3))),
        student=usually(chance, False, True),
        employee_insured=usually(chance, Employment.NONE, *Employment),
        insured_elsewhere=usually(chance, frozenset(), some(chance, tuple(Elsewhere), 2)),
        already_paid=usually(chance, False, True),
        family_type=chance.choice(tuple(FamilyType)),
        spouse_birth=chance.choice((None, birth(file, chance))),
        special_case=special,
        determination=determination(chance) if special is not SpecialCase.NONE or chance.random() < 0.5 else None,
        late_waiver=chance.choice((None, *Decision)),
        sponsors=sponsors(chance) if chance.random() < 0.2 else (),
        school=chance.choice((*3 * [School.NONE], *School)),
        enrolled=chance.choice((None, some(chance, range(year - 9, year + 1), 3), frozenset({year - 1}))),
    )


def channel(chance: Random) -> str:
    """Mostly oneself."""
    return chance.choice((*8 * ["self"], "agent", "ccb_pos", "dept_batch"))
