"""Any order of events, against a small dictionary of what must come of them: orders, payments, lost and repeated
callbacks, wrong amounts, late successes, closings, refunds. After every step the book is asked for what is true of each
household, and at every fifth and at the end for all its truths."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import ClassVar

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test
from sqlalchemy import Connection, Engine, text

from payments.errors import BillSettled, NothingToGiveBack, PaymentUnderWay, RefundDecided
from payments.gateways.base import RefundOutcome, RefundWord
from payments.ledger.balances import trial_balance
from payments.number import REFUND, new_number
from payments.refunds import moves
from payments.refunds.moves import Wish
from payments.states import LIVE, RefundState, State
from payments.taking.bills import issue, withdraw
from payments.taking.settle import collect
from payments.taking.start import begin, move
from payments.truths.invariants import INVARIANTS, Invariant
from tests.builders import NEW_YEAR, NOON, a_draft, a_message, a_paid_word, a_wish, an_attempt
from tests.watching import Asked, broken

__all__ = ["broken"]
GATEWAYS = ("wechat", "alipay", "unionpay")
PEOPLE = (1, 2, 3)
PRICE = 32000
ASKED_ABOUT = ("live", "left")
_HOUSEHOLDS = count(5001)
_REFERENCES = count(1)
BEGAN = datetime.now(UTC)
pick = st.integers(0, 999)


@dataclass
class Attempted:
    """A payment as the model knows it."""

    attempt: object
    people: tuple[int, ...]
    bills: dict[int, int]
    state: str = "live"


@dataclass
class Trade:
    """Money a gateway took: its list is the truth."""

    word: object
    told: bool = False
    held: bool = False  # booked beside any bill


@dataclass
class Back:
    """A refund as the model knows it."""

    payment: Attempted
    trade: Trade
    amount: int
    people: tuple[int, ...]
    state: str = "applied"


class Book(RuleBasedStateMachine):
    """One household, three people, one insurance, three gateways."""

    engine: ClassVar[Engine]
    ask: ClassVar[Asked]

    def __init__(self) -> None:
        super().__init__()
        self.household = next(_HOUSEHOLDS)
        self.now = NOON
        self.paid: dict[int, Attempted] = {}  # person → whose money settled it
        self.payments: dict[str, Attempted] = {}
        self.trades: list[Trade] = []
        self.refunds: dict[str, Back] = {}
        self.steps = 0

    # What people and gateways do

    @rule(people=st.sets(st.sampled_from(PEOPLE), min_size=1), gateway=st.sampled_from(GATEWAYS))
    def order(self, people: set[int], gateway: str) -> None:
        """Somebody orders for some of the household; all of it or nothing."""
        attempt = an_attempt(self.household, gateway=gateway, number=new_number(self.household, NOON.date()))
        under_way = any(one.state == "live" and set(one.people) & people for one in self.payments.values())
        wanted = None if self.now < NEW_YEAR and not people & set(self.paid) and not under_way else "refused"
        try:
            with self.engine.begin() as connection:
                bills = [issue(connection, self._draft(person)) for person in sorted(people)]
                begin(connection, bills, attempt, a_wish())
        except (BillSettled, PaymentUnderWay):
            assert wanted == "refused"
            return
        if self.now >= NEW_YEAR:  # nobody but the flow looks at the clock: too late a success becomes surplus
            wanted = None if not people & set(self.paid) and not under_way else "refused"
        assert wanted is None
        self.payments[attempt.number] = Attempted(
            attempt, tuple(sorted(people)), dict(zip(sorted(people), (bill.id for bill in bills), strict=True))
        )

    @precondition(lambda self: self.payments)
    @rule(which=pick, off=st.sampled_from((0, 0, 0, 0, 1, -1)), seconds=st.integers(0, 600))
    def pay(self, which: int, off: int, seconds: int) -> None:
        """The payer pays, perhaps a second time, perhaps after the end, rarely another amount."""
        one = self._payment(which)
        word = a_paid_word(
            one.attempt,
            PRICE * len(one.people) + off,
            reference=f"42000M{next(_REFERENCES):08d}",
            happened_at=self.now + timedelta(seconds=seconds),
        )
        self.trades.append(Trade(word))

    @precondition(lambda self: self.payments)
    @rule(which=pick)
    def pay_and_hear_of_it(self, which: int) -> None:
        """What happens nearly always: the amount of the order, and one callback."""
        self.pay(which, 0, 60)
        expected = self._booked(self.trades[-1])

        assert self._collect(self.trades[-1], 1) == [expected]

    @rule(gateway=st.sampled_from(GATEWAYS))
    def a_strangers_money(self, gateway: str) -> None:
        """Money under a number nobody here gave out."""
        attempt = an_attempt(self.household, gateway=gateway, number=new_number(self.household, NOON.date()))
        self.trades.append(Trade(a_paid_word(attempt, PRICE, reference=f"42000M{next(_REFERENCES):08d}")))

    @precondition(lambda self: self.trades)
    @rule(which=pick, copies=st.integers(1, 3))
    def deliver(self, which: int, copies: int) -> None:
        """Callbacks arrive: for the first or the hundredth time, several at once."""
        trade = self.trades[which % len(self.trades)]
        expected = [self._booked(trade)] + ["again"] * (copies - 1)

        assert self._collect(trade, copies) == expected

    @precondition(lambda self: self.trades)
    @rule(which=pick)
    def a_crash_before_the_commit(self, which: int) -> None:
        """Whatever it would have done, it has not."""
        with self.engine.connect() as connection:
            self._take(connection, self.trades[which % len(self.trades)], 1)
            connection.rollback()

    @precondition(lambda self: self.payments)
    @rule(which=pick)
    def the_gateway_ends_it(self, which: int) -> None:
        """Closed at the gateway, if it is not over yet."""
        one = self._payment(which)
        with self.engine.begin() as connection:
            moved = move(connection, self.household, one.attempt.number, State.CLOSED)
        assert (moved is not None) == (one.state in ASKED_ABOUT)
        one.state = "closed" if moved else one.state

    @precondition(lambda self: self.payments)
    @rule(which=pick)
    def somebody_leaves_it(self, which: int) -> None:
        """Another way is wanted, and nobody can end this one: it holds nothing more, and may be paid all the same."""
        one = self._payment(which)
        with self.engine.begin() as connection:
            moved = move(connection, self.household, one.attempt.number, State.LEFT)
        assert (moved is not None) == (one.state == "live")
        one.state = "left" if moved else one.state

    @precondition(lambda self: self.payments)
    @rule(which=pick)
    def another_tier(self, which: int) -> None:
        """A bill is taken back, unless money or a payment holds it."""
        one = self._payment(which)
        person = one.people[0]
        busy = any(
            each.state == "live" and each.bills.get(person) == one.bills[person] for each in self.payments.values()
        )
        if one.bills[person] not in self._open_bills():
            return
        try:
            with self.engine.begin() as connection:
                withdraw(connection, self.household, one.bills[person])
        except PaymentUnderWay:
            assert busy
            return
        assert not busy

    @rule(days=st.sampled_from((1, 30, 60)))
    def time_goes_by(self, days: int) -> None:
        self.now += timedelta(days=days)

    # Money back

    @precondition(lambda self: any(trade.told for trade in self.trades))
    @rule(which=pick, some=st.booleans())
    def ask_back(self, which: int, some: bool) -> None:
        """Somebody wants money back: a payment's bills, or what came beside them. What is reserved is reserved."""
        told = [trade for trade in self.trades if trade.told]
        trade = told[which % len(told)]
        one = self.payments.get(trade.word.number)
        people = () if one is None or trade.held else tuple(p for p in one.people if self.paid.get(p) is one)
        people = people[:1] if some else people
        reserved = [back for back in self.refunds.values() if back.state != "rejected" and back.trade is trade]
        free = (
            (not reserved) if trade.held else bool(people) and not {p for b in reserved for p in b.people} & set(people)
        )
        number = new_number(self.household, NOON.date(), kind=REFUND)
        wish = Wish(
            number,
            trade.word.number,
            f"receipt:{trade.word.gateway}:{trade.word.reference}",
            [one.bills[p] for p in people] if one else [],
            "twice",
            "重复缴费",
            "staff:desk",
        )
        try:
            with self.engine.begin() as connection:
                amount = moves.apply(connection, wish, now=self.now)
        except NothingToGiveBack:
            assert not free
            return
        assert free and amount == (trade.word.amount if trade.held else PRICE * len(people))
        self.refunds[number] = Back(one, trade, amount, people)

    @precondition(lambda self: self.refunds)
    @rule(which=pick, yes=st.booleans())
    def decide(self, which: int, yes: bool) -> None:
        """Everybody who has to agrees, or the last one does not. Once."""
        number = list(self.refunds)[which % len(self.refunds)]
        back = self.refunds[number]
        try:
            with self.engine.begin() as connection:
                self._decide(connection, number, back, yes=yes)
        except RefundDecided:
            assert back.state != "applied"
            return
        assert back.state == "applied"
        back.state = "approved" if yes else "rejected"
        if yes and not back.trade.held:
            for person in back.people:
                del self.paid[person]
        if yes and back.trade.held and back.payment and back.trade.word.amount != PRICE * len(back.payment.people):
            back.payment.state = "closed" if back.payment.state in ASKED_ABOUT else back.payment.state

    @precondition(lambda self: self.refunds)
    @rule(
        which=pick, word=st.sampled_from((RefundWord.DONE, RefundWord.DONE, RefundWord.PROCESSING, RefundWord.FAILED))
    )
    def the_gateway_says(self, which: int, word: RefundWord) -> None:
        """A gateway's word about a refund, at any moment, any number of times."""
        number = list(self.refunds)[which % len(self.refunds)]
        back = self.refunds[number]
        outcome = RefundOutcome(
            back.trade.word.gateway,
            number,
            word,
            payment=back.trade.word.number,
            amount=back.amount,
            happened_at=self.now,
        )
        with self.engine.begin() as connection:
            if back.state == "approved":
                moves.move(connection, number, RefundState.PAYING, ordered_at=self.now)
                back.state = "paying"
            said = moves.take(connection, outcome, now=self.now, booked_on=self.now.date())
        if word is RefundWord.DONE and back.state in ("paying", "failed"):
            assert said == "paid"
            back.state = "paid"
        elif word is RefundWord.FAILED and back.state == "paying":
            assert said == "failed"
            back.state = "failed"
        else:
            assert said in ("noted", "again")

    # What must be true after every step

    def teardown(self) -> None:
        assert self._broken(list(INVARIANTS.values())) == {}

    @invariant()
    def the_book_is_as_the_model(self) -> None:
        self.steps += 1
        asked = [one for one in INVARIANTS.values() if one.by_household or self.steps % 5 == 0]
        assert self._broken(asked) == {}
        with self.engine.connect() as connection:
            clearing = self._sum(connection, "clearing:")
            states = dict(
                connection.execute(
                    text("select person_id, id from bill where household_id = :h and state = 'settled'"),
                    {"h": self.household},
                ).all()
            )
            live = connection.execute(
                text("select number, state from payment where household_id = :h"), {"h": self.household}
            ).all()
        taken = sum(trade.word.amount for trade in self.trades if trade.told)
        given = sum(back.amount for back in self.refunds.values() if back.state == "paid")
        assert clearing == taken - given
        assert states == {self.household * 10 + person: one.bills[person] for person, one in self.paid.items()}
        assert {row.number for row in live if row.state in LIVE} == {
            number for number, one in self.payments.items() if one.state == "live"
        }

    def _broken(self, asked: list[Invariant]) -> dict[str, list[str]]:
        """Nothing here is late: the truths about deadlines are another test's."""
        return self.ask(asked, wall=BEGAN, today=NOON.date(), among=[(self.household, self.household)])

    # The model's own arithmetic

    def _booked(self, trade: Trade) -> str:
        """What must come of a trade's message, and remember it."""
        if trade.told:
            return "again"
        trade.told = True
        one = self.payments.get(trade.word.number)
        if one is None or trade.word.amount != PRICE * len(one.people):
            trade.held = True
            return "suspense"
        open_bills = self._open_bills()
        fits = all(one.bills[p] in open_bills for p in one.people) and trade.word.happened_at < NEW_YEAR
        if fits and one.state in (*ASKED_ABOUT, "closed"):
            one.state = "paid"
            self.paid |= dict.fromkeys(one.people, one)
            return "paid"
        trade.held = True
        one.state = "surplus" if one.state in (*ASKED_ABOUT, "closed") else one.state
        return "surplus"

    def _open_bills(self) -> set[int]:
        with self.engine.connect() as connection:
            return set(
                connection.execute(
                    text("select id from bill where household_id = :h and state = 'open'"), {"h": self.household}
                ).scalars()
            )

    def _collect(self, trade: Trade, copies: int) -> list[str]:
        with self.engine.begin() as connection:
            return self._take(connection, trade, copies)

    def _take(self, connection: Connection, trade: Trade, copies: int) -> list[str]:
        return collect(
            connection,
            [a_message(trade.word, event_id=f"EV-{copy}") for copy in range(copies)],
            now=self.now,
            booked_on=self.now.date(),
            wall=datetime.now(UTC),
        )

    def _decide(self, connection: Connection, number: str, back: Back, *, yes: bool) -> None:
        if not yes:
            moves.reject(connection, number, by="staff:lead", reason="不符合条件", now=self.now)
            return
        if not back.trade.held:
            moves.accept(connection, number, by="staff:clerk", now=self.now)
            moves.review(connection, number, "RES_MEDICAL", by="staff:medical", reason="", now=self.now)
        moves.approve(
            connection,
            number,
            by="staff:lead",
            reason="",
            now=self.now,
            booked_on=self.now.date(),
            ask_at=datetime.now(UTC),
        )

    def _payment(self, which: int) -> Attempted:
        return list(self.payments.values())[which % len(self.payments)]

    def _draft(self, person: int):
        return a_draft(household_id=self.household, person_id=self.household * 10 + person)

    def _sum(self, connection: Connection, prefix: str) -> int:
        return int(
            connection.execute(
                text(
                    "select coalesce(sum(amount), 0) from posting where household_id = :h and starts_with(account, :p)"
                ),
                {"h": self.household, "p": prefix},
            ).scalar_one()
        )


@pytest.mark.parametrize("turn", range(2))
def test_any_order_of_events_comes_to_the_models_end(engine: Engine, broken: Asked, turn: int) -> None:
    Book.engine, Book.ask = engine, staticmethod(broken)

    run_state_machine_as_test(
        Book,
        settings=settings(
            max_examples=10,
            stateful_step_count=30,
            deadline=None,
            database=None,
            phases=(Phase.generate,),  # a failure is told as it was found: making it small costs minutes
            suppress_health_check=list(HealthCheck),
        ),
    )
    with engine.connect() as connection:
        assert sum(row.balance for row in trial_balance(connection)) == 0
