"""Refunds and the bills they give back. The household is part of every key, as everywhere money is."""

from datetime import datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    DateTime,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    SmallInteger,
    Text,
    text,
    true,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Table
from payments.states import UNDECIDED, RefundState
from payments.taking.tables import Bill  # noqa: F401  what is given back is a bill's

STEP_WORDS = (*RefundState, "transfer_asked", "transfer_refused", "withdrawn")
_STEP_WORDS = ", ".join(f"'{word}'" for word in STEP_WORDS)
_UNDECIDED = ", ".join(f"'{state}'" for state in RefundState if state in UNDECIDED)


class Refund(Table):
    """Money that goes back the way it came: from one receipt, for some of its bills or for what fitted none."""

    __tablename__ = "refund"
    __table_args__ = (
        CheckConstraint("amount between 0 and paid and (amount > 0 or gateway = 'none')", name="amount"),
        CheckConstraint("state in (" + ", ".join(f"'{state}'" for state in RefundState) + ")", name="state"),
        CheckConstraint("decided_by is null or decided_by <> applied_by or state = 'rejected'", name="two_people"),
        CheckConstraint(f"(state in ({_UNDECIDED})) = (decided_by is null)", name="decided"),
        CheckConstraint("(state = 'paid') = (paid_at is not null)", name="paid_at"),
        ForeignKeyConstraint(
            ["household_id", "receipt"], ["entry.household_id", "entry.cause"], name="fk__refund__entry"
        ),
        # Money that fitted no bill goes back whole, once.
        Index(
            "uq__refund__held",
            "household_id",
            "receipt",
            unique=True,
            postgresql_where=text("held is not null and state <> 'rejected'"),
        ),
        Index("uq__refund__sent_as", "household_id", "sent_as", unique=True),
        Index("ix__refund__next_query_at", "next_query_at", postgresql_where=text("next_query_at is not null")),
    )
    household_id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    number: Mapped[str] = mapped_column(Text, primary_key=True)
    receipt: Mapped[str] = mapped_column(Text)  # the cause of the entry that took the money in
    held: Mapped[str | None] = mapped_column(Text)  # surplus or suspense: where the money lay; null: it paid bills
    gateway: Mapped[str] = mapped_column(Text)  # none: others paid it whole, and nobody gets money
    payment: Mapped[str] = mapped_column(Text)  # the number the payer paid under
    reference: Mapped[str] = mapped_column(Text)  # theirs of that payment
    ordered_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))  # business clock, as the gateway is told
    paid: Mapped[int] = mapped_column(BigInteger)  # the receipt's whole amount
    amount: Mapped[int] = mapped_column(BigInteger)
    why: Mapped[str] = mapped_column(Text)  # the kind of reason, a code of the flow that asked
    reason: Mapped[str] = mapped_column(Text)  # shown to the payer
    owner: Mapped[str] = mapped_column(Text, server_default="refund_desk")  # who goes on when nothing goes by itself
    state: Mapped[str] = mapped_column(Text, server_default="applied")
    sent_as: Mapped[str] = mapped_column(Text)  # the number the gateway knows it by; a new one after a definite no
    applied_by: Mapped[str] = mapped_column(Text)
    applied_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))  # business clock
    decided_by: Mapped[str | None] = mapped_column(Text)
    decided_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    refund_reference: Mapped[str | None] = mapped_column(Text)  # theirs of the refund
    paid_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))  # theirs
    their_word: Mapped[str] = mapped_column(Text, server_default="")  # the last, for whoever looks at it
    next_query_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))  # system clock
    queries: Mapped[int] = mapped_column(Integer, server_default=text("0"))
    pledge: Mapped[int | None] = mapped_column(BigInteger)  # whose money it is, of a pledge that ended
    resends: Mapped[int] = mapped_column(Integer, server_default=text("0"))  # under `sent_as`, after the first time


class RefundNumber(Table):
    """One number a refund was sent under. The last is `refund.sent_as`; a list may name any of them (INV-53)."""

    __tablename__ = "refund_number"
    __table_args__ = (
        CheckConstraint("(booked is null) = (done_at is null)", name="booked"),
        ForeignKeyConstraint(
            ["household_id", "number"], ["refund.household_id", "refund.number"], name="fk__refund_number__refund"
        ),
        ForeignKeyConstraint(
            ["household_id", "booked"], ["entry.household_id", "entry.cause"], name="fk__refund_number__entry"
        ),
        Index("ix__refund_number__done_at", "done_at"),
    )
    household_id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    sent_as: Mapped[str] = mapped_column(Text, primary_key=True)
    number: Mapped[str] = mapped_column(Text)
    ordered_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))  # business clock, as the gateway is told
    reference: Mapped[str | None] = mapped_column(Text)  # theirs of the refund under this number
    booked: Mapped[str | None] = mapped_column(Text)  # the cause of the entry by which money left under it
    done_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))  # when it left, by their clock


class UnaskedRefund(Table):
    """Money that somebody gave back at the gateway without asking us, as its list had it. It counts for its receipt
    like any refund (INV-11)."""

    __tablename__ = "unasked_refund"
    __table_args__ = (
        CheckConstraint("amount > 0 and beyond between 0 and amount", name="amount"),
        ForeignKeyConstraint(
            ["household_id", "cause"], ["entry.household_id", "entry.cause"], name="fk__unasked_refund__entry"
        ),
    )
    household_id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    cause: Mapped[str] = mapped_column(Text, primary_key=True)  # of the entry that made the payer owe it
    gateway: Mapped[str] = mapped_column(Text)
    number: Mapped[str] = mapped_column(Text)  # of the refund, as the line has it; may be empty
    reference: Mapped[str] = mapped_column(Text)  # theirs; may be empty
    receipt: Mapped[str | None] = mapped_column(Text)  # what it gives back of, where the line says it
    amount: Mapped[int] = mapped_column(BigInteger)
    beyond: Mapped[int] = mapped_column(BigInteger, server_default="0")  # had gone back otherwise before: owed
    booked_back: Mapped[str | None] = mapped_column(Text)  # the cause of the entry: their list has it no more


class RefundBill(Table):
    """Which bills a refund gives back. A bill is given back once (INV-11)."""

    __tablename__ = "refund_bill"
    __table_args__ = (
        ForeignKeyConstraint(
            ["household_id", "bill_id"], ["bill.household_id", "bill.id"], name="fk__refund_bill__bill"
        ),
        ForeignKeyConstraint(
            ["household_id", "number"], ["refund.household_id", "refund.number"], name="fk__refund_bill__refund"
        ),
        Index("uq__refund_bill__live", "household_id", "bill_id", unique=True, postgresql_where=text("live")),
    )
    household_id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    number: Mapped[str] = mapped_column(Text, primary_key=True)
    bill_id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    live: Mapped[bool] = mapped_column(Boolean, server_default=true())
    replacement: Mapped[dict[str, Any] | None] = mapped_column(JSONB)  # {"bill", "lines"}: issued in its place


class RefundStep(Table):
    """One dated step of a refund, as the payer reads it. Only added to; who did one may not do another (INV-33)."""

    __tablename__ = "refund_step"
    __table_args__ = (
        CheckConstraint(f"word in ({_STEP_WORDS})", name="word"),
        CheckConstraint("(word = 'reviewed') = (insurance is not null)", name="insurance"),
        CheckConstraint("word <> 'rejected' or reason <> ''", name="reason"),
        ForeignKeyConstraint(
            ["household_id", "number"], ["refund.household_id", "refund.number"], name="fk__refund_step__refund"
        ),
        Index(
            "uq__refund_step__one_person_one_step",
            "household_id",
            "number",
            "by",
            unique=True,
            postgresql_where=text("word in ('applied', 'accepted', 'reviewed', 'approved')"),
        ),
        Index(
            "uq__refund_step__review",
            "household_id",
            "number",
            "insurance",
            unique=True,
            postgresql_where=text("word = 'reviewed'"),
        ),
    )
    household_id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    number: Mapped[str] = mapped_column(Text, primary_key=True)
    step: Mapped[int] = mapped_column(SmallInteger, primary_key=True)
    word: Mapped[str] = mapped_column(Text)
    insurance: Mapped[str | None] = mapped_column(Text)  # whose bureau reviewed it
    by: Mapped[str] = mapped_column(Text)
    at: Mapped[datetime] = mapped_column(DateTime(timezone=True))  # business clock
    reason: Mapped[str] = mapped_column(Text, server_default="")  # shown to the payer


class RefundTransfer(Table):
    """A bank transfer in place of the way back: whose account, what proof, asked for by one, agreed by another."""

    __tablename__ = "refund_transfer"
    __table_args__ = (
        CheckConstraint("holder in ('insured', 'heir')", name="holder"),
        CheckConstraint("last4 ~ '^[0-9]{4}$' and bank <> '' and proof <> ''", name="proven"),
        CheckConstraint("(state = 'asked') = (decided_by is null)", name="decided"),
        CheckConstraint("state in ('asked', 'agreed', 'refused')", name="state"),
        CheckConstraint("decided_by <> asked_by", name="two_people"),
        ForeignKeyConstraint(
            ["household_id", "number"], ["refund.household_id", "refund.number"], name="fk__refund_transfer__refund"
        ),
        Index(
            "uq__refund_transfer__standing",
            "household_id",
            "number",
            unique=True,
            postgresql_where=text("state <> 'refused'"),
        ),
    )
    household_id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    number: Mapped[str] = mapped_column(Text, primary_key=True)
    turn: Mapped[int] = mapped_column(SmallInteger, primary_key=True)
    holder: Mapped[str] = mapped_column(Text)
    name: Mapped[bytes] = mapped_column(LargeBinary)  # sealed, refund_transfer.name:<number>
    account: Mapped[bytes] = mapped_column(LargeBinary)  # sealed, refund_transfer.account:<number>
    last4: Mapped[str] = mapped_column(Text)
    bank: Mapped[str] = mapped_column(Text)
    proof: Mapped[str] = mapped_column(Text)  # the slip's number, in words
    digest: Mapped[bytes | None] = mapped_column(LargeBinary)  # SHA-256 of the proof's file
    state: Mapped[str] = mapped_column(Text, server_default="asked")
    asked_by: Mapped[str] = mapped_column(Text)
    asked_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))  # business clock
    decided_by: Mapped[str | None] = mapped_column(Text)
    decided_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))


class RefundMove(Table):
    """The legal moves of a refund, where the database can see them."""

    __tablename__ = "refund_move"
    from_state: Mapped[str] = mapped_column(Text, primary_key=True)
    to_state: Mapped[str] = mapped_column(Text, primary_key=True)
