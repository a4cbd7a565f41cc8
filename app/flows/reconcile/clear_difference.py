"""A difference between two books ends: with a reason by one person, and where money moves with a second who agrees."""

from app.flows.parts import Parts
from app.flows.reconcile.compare import reconcile_day
from app.flows.tell.remind import tell_certified
from core.clock import business_day
from payments.reconcile import discrepancies


def clear(parts: Parts, key: int, remedy: str, reason: str, *, by: str) -> str:
    """Say how it ends; `cleared`, or `proposed` where a second person must agree. Whose certificate could not be had
    for its sake is told that it can.

    NoReason, NoSuchDifference, DifferenceEnded."""
    with parts.engine.begin() as connection:
        row = discrepancies.find(connection, key)
        state = discrepancies.clear(connection, key, remedy, reason, by=by, now=parts.clocks.now())
        if row.books == "treasury" and state == "cleared":
            tell_certified(parts, connection, row.day, row.channel)
        return state


def confirm(parts: Parts, key: int, *, agreed: bool, by: str) -> None:
    """A second person agrees, and it is booked; or not, and it is open again.

    NoSuchDifference, OwnDifference, DifferenceEnded."""
    now = parts.clocks.now()
    with parts.engine.begin() as connection:
        discrepancies.find(connection, key)
        discrepancies.confirm(connection, key, agreed=agreed, by=by, now=now, booked_on=business_day(now))


def withdraw(parts: Parts, key: int, *, by: str) -> None:
    """Who proposed to book takes it back, while nobody agreed.

    NoSuchDifference, NotYoursToWithdraw, DifferenceEnded."""
    with parts.engine.begin() as connection:
        discrepancies.find(connection, key)
        discrepancies.withdraw(connection, key, by=by, now=parts.clocks.now())


def ask_again(parts: Parts, key: int) -> None:
    """Compare that channel's day again, asking the gateway about what is open. NoSuchDifference."""
    with parts.engine.begin() as connection:
        row = discrepancies.find(connection, key)
        discrepancies.note(connection, key, "")
    if row.books == "channel" and row.channel in parts.gateways:
        reconcile_day(parts, row.channel, row.day)
