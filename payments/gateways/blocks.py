"""Payments of a statement many at a time, in columns, where nothing about any of them is odd."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from core.money import Fen
from payments.gateways.base import Movement, StatementLine


@dataclass(frozen=True, slots=True)
class Block:
    """Payments in the order of their file; each column has one cell for each. Texts are of letters, digits and
    `_-|*@` alone, moments as ISO 8601 with their zone."""

    rows: Sequence[int]
    ours: Sequence[str]  # our numbers of the payments
    theirs: Sequence[str]  # their references
    amounts: Sequence[Fen]
    fees: Sequence[int]  # in thousandths of a fen
    moments: Sequence[str]
    apps: Sequence[str]
    their_word: str

    def lines(self) -> Iterator[StatementLine]:
        """The same, one by one."""
        columns = (self.rows, self.ours, self.theirs, self.amounts, self.fees, self.moments, self.apps)
        for row, number, reference, amount, fee, moment, app in zip(*columns, strict=True):
            happened = datetime.fromisoformat(moment)
            yield StatementLine(
                *(row, Movement.PAYMENT, number, reference, amount, fee, happened), their_word=self.their_word, app=app
            )


def one_by_one(read: Iterable[StatementLine | Block]) -> Iterator[StatementLine]:
    """Every line of what was read, blocks taken apart."""
    for each in read:
        if isinstance(each, Block):
            yield from each.lines()
        else:
            yield each
