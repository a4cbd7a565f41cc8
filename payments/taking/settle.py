"""What a gateway said, kept and applied once. The work itself is the database's function collect(): one round trip,
one transaction, the raw message and its effect together (docs/decisions/0002)."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from psycopg.types.json import Jsonb
from sqlalchemy import Connection

from payments.gateways.base import Outcome, Word
from payments.number import household_of, new_id


@dataclass(frozen=True)
class Message:
    """One verified message of a gateway. `outcome` is None when it is not about money."""

    gateway: str
    event_id: str
    headers: Mapping[str, str]
    body: bytes
    outcome: Outcome | None


def collect(
    connection: Connection, messages: Sequence[Message], *, now: datetime, booked_on: date, wall: datetime
) -> list[str]:
    """Keep and apply messages, all in one statement; one word per message, in order:

    paid · again · surplus · suspense · doubt · nothing · failed:<SQLSTATE> (kept, to be applied again).
    `now` is the business clock, `booked_on` its Beijing date, `wall` the system clock."""
    order = sorted(range(len(messages)), key=lambda place: _number(messages[place]))  # one order of locks for all
    rows = [messages[place] for place in order]
    found = connection.exec_driver_sql(
        _COLLECT,
        (
            [new_id() for _ in rows],
            [household_of(_number(row)) for row in rows],
            [row.gateway for row in rows],
            [_number(row) for row in rows],
            [_believed(row.outcome) for row in rows],
            [row.event_id for row in rows],
            [json.dumps(dict(row.headers), ensure_ascii=False) for row in rows],
            [row.body for row in rows],
            now,
            booked_on,
            wall,
        ),
    ).scalar_one()
    words = [""] * len(rows)
    for place, word in zip(order, found, strict=True):
        words[place] = word
    return words


MOST_REFUSED = 2000  # messages of a day and night that nobody believed and that are kept


def keep_refused(connection: Connection, message: Message, *, whole: bytes, verdict: str) -> bool:
    """Keep the beginning of a message we did not believe, the SHA-256 of the whole, and the check that failed, as
    evidence. False if so many were kept within a day and night that this one is not: they cost a stranger nothing."""
    kept = connection.exec_driver_sql(
        "insert into received (household_id, id, gateway, headers, body, whole, event_id, number, verdict, result)"
        " select 0, %s, %s, %s, %s, %s, %s, '', %s, 'refused' where %s > (select count(*) from received"
        " where result = 'refused' and received_at > now() - interval '1 day')",
        (
            *(new_id(), message.gateway, Jsonb(dict(message.headers)), message.body, whole),
            *(message.event_id, verdict, MOST_REFUSED),
        ),
    )
    return kept.rowcount == 1


def _number(message: Message) -> str:
    return message.outcome.number if message.outcome else ""


def _believed(outcome: Outcome | None) -> str | None:
    """Only a gateway's clear "paid" is money; every other word changes nothing here."""
    if outcome is None or outcome.word is not Word.PAID:
        return None
    return json.dumps(
        {
            "reference": outcome.reference,
            "merchant": outcome.merchant,
            "app": outcome.app,
            "amount": outcome.amount,
            "currency": outcome.currency,
            "happened_at": outcome.happened_at.isoformat() if outcome.happened_at else None,
        }
    )


# In binary form, JSON as text: nothing has to be quoted on the way, which is half of the driver's work.
_COLLECT = (
    "select collect(%b::bigint[], %b::bigint[], %b::text[], %b::text[], %b::text[]::jsonb[], %b::text[],"
    " %b::text[]::jsonb[], %b::bytea[], %b, %b, %b)"
)
