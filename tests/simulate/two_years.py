"""A season in which a second levy year opens and the first one closes while people pay: 2022 late and 2023 side by
side. What each is shown, asked for and refused is compared at once with a reckoning of our own."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, time, timedelta

from app.flows.levy import LOOK_S
from app.flows.pay.start import Payer, Started, Want
from app.policy.facts import Insurance
from core.clock import business_day
from tests.simulate.owed import MEDICAL, PENSION, Item, less
from tests.simulate.people import Household
from tests.simulate.residents import TIERS, Resident
from tests.simulate.season import CLOSES, MORNING, Season, micros
from tests.simulate.seeded import SECOND
from tests.simulate.staff import CLERK, LEAD, STRUCK
from tests.simulate.stage import KILLED, Stage
from tests.simulate.system import Reply

FORMER, NEWEST = 2022, 2023
WAVES = (date(2021, 12, 17), date(2022, 10, 1), date(2022, 10, 2), date(2022, 11, 30))  # when people come
OPENED, CLOSED = 1, 3  # in the middle of these
SHOWN_TIER = 300_00
SHORT = 20  # payments
OPERATOR = "operator:season"
TROUBLE = frozenset({KILLED, "!OperationalError", "!InterfaceError", "!InternalError", "!GATEWAY_SILENT"})


class Payers(Resident):
    """One who looks first, and then ticks items of one year or of both."""

    season: "TwoYears"

    def _wants(self) -> list[Want]:
        people = self.chance.sample(self.household.people, self.chance.choice((1, 1, 2, 3)))
        payable = self.season.look([person for person, _ in people])
        wants = []
        for person, has_pension in people:
            for year in self.season.chosen_years():
                wants.append(Want(person, Insurance.RES_MEDICAL, levy_year=year))
                if has_pension and self.chance.random() < 0.3:
                    wants.append(Want(person, Insurance.RES_PENSION, self.chance.choice(TIERS), levy_year=year))
        offered = [want for want in wants if (want.person_id, want.insurance, want.levy_year) in payable]
        wants = offered if offered and self.chance.random() < 0.9 else wants
        if len(self.season.owed.open) == 1 and self.chance.random() < 0.5:  # goes without saying
            return [
                replace(want, levy_year=None) if want.levy_year in self.season.owed.open else want for want in wants
            ]
        return wants if self.chance.random() < 0.95 else [replace(want, levy_year=None) for want in wants]

    def _ask(self, payer: Payer, told: str) -> Reply:
        owed = self.season.reckoned(self.wants)
        tries = self.season.tries.setdefault(self.key, [])
        tries.append(owed)
        reply = super()._ask(payer, told)
        tries.append(self.season.starts[-1].after)
        self.season.hear(self.wants, tries, reply)
        if isinstance(reply.data, Started) and reply.data.number and self.season.owed.open == {FORMER}:
            self.season.keys.append((self.key, payer, self.wants, reply.data.number))
        return reply

    def _want_back(self, number: str) -> None:
        """All of it, or one year's part."""
        years = sorted({item.year for item in self.season.asked.get(number, {})})
        if len(years) < 2 or self.chance.random() < 0.3:
            return super()._want_back(number)
        found = self.stage.eye.execute(_OF_YEAR, (number, self.chance.choice(years))).fetchall()
        return self.season.staff.ask_back(self.gateway, number, sorted(row.bill_id for row in found))


class TwoYears(Season):
    """`wrong`: what did not agree with our own reckoning; `asked`: each payment's items with their fen."""

    comes = Payers

    def __init__(self, stage: Stage, payments: int) -> None:
        super().__init__(stage, payments, households=max(4, payments // 3))
        self.rates = replace(self.rates, determined=0, first_day=WAVES[0])
        self.is_short = payments < SHORT  # quiet months cost time: one morning a day, and their days stay open
        self.mornings = MORNING[-1:] if self.is_short else MORNING[::2]
        self.wrong: list[str] = []
        self.asked: dict[str, dict[Item, int]] = {}
        self.tries: dict[str, list[dict[Item, int | None]]] = {}
        self.keys: list[tuple[str, Payer, list[Want], str]] = []  # of 2022, while it was the only year
        self.set_down: list[object] = []  # the register as it was when 2023 opened
        self.compared = 0
        self._changed = 0

    # What people see and say

    def household(self, place: int) -> Household:
        """They come again and again."""
        return self.county[place % len(self.county)]

    def chosen_years(self) -> Sequence[int]:
        """One who may choose takes one year or both; some still want the one that is over."""
        if len(self.owed.open) > 1:
            return self.chance.choice(((FORMER,), (NEWEST,), (FORMER, NEWEST), (FORMER, NEWEST)))
        return (FORMER,) if self.chance.random() < 0.15 else sorted(self.owed.open)

    def look(self, people: Sequence[int]) -> set[tuple[int, str, int]]:
        """What the page offers them is what they owe by our reckoning, no item more or less."""
        reply = self.stage.call("web", "look", people, SHOWN_TIER)
        if reply.data is None:
            return set()
        shown = {(person, str(insurance), year): fen for person, insurance, year, fen in reply.data}
        if self.is_behind:
            return set(shown)
        done = {tuple(row) for row in self.stage.eye.execute(_SETTLED, (list(people),)).fetchall()}
        on, owed = business_day(self.stage.clock.now()), {}
        for person in people:
            for year in self.owed.open:
                for item in (Item(person, MEDICAL, year), Item(person, PENSION, year, SHOWN_TIER)):
                    fen = self.owed.fen(item, on)
                    if fen is not None and item[:3] not in done:
                        owed[item[:3]] = fen
        items = {Item(*key): fen for key, fen in owed.items()}
        given = self.sponsors.purse.shares(items, on, apart=True)  # each by himself
        owed = {item[:3]: fen for item, fen in less(items, given).items()}
        self.compared += len(owed)
        self._must(shown == owed, f"shown {shown} owed {owed}")
        return set(shown)

    @property
    def is_behind(self) -> bool:
        """What is shown and refused may be some seconds behind; what is written down may not."""
        return self.stage.clock.micros - self._changed < (LOOK_S + 1) * SECOND

    def hear(self, wants: Sequence[Want], tries: list[dict[Item, int | None]], reply: Reply) -> None:
        """An answer to a wish: under the years it names, at their prices, or the right refusal."""
        unsaid = len(self.owed.open) > 1 and any(want.levy_year is None for want in wants)
        over = any(want.levy_year and want.levy_year not in self.owed.open for want in wants)
        if unsaid:
            return self._must(reply.word in TROUBLE | {"!YEAR_UNSAID"}, f"no year said: {reply.word}")
        if not isinstance(reply.data, Started):
            return self._must(reply.word != "!YEAR_UNSAID" or self.is_behind, f"each year was said: {reply.word}")
        begun, items = reply.data, [{i: fen for i, fen in owed.items() if fen != 0} for owed in tries]
        if begun.number is None:
            return self._must({} in items, f"nothing was due for {items}")
        if begun.number in self.asked:
            return self._must(self.asked[begun.number].keys() in [i.keys() for i in items], f"another's {begun}")
        late = over and all(None in owed.values() for owed in tries)  # who asked before it closed may hear it after
        self._must(not late, f"{begun.number} begun for a closed year")
        fitting = [i for i in items if None not in i.values() and sum(filter(None, i.values())) == begun.amount]
        if self._must(bool(fitting), f"{begun.number} asks {begun.amount} for {items}"):
            self.asked[begun.number] = {item: fen for item, fen in fitting[-1].items() if fen is not None}
        return None

    def heard(self, wants: Sequence[Want], reply: Reply) -> None:
        """The same at a counter."""
        self.hear(wants, [self.starts[-1].owed, self.starts[-1].after], reply)

    def _must(self, true: bool, words: str) -> bool:
        if not true:
            self.wrong.append(words)
            self.stage.say(f"WRONG {words}")
        return true

    # What happens

    def play(self) -> None:
        """Four days, with quiet months between them."""
        self.stage.clock.turn(micros(WAVES[0], time(12, 59)))
        self._plan_strikes()
        places = list(range(self.payments))
        for wave, day in enumerate(WAVES):
            self._quiet_until(day)
            coming = places[self.payments * wave // len(WAVES) : self.payments * (wave + 1) // len(WAVES)]
            self._turning, self._wave = coming[len(coming) // 2], wave
            self._open(day, coming)
            self._until(self._last_arrival)

    def _quiet_until(self, day: date) -> None:
        """Nobody comes; a morning more for what is open, and each day is closed."""
        today = business_day(self.stage.clock.now())
        if (day - today).days > 1:
            for moment in self.mornings:
                self._at(micros(today + timedelta(days=2), moment), self._morning)
        self._until(micros(day, CLOSES))
        if not self.is_short:
            self._close_before(day)
        self._until(micros(day, time(12, 59)))

    def _close_before(self, day: date) -> None:
        due = self._due()
        while due is not None and due < day:
            self.stage.call("web", "close_day", due, CLERK, LEAD)
            closed, due = due, self._due()
            if due == closed:
                break  # it died on the way: the next morning goes on

    def _due(self) -> date | None:
        found: date | None = self.stage.eye.execute(_DUE).fetchone().day
        return found

    def _arrive(self, place: int) -> None:
        if place == self._turning and self._wave == OPENED:
            self._open_newest()
        if place == self._turning and self._wave == CLOSED:
            self._year("close_year", FORMER)
            self.owed.open.discard(FORMER)
        super()._arrive(place)
        if FORMER in self.owed.open and NEWEST in self.owed.open:
            if self.chance.random() < 0.25:
                self.later(self.chance.uniform(0, 60), lambda: self._a_file_comes(self.household(place)))
            if self.chance.random() < 0.1:
                self.later(self.chance.uniform(0, 60), self._old_key)

    def _open_newest(self) -> None:
        self.set_down = register_of(self.stage)
        self._year("open_year", NEWEST)
        self.owed.opens(NEWEST)
        self._must(former_of(self.stage) == self.set_down, "the register was not set down as it was")

    def _year(self, verb: str, year: int) -> None:
        reply = self.stage.call("office", verb, year, OPERATOR)
        said = {"True"}
        while reply.word in STRUCK:
            reply, said = self.stage.call("office", verb, year, OPERATOR), {"True", "False"}
        self.stage.end("office")  # each command is a process of its own
        self._must(reply.word in said, f"{verb} {year}: {reply.word}")
        self._changed = self.stage.clock.micros

    def _a_file_comes(self, home: Household) -> None:
        """A list, an end, another tier for the newest year only; a list and the bureau's yes for the former only."""
        if self.owed.open != {FORMER, NEWEST} or self.is_over:
            return
        person, _ = self.chance.choice(home.people)
        self.in_a_files_name()
        change = self.chance.choice(("listed", "listed", "ended", "tier", "former", "former"))
        self.stage.say(f"{change} {person}")
        if change == "listed":
            self.stage.eye.execute(_LISTED, (person,))
            self.owed.listed[NEWEST].add(person)
        elif change == "ended":
            self.stage.eye.execute(_ENDED, (person,))
            self.owed.ended[NEWEST].add(person)
        elif change == "tier":
            self.stage.eye.execute(_TIER, (self.chance.choice(TIERS), person))
        else:
            self._listed_formerly(person)

    def _listed_formerly(self, person: int) -> None:
        """Whom the government should have paid for in 2022: what he paid for 2022 goes back, for 2023 he owes all."""
        self.stage.eye.execute(_LISTED_FORMERLY, (person,))
        self.owed.listed[FORMER].add(person)
        for _ in range(3):  # it may die on the way
            self.stage.call("web", "determine", person, "late_waiver", "staff:medical", "staff:lead", FORMER)
            if self.stage.eye.execute(_SPARED, (person,)).fetchone():
                self.owed.spared.setdefault(FORMER, set()).add(person)
                return

    def _old_key(self) -> None:
        """A request of before the opening comes again: it is that payment, and never one of the new year."""
        if not self.keys or self.owed.open != {FORMER, NEWEST}:
            return
        key, payer, wants, number = self.chance.choice(self.keys)
        for year, right in ((FORMER, number), (NEWEST, "!KEY_REUSED")):
            named = [replace(want, levy_year=year) for want in wants]
            reply = self.stage.call("web", "start", named, payer, key, told=f"{key} again for {year}")
            said = reply.data.number if isinstance(reply.data, Started) else reply.word
            self._must(said == right or reply.word in TROUBLE, f"{key} for {year}: {said}, not {right}")


def register_of(stage: Stage) -> list[object]:
    """What the register says of everybody, but for what is no year's own."""
    return _rows(stage, "person", "id as person_id", "enrolment", "category", "")


def former_of(stage: Stage) -> list[object]:
    """The same as it is set down for 2022."""
    return _rows(stage, "former_person", "person_id", "former_enrolment", "former_category", "where levy_year = 2022")


def _rows(stage: Stage, person: str, key: str, enrolment: str, category: str, whose: str) -> list[object]:
    tables = {
        person: f"{key}, residence, student, school, family_type, spouse_birth, permit_to, medical_years",
        enrolment: "person_id, insurance, status, last_tier, employee_insured, insured_elsewhere",
        category: "person_id, insurance, code",
    }
    return [
        sorted(map(repr, map(tuple, stage.eye.execute(f"select {columns} from {table} {whose}").fetchall())))
        for table, columns in tables.items()
    ]


_SETTLED = "select person_id, insurance, levy_year from bill where state = 'settled' and person_id = any (%s)"
_OF_YEAR = """
select pb.bill_id from payment_bill pb join bill b on b.household_id = pb.household_id and b.id = pb.bill_id
 where pb.number = %s and b.levy_year = %s and b.state = 'settled'"""
_DUE = "select coalesce((select max(day) + 1 from sealed_day), (select min(booked_on) from entry)) as day"
_LISTED = "insert into category values (%s, 'RES_MEDICAL', 'DIBAO') on conflict do nothing"
_LISTED_FORMERLY = "insert into former_category values (2022, %s, 'RES_MEDICAL', 'DIBAO') on conflict do nothing"
_ENDED = "update enrolment set status = 'ENDED' where person_id = %s and insurance = 'RES_MEDICAL'"
_TIER = "update enrolment set last_tier = %s where person_id = %s and insurance = 'RES_PENSION'"
_SPARED = """
select 1 from determination where person_id = %s and levy_year = 2022 and kind = 'late_waiver' and state = 'approved'"""
