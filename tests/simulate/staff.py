"""What people behind the counter do in a season: ask for money back, agree or not, try again what failed."""

from random import Random

from tests.simulate.rates import WHEN_GIVEN_BACK, Rates, chosen
from tests.simulate.stage import Stage

CLERK, BUREAU = "staff:clerk", "staff:bureau"


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
        self.stage.call("web", "ask_back", payment, CLERK)

    def work(self) -> None:
        """Everything that waits for a person: refunds applied for, refunds that failed, money in suspense."""
        for row in self._rows("select number from refund where state = 'applied'"):
            self.stage.call("web", "decide", row.number, self.chance.random() < 0.9, BUREAU)
        for row in self._rows("select number from refund where state = 'failed'"):
            self.stage.call("web", "again", row.number, CLERK)
        held = (
            "select s.number from suspense s where s.solved_at is null and s.doubt = 'amount' and not exists"
            " (select from refund r where r.household_id = s.household_id and r.receipt = s.cause)"
        )
        for row in self._rows(held):
            self.stage.call("web", "ask_back", row.number, CLERK)

    def _rows(self, statement: str) -> list:
        return sorted(self.stage.eye.execute(statement).fetchall())
