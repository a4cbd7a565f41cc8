"""A refund that goes by bank transfer: written down by one person, agreed to by another, booked as gone."""

from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import Connection, text

from payments.number import household_of
from payments.refunds.moves import in_our_words


@dataclass(frozen=True)
class Transfer:
    """What was transferred where. `holder`: insured or heir; `name`, `account` sealed; `digest` of the proof's file."""

    holder: str
    name: bytes
    account: bytes
    last4: str
    bank: str
    proof: str
    digest: bytes | None


def ask(connection: Connection, number: str, transfer: Transfer, *, by: str, now: datetime) -> None:
    """Write it down. RefundDecided if one stands; RefundStepMissing if the refund may still go the way it came;
    NothingToGiveBack if somebody gave it back by hand."""
    with in_our_words():
        connection.execute(
            text(
                "select refund_transfer_ask(:household, :refund, :holder, :name, :account, :last4, :bank, :proof,"
                " :digest, :by, :now)"
            ),
            {**vars(transfer), "household": household_of(number), "refund": number, "by": by, "now": now},
        )


def decide(connection: Connection, number: str, *, agreed: bool, by: str, now: datetime, booked_on: date) -> None:
    """Another person has seen the proof and agrees: booked as gone; or not. OwnRefund, RefundDecided,
    RefundStepMissing."""
    with in_our_words():
        connection.execute(
            text("select refund_transfer_decide(:household, :number, :agreed, :by, :now, :booked_on)"),
            {
                "household": household_of(number),
                "number": number,
                "agreed": agreed,
                "by": by,
                "now": now,
                "booked_on": booked_on,
            },
        )
