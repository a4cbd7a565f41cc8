"""What everybody owes for which levy year, reckoned without the code of the rules: two notices as they are printed, and
what the season itself has let the bureaus say of people."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import NamedTuple

MEDICAL, PENSION = "RES_MEDICAL", "RES_PENSION"


class Item(NamedTuple):
    """One premium somebody may pay; the tier in fen for a pension."""

    person: int
    insurance: str
    year: int
    tier: int | None = None


class Notice(NamedTuple):
    """A year's notice. `own` and `whole`: the medical premium, the resident's part and all of it, in fen."""

    own: int
    whole: int
    opens: date
    normal_until: date
    late_until: date
    pension_until: date


NOTICES: Mapping[int, Notice] = {
    2022: Notice(
        *(320_00, 900_00, date(2021, 10, 1), date(2021, 12, 31), date(2022, 11, 30), date(2022, 12, 31)),
    ),
    2023: Notice(
        *(350_00, 960_00, date(2022, 10, 1), date(2022, 12, 31), date(2023, 11, 30), date(2023, 12, 31)),
    ),
}
PENSION_SUBSIDY = ((800_00, 80_00), (500_00, 60_00), (0, 30_00))  # from this tier on


def whole(item: Item) -> int:
    """What goes into the item's fund, whoever pays it."""
    if item.insurance == MEDICAL:
        return NOTICES[item.year].whole
    assert item.tier is not None
    return item.tier + next(subsidy for least, subsidy in PENSION_SUBSIDY if item.tier >= least)


@dataclass
class Owed:
    """`grown` have a pension to pay. By year: who stands on a list of those the government pays for, whose medical
    enrolment ended, whom the bureau spares the late price."""

    grown: frozenset[int]
    listed: dict[int, set[int]]
    ended: dict[int, set[int]] = field(default_factory=dict)
    spared: dict[int, set[int]] = field(default_factory=dict)
    open: set[int] = field(default_factory=lambda: {2022})

    def opens(self, year: int) -> None:
        """The new year begins with what was said of the last; from then on each is told of by itself."""
        self.listed[year] = set(self.listed[year - 1])
        self.ended[year] = set(self.ended.get(year - 1, ()))
        self.open.add(year)

    def fen(self, item: Item, on: date) -> int | None:
        """The resident's part on a day; None: it cannot be paid then."""
        notice = NOTICES[item.year]
        if item.year not in self.open or on < notice.opens:
            return None
        if item.insurance == PENSION:
            return item.tier if item.person in self.grown and on <= notice.pension_until else None
        if item.person in self.ended.get(item.year, ()) or on > notice.late_until:
            return None
        poor = item.person in self.listed[item.year]
        if on <= notice.normal_until:
            return 0 if poor else notice.own
        if poor:
            return 0 if item.person in self.spared.get(item.year, ()) else None
        return notice.whole
