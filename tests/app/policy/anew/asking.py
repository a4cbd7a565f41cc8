"""What is asked of a year's file, whom its rules mean, and the counting of days, ages and months."""

from calendar import monthrange
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from app.policy.facts import Facts

BACKPAYS = ("policy_backpay", "interrupted_backpay")
Table = dict[str, Any]  # a table of a year's file


@dataclass(frozen=True)
class Asking:
    """One person, one moment's Beijing day and what was chosen, put to one file."""

    file: Table
    facts: Facts
    day: date
    channel: str
    tier: int | None
    level: int | None
    bought: int

    @property
    def pension(self) -> bool:
        return self.facts.insurance == "RES_PENSION"

    @property
    def room(self) -> Table:
        """The insurance's own table, empty where the place does not have it."""
        return self.file.get("pension" if self.pension else "medical", {})

    @property
    def dates(self) -> dict[str, date]:
        return self.file["dates"]

    @property
    def calendar(self) -> dict[str, date]:
        """The pension's days: its own, or the year's."""
        dates = self.dates
        years = {"opens": dates["self_open"], "normal_end": dates["normal_price_end"]}
        return self.room.get("calendar", years | {"last": dates["pension_out_of_window_end"]})

    @property
    def backpay(self) -> bool:
        return self.facts.special_case in BACKPAYS or (self.pension and self.day > self.calendar["last"])

    @property
    def newborn(self) -> bool:
        return not self.pension and self.facts.special_case == "newborn"

    @property
    def decided(self) -> str:
        """The bureau's word on the special case, or on a late waiver where there is none."""
        return self.facts.determination.decision if self.facts.determination else "no"

    @property
    def amount(self) -> int | None:
        """What the bureau determined."""
        return self.facts.determination.amount if self.facts.determination else None

    @property
    def history(self) -> str:
        """Nobody has a gap that nobody knows of."""
        if self.facts.enrolled is None or self.file["year"] - 1 in self.facts.enrolled:
            return "unbroken"
        return "gap" if any(year < self.file["year"] for year in self.facts.enrolled) else "never"

    @property
    def missed(self) -> int:
        """Years without, right before this one, since the last one with."""
        if self.history != "gap":
            return 0
        year = self.file["year"] - 1
        while year not in self.facts.enrolled:
            year -= 1
        return self.file["year"] - 1 - year

    def aged(self, years: int, on: date) -> bool:
        """On the birthday itself; born on 29 February: on 1 March."""
        born = self.facts.birth_date
        return (on.year - born.year, on.month, on.day) >= (years, born.month, born.day)


# Whom a rule means: every key that it names must hold.
WHO = {
    "groups": lambda said, c, waived: bool(set(said) & c.facts.categories),
    "also": lambda said, c, waived: bool(set(said) & c.facts.categories),
    "schools": lambda said, c, waived: c.facts.school in said,
    "residences": lambda said, c, waived: c.facts.residence in said,
    "levels": lambda said, c, waived: c.level in said,
    "from_age": lambda said, c, waived: c.aged(said, c.dates["age_reference"]),
    "to_age": lambda said, c, waived: not c.aged(said + 1, c.dates["age_reference"]),
    "born_from": lambda said, c, waived: c.facts.birth_date >= said,
    "born_to": lambda said, c, waived: c.facts.birth_date <= said,
    "paid_from": lambda said, c, waived: c.day >= said,
    "paid_to": lambda said, c, waived: c.day <= said,
    "sex": lambda said, c, waived: c.facts.sex == said,
    "history": lambda said, c, waived: c.history == said,
    "waived": lambda said, c, waived: said == waived,
}


def first(rules: list[Table], asking: Asking, *, waived: bool = False) -> Table | None:
    """The first of a list of rules that means the person."""
    for rule in rules:
        if all(WHO[key](said, asking, waived) for key, said in rule.get("who", {}).items()):
            return rule
    return None


def ground_of(grounds: list[Table], asking: Asking) -> Table | None:
    """For what the government pays: whom `who` names, else an age, else the group that the code is."""
    for ground in grounds:
        age = {"from_age": ground["from_age"]} if "from_age" in ground else {"groups": [ground["code"]]}
        if first([{"who": ground.get("who", age)}], asking):
            return ground
    return None


def helped(ground: Table | None, personal: int, otherwise: int = 0) -> int:
    """What the payers of a ground pay together of a person's own part; `otherwise`: where it names no sum."""
    paid = 0
    for step in [ground, *ground.get("then", [])] if ground else []:
        left = personal - paid
        if "share_bp" in step:
            paid += min(left, share(personal, step["share_bp"]))
        elif "leaves" in step:
            paid += max(left - step["leaves"], 0)
        else:
            paid += min(left, step.get("fixed", otherwise))
    return paid


def share(amount: int, basis_points: int) -> int:
    """Half a fen is rounded up."""
    return (2 * amount * basis_points + 10_000) // 20_000


def later(day: date, months: int) -> date:
    """The same day so many months on, or that month's last."""
    number = day.year * 12 + day.month - 1 + months
    year, month = number // 12, number % 12 + 1
    return date(year, month, min(day.day, monthrange(year, month)[1]))


def eve(day: date) -> date:
    """The day before."""
    return day - timedelta(days=1)
