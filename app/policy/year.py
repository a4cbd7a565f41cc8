"""Loads a policy year: read strictly, proved by its own examples, then kept. No figure of any year stands in code."""

import tomllib
from functools import cache
from pathlib import Path

from app.policy.examples import prove, read_examples
from app.policy.read import read_year
from app.policy.strict import BadPolicyYear, Page
from app.policy.terms import PolicyYear, UnknownChannel
from core.errors import NotFound

__all__ = ["BadPolicyYear", "NoSuchYear", "PolicyYear", "UnknownChannel", "load_year", "load_year_file", "years"]

YEARS = Path(__file__).parent / "years"


class NoSuchYear(NotFound):
    """A levy year without a file."""

    text = "还没有这一年的缴费标准。"


@cache
def load_year(year: int, folder: Path = YEARS) -> PolicyYear:
    """The levy year's rules out of a district's folder, read once. NoSuchYear without a file, BadPolicyYear if the file
    is wrong."""
    path = folder / f"{year}.toml"
    if year not in years(folder):
        raise NoSuchYear(str(year))
    rules = load_year_file(path)
    if rules.year != year:
        raise BadPolicyYear(f"{path.name}.year: is {rules.year}")
    return rules


def load_year_file(path: Path) -> PolicyYear:
    """A year's file, checked and proved by its examples. BadPolicyYear names the wrong key."""
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise BadPolicyYear(f"{path.name}: {error}") from error
    page = Page(values, path.name)
    rules = read_year(page)
    examples = read_examples(page, rules)
    page.done()
    prove(rules, examples)
    return rules


def years(folder: Path = YEARS) -> tuple[int, ...]:
    """The levy years that have a file, in order."""
    return tuple(sorted(int(path.stem) for path in folder.glob("[0-9][0-9][0-9][0-9].toml")))
