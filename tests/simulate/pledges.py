"""What sponsors' money pays, reckoned from what was played: the promises as they were entered, the bank's rows as they
were written, the gateways' own lists, and who starts, pays and gets back. Of the system it hears only how far a payment
or a bill is; every fen is our own."""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import TYPE_CHECKING, NamedTuple

from tests.simulate.owed import MEDICAL, NOTICES, Item, Shares
from tests.simulate.seeded import SECOND

if TYPE_CHECKING:
    from tests.simulate.season import Season


@dataclass
class Pledge:
    """A promise as it was entered. `value`: basis points of PCT, fen of FIX; `banked`: fen by the bank's serial;
    `codes`: numbers of payments that somebody began for it, with their gateways."""

    id: int
    number: str
    year: int
    mode: str
    value: int
    budget: int
    village: str | None
    category: str | None
    named: frozenset[int]
    since: date
    agreed: bool = False
    ended: bool = False
    banked: dict[str, int] = field(default_factory=dict)
    codes: dict[str, str] = field(default_factory=dict)

    def share(self, left: int) -> int:
        """What it pays of what is left, half up."""
        if self.mode == "ALL":
            return left
        return min(left, self.value) if self.mode == "FIX" else (left * self.value * 2 + 10_000) // 20_000


class Bill(NamedTuple):
    """Somebody's medical premium that is settled or being paid: when it was started or settled, and whose place it took
    (`former`)."""

    id: int
    item: Item
    personal_due: int
    is_settled: bool
    moments: tuple[int, ...]
    former: int | None


class Spoken(NamedTuple):
    """Of each pledge what payments under way hold, what settled bills had of it, and who has how much."""

    reserved: Counter[int]
    used: Counter[int]
    own: Counter[tuple[int, int]]


class Purse:
    """All sponsors' money as it must be at this moment."""

    def __init__(self, season: "Season") -> None:
        self.season, self.stage, self.owed = season, season.stage, season.owed
        self.pledges: list[Pledge] = []
        self._known: dict[int, Mapping[int, int]] = {}  # by bill: fen by pledge

    def shares(self, owed: Mapping[Item, int | None], on: date, *, apart: bool = False) -> Shares:
        """What each pledge pays of these items, in one wish in this order, or (`apart`) of each by itself."""
        if not self.pledges:
            return {}
        spoken, given, found = self.spoken(), Counter[int](), dict[Item, dict[int, int]]()
        rooms = {one.id: self._room(one, spoken) for one in self.pledges}
        for item, fen in owed.items():
            if item.insurance != MEDICAL or not fen or on > NOTICES[item.year].normal_until:
                continue
            left = fen
            for one in self.pledges:
                share, mine = one.share(left), spoken.own[one.id, item.person]
                if share and self._means(one, item, on, mine) and share <= mine + rooms[one.id] - given[one.id]:
                    left -= share
                    found.setdefault(item, {})[one.id] = share
                    given[one.id] += 0 if apart else max(share - mine, 0)
        return found

    def spoken(self) -> Spoken:
        """Who holds what now."""
        return added_up((bill, self.of_bill(bill)) for bill in self.bills(_HELD, ()))

    def of_bill(self, bill: Bill) -> Mapping[int, int]:
        """What each pledge pays of a bill: as it was reckoned when somebody started to pay it."""
        if bill.id not in self._known:
            said = list(fitting(bill, [*self._when_begun(bill), *self._when_replaced(bill), *self._of_no_price(bill)]))
            if not said:
                return {}  # he pays something else than he must: judged by itself (prices.py)
            self._known[bill.id] = said[0]
        return self._known[bill.id]

    def bills(self, which: str, values: Sequence[object]) -> list[Bill]:
        """Those that somebody pays or has paid."""
        rows = self.stage.eye.execute(_BILLS + which, values or None).fetchall()
        return [
            Bill(
                row.id,
                Item(row.person_id, MEDICAL, row.levy_year, row.tier),
                row.personal_due,
                row.state == "settled",
                tuple(map(_micros, (*row.started, *([row.settled_at] if row.settled_at else [])))),
                row.former,
            )
            for row in rows
        ]

    def came(self, one: Pledge) -> int:
        """What came in: the bank's rows, and what the gateways say was paid for codes of which the system has heard."""
        states = dict(map(tuple, self.stage.eye.execute(_STATES, (list(one.codes),)).fetchall()))
        heard = [(gateway, number) for number, gateway in one.codes.items() if states.get(number) == "paid"]
        trades = self.stage.far.world.trades
        return sum(one.banked.values()) + sum(int(trades.find(*each)["amount"]) for each in heard)

    def went(self, one: Pledge) -> int:
        """What went back: as the gateways' lists have it, and slips of the bank."""
        refunds = self.stage.far.world.trades.refunds()
        by_gateway = [made["amount"] for trade, made in refunds
                      if trade["number"] in one.codes and made["state"] == "SUCCESS"]  # fmt: skip
        return sum(map(int, by_gateway)) + sum(slip.amount for slip in self.season.staff.slips if slip.pledge == one.id)

    def _room(self, one: Pledge, spoken: Spoken) -> int:
        """What it can still give."""
        if not one.agreed or one.ended:
            return 0
        taken = self.came(one)
        return min(one.budget, taken) - spoken.reserved[one.id] - spoken.used[one.id] if taken else 0

    def _means(self, one: Pledge, item: Item, on: date, own: int) -> bool:
        if one.year != item.year or on < one.since or not (own or (one.agreed and not one.ended)):
            return False
        if one.category:
            return one.category in self.owed.categories(item.year, item.person)
        if one.village:
            return own > 0 or self.season.lives[item.person] == one.village
        return own > 0 or not one.named or item.person in one.named

    def _when_begun(self, bill: Bill) -> Iterator[tuple[int | None, Mapping[int, int]]]:
        for one in self.season.starts:
            if bill.item in one.owed and any(one.began <= moment <= one.ended for moment in bill.moments):
                yield one.owed[bill.item], one.given.get(bill.item, {})
                yield one.after[bill.item], one.given_after.get(bill.item, {})

    def _when_replaced(self, bill: Bill) -> Iterator[tuple[int | None, Mapping[int, int]]]:
        """In the place of one that went back: out of what that had, and of nothing new."""
        if bill.former is None:
            return
        [former] = self.bills("where b.id = %s", (bill.former,))
        had = self.of_bill(former)
        for left in (0, NOTICES[bill.item.year].own):
            yield chain([one for one in self.pledges if one.id in had], left, most=had)

    def _of_no_price(self, bill: Bill) -> Iterator[tuple[int | None, Mapping[int, int]]]:
        """Of whom a bureau has a word of its own."""
        if bill.item.person in self.season.staff.determined:
            pledges = [one for one in self.pledges if self._means(one, bill.item, one.since, 1)]
            for left in (NOTICES[bill.item.year].own, NOTICES[bill.item.year].whole):
                yield left, {}
                for last in range(len(pledges)):
                    yield chain(pledges[last:], left)
                    yield chain(pledges[last : last + 1], left)


def chain(pledges: Sequence[Pledge], left: int, most: Mapping[int, int] | None = None) -> tuple[int, Mapping[int, int]]:
    """What is left for the resident once these have paid in their order, and what each pays; `most` of each. Pure."""
    given = {}
    for one in pledges:
        share = one.share(left)
        if share and (most is None or share <= most[one.id]):
            given[one.id] = share
            left -= share
    return left, given


def fitting(bill: Bill, reckoned: Iterable[tuple[int | None, Mapping[int, int]]]) -> Iterator[Mapping[int, int]]:
    """Of what may have been reckoned, that by which the resident pays what he was asked for. Pure."""
    return (given for due, given in reckoned if due == bill.personal_due)


def added_up(bills: Iterable[tuple[Bill, Mapping[int, int]]]) -> Spoken:
    """By pledge. Pure."""
    reserved, used, own = Counter[int](), Counter[int](), Counter[tuple[int, int]]()
    for bill, given in bills:
        for pledge, fen in given.items():
            (used if bill.is_settled else reserved)[pledge] += fen
            own[pledge, bill.item.person] += fen
    return Spoken(reserved, used, own)


def off(bills: Iterable[tuple[Bill, Mapping[int, int], Mapping[int, int]]]) -> list[str]:
    """Bills whose sponsors' lines are not what was reckoned: bill, lines, reckoned. Pure."""
    return [
        f"bill {bill.id} of {bill.item.person}: sponsors pay {dict(lines)}, not {dict(given)}"
        for bill, lines, given in bills
        if dict(lines) != dict(given)
    ]


def strays(shares: Mapping[int, Mapping[int, int]], settled: Collection[int]) -> list[str]:
    """Bills that are not settled and have shares all the same, by their numbers. Pure."""
    return [f"bill {bill} is not settled and has {dict(shares[bill])}" for bill in sorted(set(shares) - set(settled))]


def _micros(moment: datetime) -> int:
    return round(moment.timestamp() * SECOND)


_BILLS = """
select b.id, b.person_id, b.levy_year, b.tier, b.personal_due, b.state, b.settled_at,
       array(select p.started_at from payment_bill pb join payment p using (household_id, number)
              where pb.household_id = b.household_id and pb.bill_id = b.id order by p.started_at) as started,
       (select rb.bill_id from refund_bill rb
         where rb.household_id = b.household_id and (rb.replacement->'bill'->>'id')::bigint = b.id) as former
  from bill b """
_HELD = """
 where b.insurance = 'RES_MEDICAL' and b.determination is null and b.raised_from is null
   and (b.state = 'settled' or b.state = 'open' and exists (
         select from payment_bill pb join payment p using (household_id, number)
          where pb.household_id = b.household_id and pb.bill_id = b.id
            and p.state in ('created', 'pending', 'unknown', 'closing')))"""
_STATES = "select number, state from payment where number = any (%s)"
