"""Runs a table of worked cases (CSV) against a policy year and names every output that differs."""

import csv
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import NamedTuple, TypeVar

from app.policy.answer import Quote
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
from app.policy.quote import accepts, quote
from app.policy.terms import PolicyYear
from app.policy.worked import AMOUNTS, OUTPUTS, output, sponsors_of
from core.clock import BEIJING
from core.errors import BadInput
from core.money import Fen, fen, yuan

_INSURANCES = {"medical": Insurance.RES_MEDICAL, "pension": Insurance.RES_PENSION}
_FLAGS = {"Y": True, "N": False}
_BACKPAYS = ("policy_backpay", "interrupted_backpay")
_NO_TIER = -1  # an amount that is not even written like money: never a tier
_COLUMNS = frozenset(
    (
        "case_id",
        "insurance",
        "levy_year",
        "birth_date",
        "sex",
        "household",
        "registered",
        "alive",
        "categories",
        "student",
        "employee_insured",
        "insured_elsewhere",
        "family_type",
        "spouse_birth",
        "already_paid",
        "channel",
        "paid_at",
        "tier",
        "special_case",
        "determination",
        "sponsor_rule",
        "tendered",
        "accept_payment",
    )
) | set(OUTPUTS)


_EXTRA = ("level", "school", "history", "bought_months", "other_funds")  # a table may leave them out

Value = TypeVar("Value")


class BadCaseTable(BadInput):
    """A table that cannot be read: a column is missing or a value is not of its list."""

    text = "案例表的格式不对，请对照说明检查。"


class Question(NamedTuple):
    """What a case asks; the moment is aware, the tier in fen."""

    facts: Facts
    at: datetime
    channel: str
    tier: Fen | None
    level: int | None
    bought_months: int


@dataclass(frozen=True)
class Difference:
    """One output that did not come true; both values as the table writes them, empty for nothing."""

    case: str
    column: str
    expected: str
    got: str

    def __str__(self) -> str:
        return f"{self.case} {self.column}: expected {self.expected or '(empty)'}, got {self.got or '(empty)'}"


def differences(path: Path, rules: PolicyYear) -> tuple[int, list[Difference]]:
    """How many cases the table holds, and every output that differs. BadCaseTable if it cannot be read.

    A case of another levy year is a difference in `levy_year`, unless it back-pays that year under these rules; so is a
    group or a value of a list that the year does not know, in its column."""
    found: list[Difference] = []
    count = 0
    for row in _rows(path):
        count += 1
        found += _compare(row, rules)
    return count, found


def questions(path: Path, rules: PolicyYear) -> Iterator[Question]:
    """What each case of a table asks, without those whose channel or group the year does not know. BadCaseTable."""
    for row in _rows(path):
        if not {"categories", "channel"} & {column for column, _, _ in _unknown(row, rules)}:
            yield _question(row)


def _rows(path: Path) -> Iterator[Mapping[str, str]]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file, restval="", strict=True)
            missing = _COLUMNS - set(reader.fieldnames or ())
            if missing:
                raise BadCaseTable(f"{path.name}: no column {', '.join(sorted(missing))}")
            none = dict.fromkeys(_EXTRA, "")
            yield from (none | row for row in reader)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise BadCaseTable(f"{path.name}: {error}") from error


def _compare(row: Mapping[str, str], rules: PolicyYear) -> Iterator[Difference]:
    case = row["case_id"]
    unknown = next(_unknown(row, rules), None)
    if unknown:
        yield Difference(case, *unknown)
        return
    asked = _question(row)
    quoted = quote(
        rules,
        asked.facts,
        at=asked.at,
        channel=asked.channel,
        tier=asked.tier,
        level=asked.level,
        bought_months=asked.bought_months,
    )
    tendered, funds = _amount(row, "tendered"), _amount(row, "other_funds")
    if funds is not None and funds != (got := sum(fund.amount for fund in quoted.funds)):
        yield Difference(case, "other_funds", yuan(funds), yuan(got))
    for column, got in (*_outputs(quoted), ("accept_payment", _accepted(quoted, tendered))):
        expected = _normal(column, row[column])
        if expected != got:
            yield Difference(case, column, expected, got)


def _question(row: Mapping[str, str]) -> Question:
    try:
        return Question(
            _facts(row, int(row["levy_year"])),
            _at(row),
            row["channel"],
            _tier(row["tier"]),
            int(row["level"]) if row["level"] else None,
            int(row["bought_months"] or 0),
        )
    except (ValueError, BadInput) as error:
        raise BadCaseTable(f"{row['case_id']}: {error}") from error


def _amount(row: Mapping[str, str], column: str) -> Fen | None:
    try:
        return fen(row[column]) if row[column] else None
    except ValueError as error:
        raise BadCaseTable(f"{row['case_id']} {column}: {error}") from error


def _unknown(row: Mapping[str, str], rules: PolicyYear) -> Iterator[tuple[str, str, str]]:
    """What of a case the year knows nothing of: (column, said, what the year has)."""
    if not row["levy_year"].isdecimal():
        raise BadCaseTable(f"{row['case_id']} levy_year: {row['levy_year']!r} is no year")
    year = int(row["levy_year"])
    if year != rules.year and (year > rules.year or row["special_case"] not in _BACKPAYS):
        yield "levy_year", row["levy_year"], str(rules.year)
    if row["channel"] not in rules.channels:
        yield "channel", row["channel"], "unknown to the year"
    groups = {*Category, *rules.groups}
    for code in _several(row, "categories", "|"):
        if code not in groups:
            yield "categories", code, "unknown to the year"


def _outputs(quoted: Quote) -> Iterator[tuple[str, str]]:
    for column in OUTPUTS:
        value = output(quoted, column)
        if value is None:
            yield column, ""
        else:
            yield column, yuan(value) if column in AMOUNTS and isinstance(value, int) else str(value)


def _accepted(quoted: Quote, tendered: Fen | None) -> str:
    if tendered is None:
        return "NA"
    return "Y" if accepts(quoted, tendered) else "N"


def _normal(column: str, text: str) -> str:
    """320, 320.0 and 320.00 are one amount; anything else is compared as it is written."""
    try:
        return yuan(fen(text)) if column in AMOUNTS and text else text
    except ValueError:
        return text


def _facts(row: Mapping[str, str], year: int) -> Facts:
    decided = row["determination"]
    return Facts(
        insurance=_one(row, "insurance", _INSURANCES),
        birth_date=date.fromisoformat(row["birth_date"]),
        sex=Sex(row["sex"]),
        residence=Residence(row["household"]),
        permit_to=None,
        parent_known=True,  # the cases know no permit that has ended
        registered=_one(row, "registered", _FLAGS),
        alive=_one(row, "alive", _FLAGS),
        categories=frozenset(_several(row, "categories", "|")),
        student=_one(row, "student", _FLAGS),
        employee_insured=Employment(row["employee_insured"] or "none"),
        insured_elsewhere=frozenset(map(Elsewhere, _several(row, "insured_elsewhere", "|"))),
        already_paid=_one(row, "already_paid", _FLAGS),
        family_type=FamilyType(row["family_type"] or "none"),
        spouse_birth=date.fromisoformat(row["spouse_birth"]) if row["spouse_birth"] else None,
        special_case=SpecialCase(row["special_case"] or "none"),
        determination=None if decided in ("", "none") else Determination(Decision(decided), years=(year,)),
        sponsors=sponsors_of(_several(row, "sponsor_rule", ";")),
        school=School(row["school"] or "none"),
        enrolled=frozenset(map(int, row["history"].split("|"))) if row["history"] else None,
    )


def _several(row: Mapping[str, str], column: str, between: str) -> list[str]:
    """What stands in a column that may name several; 'none' is none."""
    return [each for text in row[column].split(between) if (each := text.strip()) not in ("", "none")]


def _at(row: Mapping[str, str]) -> datetime:
    """Business time on a Beijing clock unless the table gives a zone."""
    moment = datetime.fromisoformat(row["paid_at"])
    return moment if moment.tzinfo else moment.replace(tzinfo=BEIJING)


def _tier(text: str) -> Fen | None:
    try:
        return fen(text) if text else None
    except ValueError:
        return _NO_TIER


def _one(row: Mapping[str, str], column: str, values: Mapping[str, Value]) -> Value:
    if row[column] not in values:
        raise ValueError(f"{column}: {row[column]!r} is none of {', '.join(values)}")
    return values[row[column]]
