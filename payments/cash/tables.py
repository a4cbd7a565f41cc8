"""Receipt books, the receipts of cash, batches that left an agent's hands, and the bank's slips by which they did."""

from datetime import date, datetime

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Date,
    DateTime,
    ForeignKey,
    Identity,
    Index,
    Integer,
    LargeBinary,
    Text,
    text,
)
from sqlalchemy.dialects.postgresql import ExcludeConstraint
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Table

BY_YEAR = 100_000_000  # a serial is the levy year and eight figures


class ReceiptBook(Table):
    """A range of serials that tax gave to a village. `next` is taken from it next; past `last` nothing is left."""

    __tablename__ = "receipt_book"
    __table_args__ = (
        CheckConstraint("first <= last and last - first < 1000", name="size"),
        CheckConstraint(f"first / {BY_YEAR} = last / {BY_YEAR} and first % {BY_YEAR} > 0", name="one_year"),
        CheckConstraint("next between first and last + 1", name="next"),
        ExcludeConstraint((text("int8range(first, last, '[]')"), "&&"), name="ex__receipt_book__serials"),
        Index("ix__receipt_book__village_code", "village_code"),
    )
    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    village_code: Mapped[str] = mapped_column(Text, ForeignKey("village.code"))
    first: Mapped[int] = mapped_column(BigInteger)
    last: Mapped[int] = mapped_column(BigInteger)
    next: Mapped[int] = mapped_column(BigInteger)
    by: Mapped[str] = mapped_column(Text)
    at: Mapped[datetime] = mapped_column(DateTime(timezone=True))  # business clock


class CashSwitch(Table):
    """The town's word that a village may take cash on a day, or may not; the last one counts. Only added to."""

    __tablename__ = "cash_switch"
    __table_args__ = (Index("ix__cash_switch__village_code", "village_code", "day"),)
    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    village_code: Mapped[str] = mapped_column(Text, ForeignKey("village.code"))
    day: Mapped[date] = mapped_column(Date)
    is_on: Mapped[bool] = mapped_column(Boolean)
    by: Mapped[str] = mapped_column(Text)
    at: Mapped[datetime] = mapped_column(DateTime(timezone=True))  # business clock


class CashBatch(Table):
    """Receipts whose money an agent took to the bank together. `arrived`: what the bank's file brought of it so far."""

    __tablename__ = "cash_batch"
    __table_args__ = (
        CheckConstraint("count > 0 and total > 0 and arrived between 0 and total", name="amounts"),
        Index("ix__cash_batch__agent_id", "agent_id"),
    )
    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    agent_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("agent.id"))
    count: Mapped[int] = mapped_column(Integer)
    total: Mapped[int] = mapped_column(BigInteger)
    oldest: Mapped[datetime] = mapped_column(DateTime(timezone=True))  # when its first money was taken; business clock
    arrived: Mapped[int] = mapped_column(BigInteger, server_default=text("0"))
    at: Mapped[datetime] = mapped_column(DateTime(timezone=True))  # business clock


class CashSlip(Table):
    """The number of a bank's slip for a batch, as its agent wrote it; if too short or misread, there are several."""

    __tablename__ = "cash_slip"
    __table_args__ = (
        CheckConstraint("slip ~ '^[0-9A-Z-]{4,40}$'", name="slip"),
        CheckConstraint("(struck_by is null) = (struck_at is null)", name="struck"),
        Index("ix__cash_slip__slip", "slip"),
        Index("uq__cash_slip__batch_id", "batch_id", "slip", unique=True, postgresql_where=text("struck_at is null")),
    )
    id: Mapped[int] = mapped_column(
        BigInteger, primary_key=True, autoincrement=False
    )  # random: its photo is sealed under it
    batch_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("cash_batch.id"))
    slip: Mapped[str] = mapped_column(Text)
    photo: Mapped[bytes | None] = mapped_column(LargeBinary)  # sealed, cash_slip.photo:<id>
    at: Mapped[datetime] = mapped_column(DateTime(timezone=True))  # business clock
    struck_by: Mapped[str | None] = mapped_column(Text)  # by tax: it is not of this batch
    struck_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))  # business clock


class Receipt(Table):
    """One special receipt for one item that was paid in cash: one entry of the book, receipt:cash:<serial>."""

    __tablename__ = "receipt"
    __table_args__ = (
        CheckConstraint("amount > 0", name="amount"),
        CheckConstraint("state in ('ISSUED', 'VOIDED', 'REMITTED')", name="state"),
        CheckConstraint("(state = 'REMITTED') = (batch_id is not null)", name="batch"),
        CheckConstraint(
            "(state = 'VOIDED') = (void_why is not null) and (void_why is null) = (voided_at is null)"
            " and void_why in ('torn', 'wrong', 'returned')",
            name="voided",
        ),
        Index("ix__receipt__agent_id", "agent_id", "state"),
        Index("ix__receipt__village_code", "village_code"),
        Index("ix__receipt__bill_id", "bill_id"),
        Index("ix__receipt__key", "key"),
        Index("ix__receipt__batch_id", "batch_id"),
        Index("uq__receipt__code", "code", unique=True),
    )
    serial: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    book_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("receipt_book.id"))
    village_code: Mapped[str] = mapped_column(Text, ForeignKey("village.code"))
    agent_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("agent.id"))
    household_id: Mapped[int] = mapped_column(BigInteger)
    bill_id: Mapped[int] = mapped_column(BigInteger)
    amount: Mapped[int] = mapped_column(BigInteger)
    code: Mapped[str] = mapped_column(Text)  # by which anybody tells a true one from a false one
    key: Mapped[bytes] = mapped_column(LargeBinary)  # of the request that it came of
    roster_id: Mapped[int | None] = mapped_column(BigInteger)  # by which roster it was collected, and
    roster_no: Mapped[int | None] = mapped_column(Integer)  # which version of it
    issued_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))  # business clock
    replaces: Mapped[int | None] = mapped_column(BigInteger)  # the torn one in whose place it is
    state: Mapped[str] = mapped_column(Text, server_default="ISSUED")
    void_why: Mapped[str | None] = mapped_column(Text)
    voided_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))  # business clock
    batch_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("cash_batch.id"))
