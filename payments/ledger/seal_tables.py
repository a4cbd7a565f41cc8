"""Closed days of the book: what was booked on each, as a digest that chains to the day before, and its totals."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, Date, DateTime, LargeBinary, SmallInteger, Text, func
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Table


class SealedDay(Table):
    """One closed day. After it nothing is booked on it or before it by anybody (INV-13)."""

    __tablename__ = "sealed_day"
    __table_args__ = (
        CheckConstraint("confirmed_by <> closed_by", name="two_people"),
        CheckConstraint("exceptions = '[]' or confirmed_by is not null", name="exceptions"),
        CheckConstraint("length(digest) = 32 and length(previous) = 32", name="digest"),
    )
    day: Mapped[date] = mapped_column(Date, primary_key=True)  # Beijing day on the business clock
    entries: Mapped[int] = mapped_column(BigInteger)
    postings: Mapped[int] = mapped_column(BigInteger)
    digest: Mapped[bytes] = mapped_column(LargeBinary)  # SHA-256 over `previous`, the day and its entries
    previous: Mapped[bytes] = mapped_column(LargeBinary)  # the digest of the day before; zeros before the first
    exceptions: Mapped[list[Any]] = mapped_column(JSONB, server_default="[]")  # what was open, by name
    closed_by: Mapped[str] = mapped_column(Text)
    confirmed_by: Mapped[str | None] = mapped_column(Text)  # who agreed to the exceptions
    closed_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))  # business clock
    written_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())
    version: Mapped[int] = mapped_column(SmallInteger, server_default="2")  # of the digest: 1 says less (seal.sql)


class SealedTotal(Table):
    """What an account moved on a closed day, and where it stood at its end, in fen; debit positive."""

    __tablename__ = "sealed_total"
    day: Mapped[date] = mapped_column(Date, primary_key=True)
    account: Mapped[str] = mapped_column(Text, primary_key=True)
    debit: Mapped[int] = mapped_column(BigInteger)
    credit: Mapped[int] = mapped_column(BigInteger)
    balance: Mapped[int] = mapped_column(BigInteger)


class Certificate(Table):
    """What was signed about a closed day: the text as it was signed, the signature, and the key that verifies it."""

    __tablename__ = "certificate"
    day: Mapped[date] = mapped_column(Date, primary_key=True)
    content: Mapped[str] = mapped_column(Text)
    signature: Mapped[bytes] = mapped_column(LargeBinary)
    public_key: Mapped[bytes] = mapped_column(LargeBinary)
    written_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())
