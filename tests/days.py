"""A business day of payments through the real settlement, and the list their channel would give of it."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from io import BytesIO

from sqlalchemy import text

from payments.gateways.base import Movement, Outcome, StatementLine
from payments.reconcile import statements
from payments.taking.settle import collect
from tests.builders import (
    NOON,
    a_bill,
    a_household,
    a_message,
    a_paid_word,
    a_person,
    a_started_payment,
    an_id_number,
)
from tests.system import System

DAY = NOON.date()
MORNING = NOON + timedelta(hours=22, minutes=30)  # of the next day, when the lists are there
FEE = 100  # thousandths of a fen on each line of these lists


def paid(
    running: System, gateway: str, how_many: int, *, first: int = 1, at: datetime = NOON, known: bool = False
) -> list[Outcome]:
    """So many medical premiums, one household each from number `first` on, paid by one channel; the channel's words.

    `known`: their people are in the register, for what asks about them."""
    words = []
    with running.office.engine.begin() as connection:
        for household in range(first, first + how_many):
            whose = {"household_id": household, "person_id": household}
            if known:
                real = a_household(connection, number=f"{household:04d}")
                person = a_person(connection, id_number=id_number(household), household=real)
                whose = {"household_id": real, "person_id": person}
            bill = a_bill(connection, **whose)
            own = {"merchant": running.parts.gateways[gateway].merchant, "app": running.parts.gateways[gateway].app}
            attempt = a_started_payment(connection, bill, gateway=gateway, **own)
            words.append(a_paid_word(attempt, happened_at=at + timedelta(seconds=household)))
    return words


def id_number(household: int) -> str:
    """The identity number of the payer of a household of `paid`."""
    return an_id_number(born=date(1980, 1, 1) + timedelta(days=household // 500), sequence=1 + household % 500)


def book(running: System, words: Sequence[Outcome], *, now: datetime = NOON) -> list[str]:
    """The channel's callbacks arrive."""
    with running.parts.engine.begin() as connection:
        return collect(
            connection,
            [a_message(word) for word in words],
            now=now,
            booked_on=now.date(),
            wall=datetime.now(UTC),
        )


def line(word: Outcome, row: int = 1, **spoilt: object) -> StatementLine:
    """The line a channel's list has for a payment."""
    made = StatementLine(
        row,
        Movement.PAYMENT,
        word.number,
        word.reference,
        word.amount or 0,
        FEE,
        word.happened_at,
        their_word="SUCCESS",
    )
    return replace(made, **spoilt)  # type: ignore[arg-type]


def keep(running: System, gateway: str, lines: Sequence[StatementLine], *, day: date = DAY) -> None:
    """The channel's list of a day is in."""
    numbered = [replace(one, row=place) for place, one in enumerate(lines, 1)]
    with running.parts.engine.begin() as connection:
        statements.keep(connection, gateway, day, BytesIO(b"as it came"), numbered, wall=datetime.now(UTC))


def keep_empty(running: System, gateway: str, day: date) -> None:
    """The channel says that nothing was traded on a day."""
    with running.parts.engine.begin() as connection:
        statements.keep_empty(connection, gateway, day, wall=datetime.now(UTC))


def differences(running: System, *, state: str = "open") -> list[tuple[str, str, int | None, int | None]]:
    """(kind, subject, ours, theirs) of differences in a state."""
    wanted = "select kind, subject, ours, theirs from discrepancy where state = :state order by id"
    with running.parts.engine.connect() as connection:
        return [tuple(row) for row in connection.execute(text(wanted), {"state": state})]
