"""What people behind the counter do in a season: ask for money back, agree or not, try again what failed."""

from random import Random

from tests.simulate.rates import WHEN_GIVEN_BACK, Rates, chosen
from tests.simulate.stage import Stage

DESK, CLERK, LEAD = "staff:desk", "staff:clerk", "staff:lead"
BUREAUS = {"RES_PENSION": "staff:hrss", "RES_MEDICAL": "staff:medical"}


class Staff:
    """They look at what waits, as their page shows it."""

    def __init__(self, stage: Stage, chance: Random, rates: Rates) -> None:
        self.stage, self.chance, self.rates = stage, chance, rates

    def ask_back(self, gateway: str, payment: str) -> None:
        """A resident wants the money back."""
        if self.chance.random() < self.rates.mishaps:
            self.stage.far.faults.add(
                chosen(self.chance, WHEN_GIVEN_BACK, gateway).fault(self.chance, gateway, payment)
            )
        self.stage.call("web", "ask_back", payment, DESK)

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
        for row in self._rows("select number from refund where state = 'failed'"):
            self.stage.call("web", "again", row.number, CLERK)
        for row in self._rows(_HELD):
            self.stage.call("web", "ask_back", row.number, DESK)

    def _rows(self, statement: str) -> list:
        return sorted(self.stage.eye.execute(statement).fetchall())


_SEEN = "select number from refund where state = 'reviewed' or (state = 'applied' and held is not null)"
_UNSEEN = """
select distinct r.number, b.insurance from refund r join refund_bill rb using (household_id, number)
  join bill b on b.household_id = rb.household_id and b.id = rb.bill_id where r.state = 'accepted'"""
_HELD = """
select number from suspense s where solved_at is null and doubt = 'amount' and not exists (
    select from refund r where r.household_id = s.household_id and r.receipt = s.cause)"""
