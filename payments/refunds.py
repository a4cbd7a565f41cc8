"""Refunds: asked for and reserved, agreed to and booked as owed, handed to the gateway, booked as paid on its word.

The book is written by the database's own functions only (docs/decisions/0002)."""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from psycopg.types.json import Jsonb
from sqlalchemy import Connection, Row, select, text, update
from sqlalchemy.exc import DBAPIError

from core.money import Fen
from payments.errors import NoSuchRefund, NothingToGiveBack, OwnRefund, RefundDecided
from payments.gateways.base import RefundOutcome
from payments.number import household_of, new_id
from payments.refund_tables import Refund
from payments.states import REFUND_MOVES, RefundState

_ERRORS = {"LX009": NothingToGiveBack, "LX005": RefundDecided, "23514": OwnRefund}


@dataclass(frozen=True)
class Wish:
    """What somebody asks to have given back: the bills of a payment, or (no bills) what a receipt held beyond them.

    `receipt` is the cause of the entry that took the money in; `reason` is shown to the payer; `by` names who asks."""

    number: str
    payment: str
    receipt: str
    bills: Sequence[int]
    reason: str
    by: str


def apply(connection: Connection, wish: Wish, *, now: datetime) -> Fen:
    """Reserve it; the amount in fen. NothingToGiveBack: not paid, given back already, or asked for before.

    `now` is the business clock."""
    with _in_our_words():
        return connection.execute(
            text("select refund_apply(:household, :number, :payment, :receipt, :bills, :reason, :by, :now)"),
            {**vars(wish), "bills": sorted(wish.bills), "household": household_of(wish.number), "now": now},
        ).scalar_one()


def approve(connection: Connection, number: str, *, by: str, now: datetime, booked_on: date, ask_at: datetime) -> None:
    """A second person agrees; booked as owed to the payer. OwnRefund, RefundDecided. `ask_at` on the system clock."""
    with _in_our_words():
        connection.execute(
            text("select refund_approve(:household, :number, :by, :now, :booked_on, :ask_at)"),
            {
                "household": household_of(number),
                "number": number,
                "by": by,
                "now": now,
                "booked_on": booked_on,
                "ask_at": ask_at,
            },
        )


def reject(connection: Connection, number: str, *, by: str, now: datetime) -> None:
    """A second person says no; nothing is reserved any more. OwnRefund, RefundDecided."""
    with _in_our_words():
        if not move(connection, number, RefundState.REJECTED, decided_by=by, decided_at=now):
            raise RefundDecided


def move(connection: Connection, number: str, state: RefundState, **also: object) -> bool:
    """Move a refund along its table, unless it has moved on meanwhile; False if it has."""
    allowed = [old for old, reachable in REFUND_MOVES.items() if state in reachable]
    moved = connection.execute(
        update(Refund)
        .where(Refund.household_id == household_of(number), Refund.number == number, Refund.state.in_(allowed))
        .values(state=state, **also)
    )
    return moved.rowcount == 1


def put_off(connection: Connection, number: str, moment: datetime, *, their_word: str) -> None:
    """The next question comes at `moment` (system clock), if the refund is still under way."""
    connection.execute(
        update(Refund)
        .where(Refund.household_id == household_of(number), Refund.number == number, Refund.state == RefundState.PAYING)
        .values(next_query_at=moment, their_word=their_word)
    )


def take(
    connection: Connection,
    outcome: RefundOutcome,
    *,
    now: datetime,
    booked_on: date,
    message: tuple[str, Mapping[str, str], bytes] | None = None,
) -> str:
    """Apply a gateway's word once: paid · again · noted · abnormal · failed · unknown · doubt.

    `message` (event id, headers, raw body) of a callback is kept in the same transaction."""
    event, headers, body = message or ("", {}, b"")
    said = {
        "word": outcome.word,
        "payment": outcome.payment,
        "reference": outcome.reference,
        "amount": outcome.amount,
        "happened_at": outcome.happened_at.isoformat() if outcome.happened_at else None,
        "their_word": outcome.their_word,
    }
    return connection.exec_driver_sql(
        "select take_refund(%s, %s, %s, %s, %s, %s, %s, %s, %s, %s)",
        (
            new_id() if message else None,
            household_of(outcome.number),
            outcome.gateway,
            outcome.number,
            json.dumps(said),
            event,
            Jsonb(dict(headers)),
            body,
            now,
            booked_on,
        ),
    ).scalar_one()


def find(connection: Connection, number: str) -> Row:
    """One refund. NoSuchRefund."""
    row = connection.execute(
        select(Refund.__table__).where(Refund.household_id == household_of(number), Refund.number == number)
    ).one_or_none()
    if row is None:
        raise NoSuchRefund(number)
    return row


def listed(connection: Connection, *, states: Sequence[RefundState], most: int = 200) -> Sequence[Row]:
    """Refunds in one of these states, oldest first."""
    return connection.execute(
        select(Refund.__table__).where(Refund.state.in_(states)).order_by(Refund.applied_at).limit(most)
    ).all()


def held_receipts(connection: Connection, payment: str) -> Sequence[Row]:
    """What receipts of a payment's number hold beyond any bill, unsolved: cause, doubt, amount."""
    return connection.execute(
        text(
            "select cause, doubt, amount from suspense where household_id = :household and number = :number"
            " and solved_at is null and amount is not null order by created_at"
        ),
        {"household": household_of(payment), "number": payment},
    ).all()


def unasked_surplus(connection: Connection, *, most: int) -> Sequence[Row]:
    """Receipts held as surplus for which nobody ever asked for a refund, oldest first: household_id, cause, number."""
    return connection.execute(
        text(
            "select household_id, cause, number from suspense s where doubt = 'surplus' and solved_at is null"
            " and not exists (select from refund r where r.household_id = s.household_id and r.receipt = s.cause)"
            " order by created_at limit :most"
        ),
        {"most": most},
    ).all()


def lease_due(connection: Connection, *, now: datetime, lease: timedelta, most: int) -> Sequence[Any]:
    """Refunds whose gateway is to be asked now, taken for ourselves until `now + lease` (system clock)."""
    return connection.execute(
        text(
            "update refund r set next_query_at = :until, queries = queries + 1"
            " from (select household_id, number from refund where next_query_at <= :now"
            "       order by next_query_at limit :most for update skip locked) due"
            " where r.household_id = due.household_id and r.number = due.number returning r.*"
        ),
        {"until": now + lease, "now": now, "most": most},
    ).all()


@contextmanager
def _in_our_words() -> Iterator[None]:
    try:
        yield
    except DBAPIError as error:
        named = _ERRORS.get(getattr(error.orig, "sqlstate", None) or "")
        if named is None:
            raise
        raise named(str(error.orig).splitlines()[0]) from error
