"""The notices of a refund: asked for, not agreed to, paid. Written with the step they tell of, in its transaction."""

import json
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from sqlalchemy import Connection, text

from app.access import accounts
from app.flows.parts import Parts
from app.flows.titles import titles_together
from app.policy.refunds import Why
from app.registry import find
from core.money import plain_yuan
from core.redact import mask_name
from payments.refunds import find as find_refunds
from payments.taking import find as find_money


def tell_refund(parts: Parts, connection: Connection, number: str, word: str) -> None:
    """One notice a step: refund_asked, refund_rejected or refunded. Nobody is known of: nobody is told; nor of what
    others paid whole, for he gets no money, and his page says it."""
    refund = find_refunds.find(connection, number)
    if not refund.amount:
        return
    bills = find_refunds.bills_of(connection, number) or find_money.bills_of(
        connection, refund.household_id, refund.payment
    )
    ids = sorted({bill.person_id for bill in bills})
    people = find.by_ids(connection, parts.vault, ids, years=parts.levy.years)
    if not people:
        return
    # Who pays less because of what he is may not be told from the amount (decision 16).
    amount = "" if refund.why == Why.LATE_ENTITLEMENT else f"{plain_yuan(refund.amount)}元"
    steps = find_refunds.steps_of(connection, number)
    fields = {
        "village": f"{people[0].town}{people[0].village}",
        "names": "、".join(mask_name(person.name) for person in people),
        "items": titles_together(bills),
        "amount": amount,
        "reason": steps[-1].reason[:40].rstrip("。"),  # the sentence around it ends by itself
        "help_phone": parts.help_phone,
    }
    own = _own_phone(parts, people)
    # Who paid may be who asked: that it was asked for is the person's own to hear (M4).
    himself = word == "refund_asked" and own is not None
    clear = own or _askers_phone(parts, connection, refund.applied_by)
    phone = parts.vault.seal(clear, bound_to=f"notice.phone:refund:{number}") if clear else None
    connection.execute(
        text("select refund_tell(:household, :number, :word, cast(:fields as jsonb), :openid, :phone, :next_try_at)"),
        {
            "household": refund.household_id,
            "number": number,
            "word": word,
            "fields": json.dumps(fields),
            "openid": None if himself else _openid(parts, connection, refund),
            "phone": phone,
            "next_try_at": parts.clocks.wall() + timedelta(seconds=30),
        },
    )


def _openid(parts: Parts, connection: Connection, refund: Any) -> bytes | None:
    """Who paid is told where he paid."""
    payment = find_money.payment(connection, refund.payment)
    if payment is None or not payment.payer:
        return None
    openid = parts.vault.open(payment.payer, bound_to=f"payment.payer:{payment.number}")
    return parts.vault.seal(openid, bound_to=f"notice.openid:refund:{refund.number}")


def _own_phone(parts: Parts, people: Sequence[find.Subject]) -> str | None:
    """Of the first who can still answer it: a dead man's rings for nobody (B17)."""
    person = next((person for person in people if person.alive and person.phone_sealed), None)
    if person is None or person.phone_sealed is None:
        return None
    return parts.vault.open(person.phone_sealed, bound_to=f"person.phone:{person.id}")


def _askers_phone(parts: Parts, connection: Connection, asker: str) -> str | None:
    """Of the account that asked; where an agent or a counter asked, the house is told at its door."""
    kind, _, account = asker.partition(":")
    return accounts.reached_at(connection, parts.vault, int(account)) if kind == "account" else None
