"""What the offices have to do about refunds: which wait for whom, how long, and one with its evidence."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from app.flows.follow_refund import RefundFollowed, follow
from app.flows.parts import Parts
from app.policy.facts import Insurance
from core.clock import business_day
from core.money import Fen
from payments import find as find_money
from payments import find_refunds
from payments.gateways import GATEWAYS
from payments.number import household_of
from payments.states import STUCK, RefundState

OPEN = tuple(state for state in RefundState if state not in (RefundState.PAID, RefundState.REJECTED))
DONE = (RefundState.PAID, RefundState.REJECTED)


@dataclass(frozen=True)
class Work:
    """One refund in the list. `days` since it was asked for, by the business clock; `missing`: whose bureau has not
    looked yet."""

    number: str
    state: RefundState
    amount: Fen
    reason: str
    held: bool
    owner: str
    applied_by: str
    applied_at: datetime
    days: int
    missing: frozenset[Insurance]

    @property
    def stuck(self) -> bool:
        """Nothing goes on by itself: its owner finds a way."""
        return self.state in STUCK


@dataclass(frozen=True)
class Paid:
    """One payment that brought money for the same item: paid, or surplus."""

    number: str
    title: str
    amount: Fen
    state: str
    paid_at: datetime


@dataclass(frozen=True)
class Case:
    """One refund with what speaks for it: every payment that brought money for the same items."""

    refund: RefundFollowed
    missing: frozenset[Insurance]
    evidence: Sequence[Paid]
    transfer: Any | None
    by_hand: bool  # the list says that somebody gave as much back by hand
    spent: bool  # any other way would give back more than came in


def work(parts: Parts, *, done: bool = False) -> list[Work]:
    """What is under way, oldest first; or (`done`) what ended."""
    today = parts.clocks.today()
    with parts.reading() as connection:
        rows = find_refunds.listed(connection, states=DONE if done else OPEN)
        missing = find_refunds.missing_reviews(connection, [row.number for row in rows])
    return [
        Work(
            number=row.number,
            state=RefundState(row.state),
            amount=row.amount,
            reason=row.reason,
            held=row.held is not None,
            owner=row.owner,
            applied_by=row.applied_by,
            applied_at=row.applied_at,
            days=(today - business_day(row.applied_at)).days,
            missing=_insurances(missing, row.number),
        )
        for row in rows
    ]


def case(parts: Parts, number: str) -> Case:
    """One refund for somebody who has to decide. NoSuchRefund."""
    found = follow(parts, number)
    with parts.reading() as connection:
        missing = find_refunds.missing_reviews(connection, [number])
        bills = find_refunds.bills_of(connection, number) or find_money.bills_of(
            connection, household_of(number), found.payment
        )
        evidence = [
            Paid(row.number, GATEWAYS[row.gateway].facts.title, row.amount, row.state, row.paid_at)
            for row in find_refunds.paid_for(connection, bills)
        ]
        transfer = find_refunds.transfer_of(connection, number)
        hand = find_refunds.by_hand(connection, number)
    return Case(
        found, _insurances(missing, number), evidence, transfer, by_hand=hand.owed >= found.amount, spent=hand.left < 0
    )


def _insurances(missing: dict[str, set[str]], number: str) -> frozenset[Insurance]:
    return frozenset(Insurance(each) for each in missing.get(number, ()))
