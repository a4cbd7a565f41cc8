"""What everybody owes for which levy year, reckoned without the code of the rules: two notices as they are printed, and
what the season itself has let bureaus, departments and the police say of people."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import NamedTuple

MEDICAL, PENSION = "RES_MEDICAL", "RES_PENSION"


HALF_A_YEAR = 180  # days; the season's children are weeks old


class Item(NamedTuple):
    """One premium somebody may pay; the tier in fen for a pension."""

    person: int
    insurance: str
    year: int
    tier: int | None = None


Shares = Mapping[Item, Mapping[int, int]]  # what each pledge pays of it, fen


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
GROUNDS: Mapping[str, str] = {  # who pays the resident's part of whom, the first that fits (the notices' order)
    "TEKUN": "civil",
    "DIBAO": "civil",
    "POVERTY": "rural",
    "DIS1": "cdpf",
    "DIS2": "cdpf",
}
PENSION_SUBSIDY = ((800_00, 80_00), (500_00, 60_00), (0, 30_00))  # from this tier on


class Try(NamedTuple):
    """Somebody started to pay between two moments; what each item must cost then, None: it cannot be paid; and what
    once he is through: a former code of his let a share go perhaps. `given`: what sponsors pay of each then."""

    began: int
    ended: int
    owed: dict[Item, int | None]
    after: dict[Item, int | None]
    given: Shares
    given_after: Shares


def less(owed: Mapping[Item, int | None], given: Shares) -> dict[Item, int | None]:
    """What is left for the residents."""
    return {item: None if fen is None else fen - sum(given.get(item, {}).values()) for item, fen in owed.items()}


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
    helped: dict[tuple[int, int], set[tuple[int, str]]] = field(default_factory=dict)  # (year, person): list, category
    dead: set[int] = field(default_factory=set)  # by the police's word, as long as it counts
    disputed: dict[int, list[frozenset[str]]] = field(default_factory=dict)  # the insurances of each open conflict
    elsewhere: set[tuple[int, str, int]] = field(default_factory=set)  # person, insurance, year: paid in another place
    newborns: dict[int, date] = field(default_factory=dict)  # registered as such by the bureau, and when they were born
    payers: list[tuple[int, int, int, str | None]] = field(default_factory=list)  # since when, year, person, department

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
        if item.person in self.dead or item[:3] in self.elsewhere:
            return None
        if any(item.insurance in each for each in self.disputed.get(item.person, ())):
            return None
        if item.insurance == PENSION:
            return item.tier if item.person in self.grown and on <= notice.pension_until else None
        if item.person in self.ended.get(item.year, ()) or on > notice.late_until:
            return None
        poor = self.payer(item.year, item.person) is not None
        if on <= notice.normal_until:
            return 0 if poor else notice.own
        if poor:
            return 0 if item.person in self.spared.get(item.year, ()) else None
        return notice.own if self._is_newborn(item, on) else notice.whole

    def _is_newborn(self, item: Item, on: date) -> bool:
        """Born in the year itself, and not half a year old (R50)."""
        born = self.newborns.get(item.person)
        return born is not None and born.year == item.year and (on - born).days <= HALF_A_YEAR

    def categories(self, year: int, person: int) -> set[str]:
        """As the register and all lists say."""
        given = {code for _, code in self.helped.get((year, person), ())}
        return given | ({"DIBAO"} if person in self.listed.get(year, ()) else set())

    def payer(self, year: int, person: int) -> str | None:
        """The department in whose charge the resident's part is; None: his own."""
        said = self.categories(year, person)
        return next((payer for code, payer in GROUNDS.items() if code in said), None)

    def gives(self, year: int, person: int, batch: int, codes: set[str], since: int) -> None:
        """A list gives somebody categories."""
        self.helped.setdefault((year, person), set()).update((batch, code) for code in codes)
        self.payers.append((since, year, person, self.payer(year, person)))

    def takes_back(self, year: int, person: int, batch: int, since: int) -> None:
        """What this list gave him goes."""
        self.helped[year, person] = {each for each in self.helped.get((year, person), ()) if each[0] != batch}
        self.payers.append((since, year, person, self.payer(year, person)))

    def payer_at(self, year: int, person: int, micros: int) -> set[str | None]:
        """Who paid his part then; both, in the very moment of a change."""
        said = [(since, payer) for since, of, who, payer in self.payers if (of, who) == (year, person)]
        before = [payer for since, payer in said if since < micros]
        now = [payer for since, payer in said if since == micros]
        first = "civil" if person in self.listed.get(year, ()) else None
        return {before[-1] if before else first, *now}
