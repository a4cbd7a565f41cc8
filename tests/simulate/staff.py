"""What people behind the counter do in a season: ask for money back, agree or not, try again what failed."""

from collections.abc import Sequence
from contextlib import suppress
from datetime import timedelta
from random import Random
from typing import Any, NamedTuple

from core.clock import business_day
from payments.sandbox.trades import Refusal
from tests.simulate.rates import WHEN_GIVEN_BACK, Rates, chosen
from tests.simulate.stage import KILLED, Stage

DESK, CLERK, LEAD = "staff:desk", "staff:clerk", "staff:lead"
STRUCK = frozenset({KILLED, "!OperationalError", "!InterfaceError", "!InternalError"})
BUREAUS = {"RES_PENSION": "staff:hrss", "RES_MEDICAL": "staff:medical"}


class Slip(NamedTuple):
    """A transfer of the bank's: the payment or the pledge whose money went."""

    payment: str
    pledge: int | None
    amount: int


class Staff:
    """They look at what waits, as their page shows it."""

    def __init__(self, stage: Stage, chance: Random, rates: Rates) -> None:
        self.stage, self.chance, self.rates = stage, chance, rates
        self.determined: set[int] = set()  # of whom a bureau has a word of its own
        self.slips: list[Slip] = []  # transfers that went

    def ask_back(self, gateway: str, payment: str, bills: Sequence[int] | None = None) -> None:
        """A resident wants the money back, of these bills or (None) of all."""
        if self.chance.random() < self.rates.mishaps:
            self.stage.far.faults.add(
                chosen(self.chance, WHEN_GIVEN_BACK, gateway).fault(self.chance, gateway, payment)
            )
        self.stage.call("web", "ask_back", payment, DESK, bills)

    def work(self) -> None:
        """Everything that waits for a person: refunds on their way through the hands, failed ones, money in doubt."""
        for row in self._rows("select number from refund where state = 'applied' and held is null"):
            self.stage.call("web", "accept", row.number, CLERK)
        for row in self._rows(_UNSEEN):
            self.stage.call("web", "review", row.number, row.insurance, BUREAUS[row.insurance])
        for row in self._rows(
            "select number from refund where state = 'reviewed' or (state = 'applied' and held <> '')"
        ):
            self.stage.call("web", "decide", row.number, self.chance.random() < 0.9, LEAD)
        for row in self._rows(_STUCK):
            if row.by_hand:
                self.stage.call("web", "went_by_hand", row.number, CLERK)
            elif row.gateway == "bank" or self.chance.random() < 0.3:
                self._transfer(row)
            else:
                self.stage.call("web", "again", row.number, CLERK)
        for row in self._rows(_HELD):
            self.stage.call("web", "ask_back", row.number, DESK)

    def _transfer(self, row: Any) -> None:
        """By the bank; whoever was struck looks whether it is in his list still."""
        reply = self.stage.call("web", "transfer", row.number, CLERK, LEAD)
        went = self.stage.eye.execute(_WENT, (row.number,)).fetchone() if reply.word in STRUCK else None
        if reply.word == "transferred" or went:
            self.slips.append(Slip(row.payment, row.pledge, row.amount))

    def give_back_by_hand(self, payment: str) -> None:
        """Somebody of the office uses the gateway's own page, and tells nobody."""
        trade = self.stage.far.world.trades.find("wechat", payment)
        number, reference = f"HAND{self.chance.randrange(10**9):09d}", f"5{self.chance.randrange(10**15):015d}"
        with suppress(Refusal):
            self.stage.far.give_back_by_hand(trade, number, reference)
            self.stage.say(f"by hand {payment} {number}")

    def determine(self, person: int) -> None:
        """A bureau's word about somebody, whatever he has paid."""
        self.determined.add(person)
        kind = self.chance.choice(("policy_backpay", "interrupted_backpay", "newborn"))
        self.stage.call("web", "determine", person, kind, "staff:medical", "staff:lead")

    def close_yesterday(self) -> None:
        """The day before is closed, with whatever is open named."""
        yesterday = business_day(self.stage.clock.now()) - timedelta(days=1)
        self.stage.call("web", "close_day", yesterday, CLERK, LEAD)

    def _rows(self, statement: str) -> list:
        return sorted(self.stage.eye.execute(statement).fetchall())


_SEEN = "select number from refund where state = 'reviewed' or (state = 'applied' and held is not null)"
_UNSEEN = """
select distinct r.number, b.insurance from refund r join refund_bill rb using (household_id, number)
  join bill b on b.household_id = rb.household_id and b.id = rb.bill_id where r.state = 'accepted'
union select number, 'RES_MEDICAL' from refund where pledge is not null and state = 'accepted'"""
_STUCK = """
select number, receipt_owed(household_id, receipt) >= amount as by_hand, gateway, amount, pledge, payment
  from refund
 where state in ('abnormal', 'failed')"""
_WENT = "select 1 from refund where number = %s and state = 'paid'"
_HELD = """
select number from suspense s where solved_at is null and doubt = 'amount' and not exists (
    select from refund r where r.household_id = s.household_id and r.receipt = s.cause)"""
