"""A district's own file: its names, telephone and offices. Another district is another file, and no line of code."""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import date
from pathlib import Path
from typing import Any

from config.reading import Reading

FOLDER = Path(__file__).with_name("districts")
PHONE = r"[0-9][0-9 -]{3,18}[0-9]"
_CODE = r"[a-z_]{1,30}"  # as the treasury's file and the book's accounts have it
_MAY_LACK = frozenset({"answer_days", "days_off"})
_LONGEST = 60  # working days; the law gives an office sixty calendar days at most
_NOT_DEPARTMENTS = frozenset({"resident", "sponsor"})  # who pays for himself, and whoever gives


@dataclass(frozen=True)
class District:
    """Who collects. `password_words`: names of the place that make no password. `years`: the folder of its levy years'
    files, in its file a path that starts at the checkout. `departments`: those that pay in residents' place, by the
    code that a year's file says, with the name that people and the treasury's files say. `answer_days`: working days
    within which an office answers what somebody said; `days_off`: holidays, on which none is worked (both may be left
    out of the file)."""

    name: str
    city: str
    tax_office: str
    payee: str
    signature: str
    help_phone: str
    password_words: tuple[str, ...]
    years: Path
    departments: Mapping[str, str]
    answer_days: int = 5
    days_off: frozenset[date] = frozenset()


def whose(read: Reading) -> dict[str, Any]:
    """Who collects, and what an operator may say otherwise."""
    held = _district(read)
    return {
        "district": held,
        "help_phone": read.text("HELP_PHONE", held.help_phone if held else "", shape=PHONE),
        "payee_name": read.text("PAYEE_NAME", held.payee if held else ""),
        "issuer_name": read.text("ISSUER_NAME", held.tax_office if held else ""),
    }


def _district(read: Reading) -> District | None:
    """The district of DISTRICT: a file's name in `config/districts` without its ending, or the path of one; what is
    wrong with it is said to `read`."""
    named = read.text("DISTRICT", "yicheng")
    path = FOLDER / f"{named}.toml" if re.fullmatch(r"[a-z0-9_]+", named) else Path(named)
    try:
        held = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        read.say("DISTRICT", "names no district's file that can be read")
        return None
    found = _of(held, read)
    if found and not re.fullmatch(PHONE, found.help_phone):
        read.say("DISTRICT", "has a help_phone that is no telephone")
    return found


def _of(held: dict[str, object], read: Reading) -> District | None:
    names = {each.name for each in fields(District)}
    wrong = sorted((names ^ set(held)) - _MAY_LACK)
    wrong += [name for name in sorted(names & set(held)) if not _fits(name, held[name])]
    for name in wrong:
        read.say("DISTRICT", f"has in its file {'no such key' if name not in names else 'no usable'}: {name}")
    if wrong:
        return None
    words = held.pop("password_words")
    assert isinstance(words, list)
    years = FOLDER.parents[1] / str(held.pop("years"))
    departments = held.pop("departments")
    assert isinstance(departments, dict)
    answers = {"answer_days": held.pop("answer_days", 5), "days_off": frozenset(held.pop("days_off", []))}  # type: ignore[call-overload]
    told = {name: str(value) for name, value in held.items()}
    return District(**told, **answers, password_words=tuple(words), years=years, departments=departments)


def _fits(name: str, value: object) -> bool:
    if name == "password_words":
        return isinstance(value, list) and all(isinstance(each, str) and each for each in value)
    if name == "answer_days":
        return isinstance(value, int) and 0 < value <= _LONGEST
    if name == "days_off":
        return isinstance(value, list) and all(type(each) is date for each in value)
    if name == "departments":
        return isinstance(value, dict) and _are_departments(value)
    return isinstance(value, str) and bool(value.strip())


def _are_departments(said: dict[str, object]) -> bool:
    """Each by a code of its own and a name of its own, or a file's line could mean two."""
    names = list(said.values())
    named = all(isinstance(name, str) and name == name.strip() != "" for name in names)
    coded = all(re.fullmatch(_CODE, code) and code not in _NOT_DEPARTMENTS for code in said)
    return bool(said) and named and coded and len(set(names)) == len(names)
