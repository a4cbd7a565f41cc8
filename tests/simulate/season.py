"""The season as moments in order: people come, pay, give up or come back; the worker ticks; mornings bring statements.
When it is over nothing goes wrong any more, and what is open must come to its end."""

import heapq
import itertools
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, time, timedelta
from math import ceil
from random import Random

from app.flows.pay.start import Payer, Want
from app.jobs import jobs
from core.clock import BEIJING, business_day
from tests.simulate.counter import Counter
from tests.simulate.departments import Departments
from tests.simulate.gates import What
from tests.simulate.newborns import Newborns
from tests.simulate.offices import Office
from tests.simulate.owed import Item, Owed, Shares, Try, less
from tests.simulate.people import Household, settle_county
from tests.simulate.police import Police
from tests.simulate.rates import IN_THE_MORNING, Rates, chosen, drawn
from tests.simulate.residents import Resident
from tests.simulate.seeded import SECOND
from tests.simulate.sponsors import Sponsors
from tests.simulate.staff import Staff
from tests.simulate.stage import DATABASE, ROLES, Due, Stage
from tests.simulate.system import Reply, tasks
from tests.simulate.treasury import Treasury

A_DAYS_PAYMENTS = 700
OFTEN = ("ask", "tell_due", "refund", "surplus")  # every tick; every other task in the mornings
OPENS = time(13)
MORNING = (time(9, 31), time(10, 2), time(10, 13), time(10, 24), time(11, 1), time(11, 12), time(12))
CLOSES = time(12, 10)
_A_FILE: tuple[tuple[str, tuple[str, ...]], ...] = (  # what the register's trail says of whoever moves
    (
        "insert into import_batch (kind, file_hash, file_name, rows_in, added, changed, same, refused)"
        " values ('enrolment', %s::bytea, 'moved.csv', 0, 0, 0, 0, 0) on conflict do nothing",
        ("moved",),
    ),
    ("select set_config('liangxian.cause', 'import:' || encode(%s::bytea, 'hex'), false)", ("moved",)),
)
GRACE_S, GRACE_TICK_S = 120, 10  # after the last fault
MORNINGS_AFTER = 3
NEVER = 2**62  # still going on


class Season:
    """One seed's season on its stage."""

    comes: type[Resident] = Resident
    mornings: tuple[time, ...] = MORNING

    def __init__(self, stage: Stage, payments: int, households: int | None = None) -> None:
        self.stage, self.payments = stage, payments
        self.chance = Random(f"{stage.seed}/season")
        self.rates: Rates = drawn(self.chance)
        stage.far.post.slow = self.rates.slow
        self.county: list[Household] = settle_county(
            stage.eye, stage.parts.vault, self.chance, households or payments + 4
        )
        self.tasks = sorted(tasks(jobs(stage.parts, stage.server.app_url(DATABASE))))
        self.staff = Staff(stage, self.chance, self.rates)
        poor = {row.person_id for row in stage.eye.execute("select person_id from category").fetchall()}
        grown = frozenset(person for home in self.county for person, has_pension in home.people if has_pension)
        self.owed = Owed(grown, {2022: poor})
        self.starts: list[Try] = []
        self.lives = {person: home.village for home in self.county for person, _ in home.people}  # village
        self.sponsors = Sponsors(self)
        self.police = Police(self)
        self.offices: list[Office] = [Departments(self), self.police, self.sponsors, Treasury(self), Counter(self)]
        self.newborns = Newborns(self)
        self.offices.append(self.newborns)
        self.is_over = False
        self.numbers: dict[str, list[str]] = {}  # of payments, by gateway
        self._order = itertools.count()
        self._moments: list[tuple[int, int, Callable[[], None]]] = []

    @property
    def is_behind(self) -> bool:
        """What is shown may be some seconds behind."""
        return False

    def household(self, place: int) -> Household:
        """Where the resident of a place lives."""
        return self.county[place]

    def later(self, seconds: float, act: Callable[[], None]) -> None:
        """So long after now."""
        self._at(self.stage.clock.micros + int(seconds * SECOND), act)

    def begin(self, wants: Sequence[Want], payer: Payer, key: str, told: str = "") -> Reply:
        """Somebody starts to pay; what that must cost is reckoned at the same moment."""
        began, (owed, given) = self.stage.clock.micros, self._reckoned(wants)
        self.starts.append(Try(began, NEVER, owed, owed, given, given))
        reply = self.stage.call("web", "start", wants, payer, key, told=told or key)
        after, given_after = self._reckoned(wants)
        self.starts[-1] = Try(began, self.stage.clock.micros, owed, after, given, given_after)
        return reply

    def heard(self, wants: Sequence[Want], reply: Reply) -> None:
        """An office has heard what came of a wish."""

    def reckoned(self, wants: Sequence[Want]) -> dict[Item, int | None]:
        """What these items cost now."""
        return self._reckoned(wants)[0]

    def play(self) -> None:
        """All of it, with everything that goes wrong."""
        days = max(2, ceil(self.payments / A_DAYS_PAYMENTS))
        coming = [self.payments * (place + 1) // days - self.payments * place // days for place in range(days)]
        self.stage.clock.turn(micros(self.rates.first_day, time(12, 59)))
        self._plan_strikes()
        place = itertools.count()
        for day, people in enumerate(coming):
            self._open(self.rates.first_day + timedelta(days=day), [next(place) for _ in range(people)])
        self._until(self._last_arrival)

    def end(self) -> None:
        """No fault from now on; two minutes for what can be known at once."""
        self.is_over = True
        self.stage.far.faults.clear()
        self.stage.due.clear()
        self.stage.say("the faults are over")
        for _ in range(GRACE_S // GRACE_TICK_S):
            self._until(self.stage.clock.micros + GRACE_TICK_S * SECOND)
            self._tick(OFTEN)

    def settle(self) -> None:
        """Mornings with statements and staff until everything has come to its end."""
        today = self.stage.clock.now().astimezone(BEIJING).date()
        for moment in (time(18), time(23, 50)):
            self._at(micros(today, moment), lambda: self._tick(OFTEN))
        for day in range(1, MORNINGS_AFTER + 1):
            for moment in (time(1), *self.mornings, time(16), time(21)):
                self._at(micros(today + timedelta(days=day), moment), self._morning)
            self._at(micros(today + timedelta(days=day), CLOSES), self.staff.close_yesterday)
        for office in self.offices:
            for turn in range(office.at_last):
                self._at(micros(today + timedelta(days=1 + turn % 2), time(13 + turn)), office.act)
        for day in (1, 2):  # and what was agreed to last goes back
            for moment in (time(9), time(15), time(23)):
                last = today + timedelta(days=MORNINGS_AFTER + day)
                self._at(micros(last, moment), lambda: self._tick(OFTEN))
        self._until(None)

    def _reckoned(self, wants: Sequence[Want]) -> tuple[dict[Item, int | None], Shares]:
        """The same, and what sponsors pay of each."""
        on, only = business_day(self.stage.clock.now()), min(self.owed.open)
        items = [Item(want.person_id, str(want.insurance), want.levy_year or only, want.tier) for want in wants]
        owed = {item: self.owed.fen(item, on) for item in items}
        given = self.sponsors.purse.shares(owed, on)
        return less(owed, given), given

    def _until(self, end: int | None) -> None:
        """Everything up to a moment, in the order of time; None: until nothing is to come."""
        clock, post = self.stage.clock, self.stage.far.post
        while True:
            told = post.next_due()
            ours = self._moments[0][0] if self._moments else None
            moment = min((one for one in (told, ours) if one is not None), default=None)
            if moment is None or (end is not None and moment > end):
                break
            clock.turn(max(clock.micros, moment))
            if moment == told:
                post.deliver_next()
            else:
                heapq.heappop(self._moments)[2]()
        if end is not None:
            clock.turn(max(clock.micros, end))

    def _at(self, micros: int, act: Callable[[], None]) -> None:
        heapq.heappush(self._moments, (micros, next(self._order), act))

    def _open(self, day: date, places: list[int]) -> None:
        """One day: people come one after another, the worker ticks until the evening and again in the morning."""
        moment = micros(day, OPENS)
        for place in places:
            self._at(moment, lambda place=place: self._arrive(place))
            self._last_arrival = moment
            moment += int(self.chance.expovariate(1 / self.rates.gap_s) * SECOND)
        for office in self.offices:
            for _ in range(max(1, len(places) // office.each)):
                last = moment if not office.is_early else (moment + 2 * micros(day, OPENS)) // 3
                when = office.chance.randint(micros(day, OPENS), last)
                self._at(when, office.act)
        tick = micros(day, OPENS)
        while tick < moment + 1800 * SECOND:
            self._at(tick, lambda: self._tick(OFTEN))
            tick += (self.rates.tick_s if tick < moment else 60) * SECOND
        while tick < micros(day, time(22)):
            self._at(tick, lambda: self._tick(OFTEN))
            tick += 2700 * SECOND
        for hour in (14, 16, 21):
            self._at(micros(day, time(hour)), self.staff.work)
        for when in self.mornings:
            self._at(micros(day + timedelta(days=1), when), self._morning)
        if self.chance.random() < self.rates.early:
            self._at(micros(day + timedelta(days=1), time(0, 20)), self.staff.close_yesterday)
        self._at(micros(day + timedelta(days=1), CLOSES), self.staff.close_yesterday)

    def _arrive(self, place: int) -> None:
        while self._strikes and self._strikes[0][0] <= place:
            self.stage.due.append(self._strikes.pop(0)[1])
        if self.chance.random() < self.rates.moved:
            self.later(self.chance.uniform(0, 900), lambda: self._move(self.household(place)))
        self.comes(self, place).come()

    def _move(self, household: Household) -> None:
        """A bureau's file says that somebody lives elsewhere now."""
        person, home = self.chance.choice(household.people)[0], self.chance.choice(self.county)
        self.in_a_files_name()
        self.stage.move(person, home.id)
        self.lives[person] = home.village
        self.stage.say(f"moved {person} {home.id}")

    def in_a_files_name(self) -> None:
        """What the eye changes in the register from now on comes from a bureau's file."""
        for statement, values in _A_FILE:
            self.stage.eye.execute(statement, values)

    def _tick(self, names: tuple[str, ...]) -> None:
        for name in names:
            self.stage.call("worker", "task", name)

    def _morning(self) -> None:
        if not self.is_over and self.chance.random() < 0.3:
            gateway = self.chance.choice(("wechat", "alipay", "unionpay"))
            mishap = chosen(self.chance, IN_THE_MORNING, gateway)
            self.stage.far.faults.add(mishap.fault(self.chance, gateway, None))
        self._tick(tuple(self.tasks))
        self.staff.work()

    def _plan_strikes(self) -> None:
        kills, crashes = (
            max(4, ceil(self.payments * self.rates.kills)),
            max(1, ceil(self.payments * self.rates.crashes)),
        )
        whose = [Due(self.chance.choice(ROLES)) for _ in range(kills)]
        whose += [Due(self.chance.choice(ROLES), What.SERVER) for _ in range(crashes)]
        last = max(1, self.payments * 4 // 5)
        self._strikes = sorted(((self.chance.randrange(last), due) for due in whose), key=lambda strike: strike[0])


def micros(day: date, moment: time) -> int:
    """A moment of a day in Beijing, as the clock counts."""
    return int(datetime.combine(day, moment, BEIJING).astimezone(UTC).timestamp()) * SECOND
