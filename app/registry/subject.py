"""A person with everything the rules ask for, for one levy year or another."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from datetime import date, datetime
from typing import Any, NamedTuple, TypeVar

from app.registry.determinations import OPEN

MOST_KEPT = 16
Reckoned = TypeVar("Reckoned")


@dataclass(frozen=True, slots=True)
class Standing:
    """How a person stands in one insurance: registration, schemes, categories; the year's bill, if there is one, and
    that by which its tier is raised; the bureau's words of the year; and what is to be paid for former years, beside
    the year's premium."""

    registered: bool
    employee_insured: bool
    insured_elsewhere: frozenset[str]
    categories: frozenset[str]
    last_tier: int | None
    bill: Mapping[str, Any] | None
    determinations: Mapping[str, Mapping[str, Any]]  # the latest of each kind: id, state, amount, years, benefit_start
    backpays: Sequence[Mapping[str, Any]]  # determinations of back-payments, open or approved, each with its `bill`
    rise: Mapping[str, Any] | None = None  # the bill of the difference to a higher tier, paid or not

    @property
    def paid_tier(self) -> int | None:
        """The pension tier that is paid for the year, the raised one if it was raised; fen."""
        bills = (bill for bill in (self.rise, self.bill) if bill is not None and bill["state"] == "settled")
        return next((bill["tier"] for bill in bills), None)


class Pledged(NamedTuple):
    """A pledge as it stands for one person: `own` fen are spoken for by his bill, `room` is left (as much as counts).
    The order of the fields is that of app/registry/facts.sql."""

    id: int
    levy_year: int
    insurance: str
    mode: str
    value: int
    covers_late: bool
    shown: str
    from_day: str
    until_day: str
    category: str | None
    from_age: int | None
    to_age: int | None
    own: int
    room: int


@dataclass(frozen=True, slots=True)
class Recorded:
    """In which levy years somebody had the medical insurance: as the bureau's file `said` (None: it says nothing), as
    was `paid` here, as the bureau `recognised` when it was asked."""

    said: frozenset[int] | None
    paid: frozenset[int]
    recognised: frozenset[int]

    @property
    def years(self) -> frozenset[int] | None:
        """All of them. None: nobody has said in which he had not, so no gap is seen between those that are known."""
        return None if self.said is None else self.said | self.paid | self.recognised


@dataclass(frozen=True, slots=True)
class InYear:
    """What the register says of a person for one levy year."""

    residence: str
    student: bool
    school: str
    family_type: str
    spouse_birth: date | None
    permit_to: date | None
    recorded: Recorded
    standing: Mapping[str, Standing]
    pledges: tuple[Pledged, ...] = ()  # of sponsors, in the order of registration
    listed: Mapping[str, bool] = field(
        default_factory=dict
    )  # insurance whose roster is in force in his village: on it?


@dataclass(frozen=True, slots=True)
class Subject:
    """A person with everything the rules ask for, as it is for `levy_year`; `in_year` is the same person for another
    one. `name` is in clear: mask it before it leaves for other eyes."""

    id: int
    household_id: int
    village_code: str
    village: str
    town: str
    name: str
    phone_sealed: bytes | None
    id_masked: str
    birth_date: date
    sex: int
    residence: str
    alive: bool
    student: bool
    school: str
    is_migrant: bool
    relation_to_head: str
    household_number: str
    family_type: str
    spouse_birth: date | None
    permit_to: date | None  # of the residence permit that counts: an accompanying child's is the parent's
    parent_known: bool
    recorded: Recorded
    standing: Mapping[str, Standing]
    levy_year: int
    years: Mapping[int, InYear]  # of each year that was asked about
    conflicts: Mapping[str, str] = field(default_factory=dict)  # insurance of which nothing is billed → who decides
    called_dead: Mapping[str, tuple[str, str]] = field(default_factory=dict)  # of these, where it is whether he lives:
    # insurance → the conflict's kind, who decides
    said_dead: bool = False  # somebody told an office that he died, and it has not answered
    unhelped: Mapping[str, str] = field(default_factory=dict)  # insurance → why his row of a list is not done
    pledges: tuple[Pledged, ...] = ()  # that may mean him
    listed: Mapping[str, bool] = field(
        default_factory=dict
    )  # insurance whose roster is in force in his village: on it?
    restricted_at: datetime | None = None  # his name then is RESTRICTED, for whoever may not see it
    _reckoned: dict[object, Any] = field(default_factory=dict, init=False, compare=False, repr=False)

    def once(self, asked: object, reckon: Callable[[], Reckoned]) -> Reckoned:
        """What is reckoned of these facts alone and of what is `asked`, kept with them; a changed copy has nothing."""
        found: Reckoned | None = self._reckoned.get(asked)
        if found is None:
            if len(self._reckoned) >= MOST_KEPT:
                self._reckoned.clear()
            found = self._reckoned[asked] = reckon()
        return found

    @property
    def last_tier(self) -> int | None:
        """The pension tier he paid last before this year, in fen: here, else what the bureau's file says. A file that
        was carried over into a new year tells of the year before that."""
        before = self.years.get(self.levy_year - 1)
        paid = before.standing["RES_PENSION"].paid_tier if before else None
        return paid or self.standing["RES_PENSION"].last_tier

    @property
    def asked_bureaus(self) -> int:
        """How many applications of his bureaus have not answered."""
        standings = [standing for own in self.years.values() for standing in own.standing.values()]
        asked = [each for standing in standings for each in standing.determinations.values()]
        return len({each["id"] for each in asked if each["state"] in OPEN})

    @property
    def has_open_bill(self) -> bool:
        """Of any year that was asked about: no payment of his waits for its payer otherwise."""
        return any(
            bill is not None and bill["state"] == "open"
            for said in self.years.values()
            for standing in said.standing.values()
            for bill in (standing.bill, standing.rise, *(backpay["bill"] for backpay in standing.backpays))
        )

    def in_year(self, year: int) -> "Subject":
        """This person for another one of `years`."""
        if year == self.levy_year:
            return self
        said = self.years[year]
        return replace(self, levy_year=year, **{each.name: getattr(said, each.name) for each in fields(InYear)})
