"""Loads a policy year: read strictly, proved by its own examples, then kept. No figure of any year stands in code."""

import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from app.policy.assumed import Assumed, read_assumed
from app.policy.examples import Example, prove, read_examples
from app.policy.read import read_year
from app.policy.strict import BadPolicyYear, Page
from app.policy.terms import PolicyYear, UnknownChannel
from core.errors import NotFound

__all__ = [
    "BadPolicyYear",
    "NoSuchYear",
    "PolicyYear",
    "UnknownChannel",
    "Written",
    "funds_of",
    "load_year",
    "load_year_file",
    "written_file",
    "written_year",
    "years",
]

YEARS = Path(__file__).parent / "years"


class NoSuchYear(NotFound):
    """A levy year without a file."""

    text = "还没有这一年的缴费标准。"


@dataclass(frozen=True)
class Written:
    """A year as its file says it: the rules, the worked examples that proved them, and what is marked as assumed."""

    rules: PolicyYear
    examples: tuple[Example, ...]
    assumed: tuple[Assumed, ...]


def load_year(year: int, folder: Path = YEARS) -> PolicyYear:
    """The levy year's rules out of a district's folder, read once. NoSuchYear without a file, BadPolicyYear if the file
    is wrong."""
    return written_year(year, folder).rules


@cache
def written_year(year: int, folder: Path = YEARS) -> Written:
    """The same with its examples and what is assumed."""
    path = folder / f"{year}.toml"
    if year not in years(folder):
        raise NoSuchYear(str(year))
    written = written_file(path)
    if written.rules.year != year:
        raise BadPolicyYear(f"{path.name}.year: is {written.rules.year}")
    return written


def funds_of(folder: Path) -> Callable[[int], Mapping[str, str]]:
    """A year of this folder → the other funds it collects with a premium, code → name; none without a good file."""

    def funds(year: int) -> Mapping[str, str]:
        try:
            return load_year(year, folder).funds
        except (NoSuchYear, BadPolicyYear):
            return {}

    return funds


def load_year_file(path: Path) -> PolicyYear:
    """A year's file, checked and proved by its examples. BadPolicyYear names the wrong key."""
    return written_file(path).rules


def written_file(path: Path) -> Written:
    """The same with its examples and what is assumed."""
    try:
        text = path.read_text(encoding="utf-8")
        values = tomllib.loads(text)
    except (OSError, ValueError) as error:
        raise BadPolicyYear(f"{path.name}: {error}") from error
    page = Page(values, path.name)
    rules = read_year(page)
    examples = read_examples(page, rules)
    page.done()
    prove(rules, examples)
    return Written(rules, examples, read_assumed(text))


def years(folder: Path = YEARS) -> tuple[int, ...]:
    """The levy years that have a file, in order."""
    return tuple(sorted(int(path.stem) for path in folder.glob("[0-9][0-9][0-9][0-9].toml")))
