"""Refunds: asked for and reserved, agreed to and booked as owed, handed to the gateway, booked as paid on its word.

The book is written by the database's own functions only (docs/decisions/0002)."""

import json
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from psycopg.types.json import Jsonb
from sqlalchemy import Connection, text, update

from core.money import Fen
from payments.errors import (
    NothingToGiveBack,
    NotYoursToWithdraw,
    OwnRefund,
    RaisedSince,
    RefundChanged,
    RefundDecided,
    RefundStepMissing,
)
from payments.gateways.base import RefundOutcome
from payments.number import household_of, new_id
from payments.refunds.find import find
from payments.refunds.tables import Refund
from payments.refusals import as_errors
from payments.states import REFUND_MOVES, RefundState
from payments.taking.bills import Draft

_ERRORS = {
    "LX005": RefundDecided,
    "LX009": NothingToGiveBack,
    "LX020": RefundChanged,
    "LX021": RefundStepMissing,
    "LX032": NotYoursToWithdraw,
    "LX033": RaisedSince,
    "23505": OwnRefund,
    "23514": OwnRefund,
}


@dataclass(frozen=True)
class Wish:
    """What somebody asks to have given back: the bills of a payment, or (no bills) what a receipt held beyond them.

    `receipt` is the cause of the entry that took the money in; `why` a code, `reason` its words for the payer; `by`
    names who asks; `expected` (fen) is what he was shown; `replacement` the bill in place of the one given back."""

    number: str
    payment: str
    receipt: str
    bills: Sequence[int]
    why: str
    reason: str
    by: str
    expected: Fen | None = None
    replacement: Draft | None = None


def apply(connection: Connection, wish: Wish, *, now: datetime) -> Fen:
    """Reserve it; the amount in fen. NothingToGiveBack: not paid, given back already, or asked for before; RaisedSince;
    RefundChanged: not what was `expected`.

    `now` is the business clock."""
    with in_our_words():
        return connection.execute(
            text(
                "select refund_apply(:household, :number, :payment, :receipt, :bills, cast(:replacement as jsonb),"
                " :why, :reason, :by, :expected, :now)"
            ),
            {
                **vars(wish),
                "bills": sorted(wish.bills),
                "replacement": _replacement(wish.replacement) if wish.replacement else None,
                "household": household_of(wish.number),
                "now": now,
            },
        ).scalar_one()


def accept(connection: Connection, number: str, *, by: str, now: datetime) -> None:
    """Tax takes it on. OwnRefund, RefundDecided; RefundStepMissing for what never was a premium."""
    _call(connection, "refund_accept", number, ":by, :now", by=by, now=now)


def review(connection: Connection, number: str, insurance: str, *, by: str, reason: str, now: datetime) -> bool:
    """The bureau of an insurance has looked at it; True once every one has. OwnRefund, RefundDecided,
    RefundStepMissing."""
    with in_our_words():
        return connection.execute(
            text("select refund_review(:household, :number, :insurance, :by, :reason, :now)"),
            {
                "household": household_of(number),
                "number": number,
                "insurance": insurance,
                "by": by,
                "reason": reason,
                "now": now,
            },
        ).scalar_one()


def approve(
    connection: Connection, number: str, *, by: str, reason: str, now: datetime, booked_on: date, ask_at: datetime
) -> None:
    """Another person agrees; booked as owed to the payer. OwnRefund, RefundDecided, RefundStepMissing, RaisedSince.

    `ask_at` on the system clock."""
    _call(
        connection,
        "refund_approve",
        number,
        ":by, :reason, :now, :booked_on, :ask_at",
        by=by,
        reason=reason,
        now=now,
        booked_on=booked_on,
        ask_at=ask_at,
    )


def reject(connection: Connection, number: str, *, by: str, reason: str, now: datetime) -> None:
    """Somebody says no, and why; nothing is reserved any more. OwnRefund, RefundDecided."""
    if find(connection, number).applied_by == by:
        raise OwnRefund(number)
    _call(connection, "refund_reject", number, ":by, :reason, :now", by=by, reason=reason, now=now)


def withdraw(connection: Connection, number: str, *, by: str, now: datetime) -> None:
    """Who asked takes it back before anybody agreed; nothing is reserved then. NotYoursToWithdraw, RefundDecided."""
    _call(connection, "refund_withdraw", number, ":by, :now", by=by, now=now)


def went_by_hand(connection: Connection, number: str, *, by: str, now: datetime, booked_on: date) -> None:
    """It ends with what somebody gave back by hand. RefundDecided, NothingToGiveBack."""
    _call(connection, "refund_went_by_hand", number, ":by, :now, :booked_on", by=by, now=now, booked_on=booked_on)


def stuck(connection: Connection, number: str, word: str, *, now: datetime) -> None:
    """An agreed refund cannot go back the way it came; `word` says why. RefundDecided."""
    _call(connection, "refund_stuck", number, ":word, :now", word=word, now=now)


def own(connection: Connection, number: str, *, by: str) -> None:
    """From now on this person goes on with it when nothing goes by itself."""
    connection.execute(
        update(Refund).where(Refund.household_id == household_of(number), Refund.number == number).values(owner=by)
    )


def _replacement(draft: Draft) -> str:
    """A draft as the database issues it on approval, with the key it will have."""
    bill = {
        "id": new_id(),
        "total": draft.total,
        "personal_due": draft.personal_due,
        "reason_code": draft.reason_code,
        "benefit_start": draft.benefit_start.isoformat() if draft.benefit_start else None,
    }
    lines = [{"line": place} | vars(line) for place, line in enumerate(draft.lines, start=1)]
    return json.dumps({"bill": bill, "lines": lines}, ensure_ascii=False)


def _call(connection: Connection, function: str, number: str, places: str, **values: object) -> None:
    with in_our_words():
        connection.execute(
            text(f"select {function}(:household, :number, {places})"),
            {"household": household_of(number), "number": number, **values},
        )


def move(connection: Connection, number: str, state: RefundState, **also: object) -> bool:
    """Move a refund along its table, unless it has moved on meanwhile; False if it has."""
    allowed = [old for old, reachable in REFUND_MOVES.items() if state in reachable]
    moved = connection.execute(
        update(Refund)
        .where(Refund.household_id == household_of(number), Refund.number == number, Refund.state.in_(allowed))
        .values(state=state, **also)
    )
    return moved.rowcount == 1


def sending(connection: Connection, row: Any, ordered_at: datetime, *, again: bool) -> bool:
    """It goes to its gateway now, as it was leased (`row`), ordered at this business moment, perhaps `again`; False if
    it has moved on since, or somebody else holds it (K26)."""
    sent = connection.execute(
        update(Refund)
        .where(
            Refund.household_id == row.household_id,
            Refund.number == row.number,
            Refund.state == row.state,
            Refund.sent_as == row.sent_as,
            Refund.queries == row.queries,
        )
        .values(state=RefundState.PAYING, ordered_at=ordered_at, resends=row.resends + again)
    )
    return sent.rowcount == 1


def put_off(connection: Connection, number: str, moment: datetime, *, their_word: str) -> None:
    """The next question comes at `moment` (system clock), if the refund is still under way."""
    connection.execute(
        update(Refund)
        .where(Refund.household_id == household_of(number), Refund.number == number, Refund.state == RefundState.PAYING)
        .values(next_query_at=moment, their_word=their_word)
    )


def wait(connection: Connection, number: str, moment: datetime, *, their_word: str) -> None:
    """One that was agreed to is not sent before `moment` (system clock)."""
    connection.execute(
        update(Refund)
        .where(
            Refund.household_id == household_of(number), Refund.number == number, Refund.state == RefundState.APPROVED
        )
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
    """Apply a gateway's word once: paid · again · noted · abnormal · failed · twice · unknown · doubt.

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


def known_as(connection: Connection, sent_as: str) -> str:
    """The refund's own number, of any that its gateway ever knew it by."""
    return connection.execute(
        text("select number from refund_number where household_id = :household and sent_as = :number"),
        {"household": household_of(sent_as), "number": sent_as},
    ).scalar_one()


def lease_due(connection: Connection, *, now: datetime, lease: timedelta, most: int) -> Sequence[Any]:
    """Refunds whose gateway is to be asked now, the longest due first, taken for ourselves until `now + lease` (system
    clock)."""
    return connection.execute(
        text(
            "with due as (select household_id, number, next_query_at from refund where next_query_at <= :now"
            "             order by next_query_at, number limit :most for update skip locked),"
            " taken as (update refund r set next_query_at = :until, queries = queries + 1 from due"
            "            where r.household_id = due.household_id and r.number = due.number returning r.*)"
            " select taken.* from taken join due using (household_id, number) order by due.next_query_at, number"
        ),
        {"until": now + lease, "now": now, "most": most},
    ).all()


def in_our_words() -> AbstractContextManager[None]:
    """What the database's functions refuse about refunds, as our errors."""
    return as_errors(_ERRORS)
