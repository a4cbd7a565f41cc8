"""Bills, payments, what was received, and money in doubt. The household is part of every key: it is the key by
which these tables can be spread over machines, and the payment number carries it."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Boolean,
    CheckConstraint,
    Date,
    DateTime,
    ForeignKeyConstraint,
    Identity,
    Index,
    Integer,
    LargeBinary,
    SmallInteger,
    Text,
    func,
    text,
    true,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Table
from payments.ledger.models import Entry  # noqa: F401  a settled bill names the entry that booked it
from payments.states import State


class Bill(Table):
    """One levy item with frozen lines (decision 5): the premium of a person, insurance and levy year, or beside it one
    determined back-payment, which says the years it is for (decision 0020), or the difference by which the pension's
    tier was raised (decision 0048)."""

    __tablename__ = "bill"
    __table_args__ = (
        Index(
            "uq__bill__levy_item",  # whatever household he is in (decision 0018)
            "person_id",
            "insurance",
            "levy_year",
            text("coalesce(determination, 0)"),
            text("(raised_from is not null)"),
            unique=True,
            postgresql_where=text("state not in ('withdrawn', 'refunded')"),
        ),
        Index("ix__bill__person_id", "person_id"),
        CheckConstraint("determination is not null or years is null", name="years"),
        CheckConstraint(
            "level is null or (level > 0 and insurance = 'RES_MEDICAL' and determination is null)", name="level"
        ),
        CheckConstraint(
            "raised_from is null or (raised_from > 0 and tier is not null and tier > raised_from"
            " and personal_due = tier - raised_from and insurance = 'RES_PENSION' and determination is null)",
            name="raised_from",
        ),
        CheckConstraint("state in ('open', 'settled', 'withdrawn', 'refunded')", name="state"),
        CheckConstraint("personal_due >= 0 and total >= personal_due", name="amounts"),
        CheckConstraint("(state in ('settled', 'refunded')) = (settled_by is not null)", name="settled_by"),
        ForeignKeyConstraint(
            ["household_id", "settled_by"], ["entry.household_id", "entry.cause"], name="fk__bill__entry"
        ),
    )
    household_id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    id: Mapped[int] = mapped_column(BigInteger, primary_key=True)  # random, never counted
    person_id: Mapped[int] = mapped_column(BigInteger)
    insurance: Mapped[str] = mapped_column(Text)
    levy_year: Mapped[int] = mapped_column(SmallInteger)
    determination: Mapped[int | None] = mapped_column(BigInteger)  # of a back-payment; none: the year's premium
    years: Mapped[list[int] | None] = mapped_column(ARRAY(SmallInteger))  # a back-payment's own
    tier: Mapped[int | None] = mapped_column(BigInteger)
    level: Mapped[int | None] = mapped_column(SmallInteger)  # of the medical insurance, where he chose one
    raised_from: Mapped[int | None] = mapped_column(BigInteger)  # the tier that is paid, where this is the difference
    total: Mapped[int] = mapped_column(BigInteger)
    personal_due: Mapped[int] = mapped_column(BigInteger)
    reason_code: Mapped[str] = mapped_column(Text)
    price_until: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    benefit_start: Mapped[date | None] = mapped_column(Date)
    state: Mapped[str] = mapped_column(Text, server_default="open")
    settled_by: Mapped[str | None] = mapped_column(Text)  # the cause of the entry that booked it
    settled_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    issued_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())


class BillLine(Table):
    """Who pays how much of a bill into which fund, by which clause."""

    __tablename__ = "bill_line"
    __table_args__ = (
        ForeignKeyConstraint(["household_id", "bill_id"], ["bill.household_id", "bill.id"], name="fk__bill_line__bill"),
        CheckConstraint("amount > 0", name="amount"),
    )
    household_id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    bill_id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    line: Mapped[int] = mapped_column(SmallInteger, primary_key=True)
    part: Mapped[str] = mapped_column(Text)
    payer: Mapped[str] = mapped_column(Text)
    fund: Mapped[str] = mapped_column(Text)
    amount: Mapped[int] = mapped_column(BigInteger)
    clause: Mapped[str] = mapped_column(Text, server_default="")
    evidence: Mapped[str] = mapped_column(Text, server_default="")


class ChannelPause(Table):
    """A time in which a channel takes no new payment: written when it begins, and once more when it ends."""

    __tablename__ = "channel_pause"
    __table_args__ = (
        CheckConstraint("(opened_by is null) = (opened_at is null) and opened_at >= paused_at", name="opened"),
        Index("uq__channel_pause__in_force", "gateway", unique=True, postgresql_where=text("opened_at is null")),
    )
    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    gateway: Mapped[str] = mapped_column(Text)
    why: Mapped[str] = mapped_column(Text)  # for the offices
    words: Mapped[str] = mapped_column(Text)  # for the residents
    paused_by: Mapped[str] = mapped_column(Text)  # staff:<login>, operator:<name>
    paused_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))  # system clock
    opened_by: Mapped[str | None] = mapped_column(Text)
    opened_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))


class Payment(Table):
    """One attempt at a gateway, for one or several bills of a household, all or none."""

    __tablename__ = "payment"
    __table_args__ = (
        CheckConstraint("amount > 0", name="amount"),
        CheckConstraint("state in (" + ", ".join(f"'{state}'" for state in State) + ")", name="state"),
        CheckConstraint("(state in ('paid', 'surplus')) = (reference is not null)", name="reference"),
        Index("ix__payment__next_query_at", "next_query_at", postgresql_where=text("next_query_at is not null")),
        Index("ix__payment__check_code", "check_code"),
        Index("ix__payment__started_by", "started_by"),
    )
    household_id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    number: Mapped[str] = mapped_column(Text, primary_key=True)
    gateway: Mapped[str] = mapped_column(Text)
    merchant: Mapped[str] = mapped_column(Text)
    app: Mapped[str] = mapped_column(Text)
    kind: Mapped[str] = mapped_column(Text)
    amount: Mapped[int] = mapped_column(BigInteger)
    description: Mapped[str] = mapped_column(Text)
    payer: Mapped[bytes | None] = mapped_column(LargeBinary)  # openid, sealed, payment.payer:<number>; erased: empty
    state: Mapped[str] = mapped_column(Text, server_default="created")
    checkout: Mapped[dict[str, Any] | None] = mapped_column(JSONB)
    reference: Mapped[str | None] = mapped_column(Text)
    started_by: Mapped[str] = mapped_column(Text)  # account:<id>, agent:<id>, or staff:<login>
    started_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))  # system clock
    ordered_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))  # business clock, as the gateway is told
    expires_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))  # business clock
    paid_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))  # the gateway's success time
    next_query_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))  # system clock
    queries: Mapped[int] = mapped_column(Integer, server_default=text("0"))
    check_code: Mapped[str] = mapped_column(Text)
    memo: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default="{}")  # what the flow wants back when paid


class PaymentBill(Table):
    """Which bills a payment covers. At most one live payment holds a bill (decision 6, INV-15)."""

    __tablename__ = "payment_bill"
    __table_args__ = (
        ForeignKeyConstraint(
            ["household_id", "bill_id"], ["bill.household_id", "bill.id"], name="fk__payment_bill__bill"
        ),
        ForeignKeyConstraint(
            ["household_id", "number"], ["payment.household_id", "payment.number"], name="fk__payment_bill__payment"
        ),
        Index("uq__payment_bill__live", "household_id", "bill_id", unique=True, postgresql_where=text("live")),
    )
    household_id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    number: Mapped[str] = mapped_column(Text, primary_key=True)
    bill_id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    live: Mapped[bool] = mapped_column(Boolean, server_default=true())
    roster_id: Mapped[int | None] = mapped_column(BigInteger)  # by which roster its village's agent collects it, and
    roster_no: Mapped[int | None] = mapped_column(Integer)  # which version of it (app/flows/roster/collect.sql)


class PaymentMove(Table):
    """The legal moves of payments.states, where the database can see them (INV-08)."""

    __tablename__ = "payment_move"
    from_state: Mapped[str] = mapped_column(Text, primary_key=True)
    to_state: Mapped[str] = mapped_column(Text, primary_key=True)


class RequestKey(Table):
    """An idempotency key once used, by whom (both inside the digest), for which body, and what came of it (INV-27)."""

    __tablename__ = "request_key"
    key: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    body_hash: Mapped[bytes] = mapped_column(LargeBinary)
    household_id: Mapped[int] = mapped_column(BigInteger)
    number: Mapped[str] = mapped_column(Text)
    used_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())


class Received(Table):
    """Every callback as it arrived, believed or not. Household 0 until a number is known."""

    __tablename__ = "received"
    __table_args__ = (
        Index("ix__received__failed", "received_at", postgresql_where=text("starts_with(result, 'failed')")),
        Index("ix__received__refused", "received_at", postgresql_where=text("result = 'refused'")),
    )
    household_id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    id: Mapped[int] = mapped_column(BigInteger, primary_key=True)  # random
    gateway: Mapped[str] = mapped_column(Text)
    received_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.clock_timestamp())
    headers: Mapped[dict[str, str]] = mapped_column(JSONB)
    body: Mapped[bytes] = mapped_column(LargeBinary)
    whole: Mapped[bytes | None] = mapped_column(LargeBinary)  # SHA-256 of what came, where body is not all of it
    event_id: Mapped[str] = mapped_column(Text)
    number: Mapped[str] = mapped_column(Text)
    verdict: Mapped[str] = mapped_column(Text)  # verified, or which check failed
    result: Mapped[str] = mapped_column(Text)  # paid, again, surplus, suspense, nothing, failed:<state>


class Suspense(Table):
    """Money that arrived and fits no bill, or a verified word nobody can book: a named doubt with an owner and a day
    by which it is solved (INV-19)."""

    __tablename__ = "suspense"
    __table_args__ = (
        CheckConstraint("doubt <> '' and owner <> ''", name="owned"),
        CheckConstraint("(solved_at is null) = (solved_by is null)", name="solved_by"),
        CheckConstraint("(solved_at is null) = (solution is null)", name="solution"),
        CheckConstraint("solution in ('applied', 'given_back', 'never_there')", name="solutions"),
        Index("ix__suspense__open", "created_at", postgresql_where=text("solved_at is null")),
    )
    household_id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    cause: Mapped[str] = mapped_column(Text, primary_key=True)  # receipt:<gateway>:<reference>
    doubt: Mapped[str] = mapped_column(Text)
    owner: Mapped[str] = mapped_column(Text)  # a role until a person takes it
    gateway: Mapped[str] = mapped_column(Text)
    number: Mapped[str] = mapped_column(Text)
    amount: Mapped[int | None] = mapped_column(BigInteger)
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())
    owned_on: Mapped[date] = mapped_column(Date)  # the last working day for a person to take it; business clock
    due_on: Mapped[date] = mapped_column(Date)  # the last day for a solution, or until which it is kept
    bills_household: Mapped[int | None] = mapped_column(BigInteger)
    bills: Mapped[list[int] | None] = mapped_column(ARRAY(BigInteger))  # what somebody proposes to settle with it
    pledge: Mapped[int | None] = mapped_column(BigInteger)  # or the pledge it is proposed to be given to
    proposed_by: Mapped[str | None] = mapped_column(Text)
    solved_by: Mapped[str | None] = mapped_column(Text)
    solution: Mapped[str | None] = mapped_column(Text)
    solved_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))


class SuspenseStep(Table):
    """What somebody did about money in doubt. Only added to."""

    __tablename__ = "suspense_step"
    __table_args__ = (
        CheckConstraint(
            "word in ('taken', 'kept', 'proposed', 'withdrawn', 'applied', 'given_back', 'there_again', 'never_there')",
            name="word",
        ),
        ForeignKeyConstraint(
            ["household_id", "cause"], ["suspense.household_id", "suspense.cause"], name="fk__suspense_step__suspense"
        ),
    )
    household_id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    cause: Mapped[str] = mapped_column(Text, primary_key=True)
    step: Mapped[int] = mapped_column(SmallInteger, primary_key=True)
    word: Mapped[str] = mapped_column(Text)
    by: Mapped[str] = mapped_column(Text)
    at: Mapped[datetime] = mapped_column(DateTime(timezone=True))  # business clock
    reason: Mapped[str] = mapped_column(Text, server_default="")
