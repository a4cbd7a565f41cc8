"""Gateways' statements: what was asked for, their files as they came, and their lines in our words."""

from datetime import date, datetime

from sqlalchemy import BigInteger, Boolean, CheckConstraint, Date, DateTime, Index, Integer, LargeBinary, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Table


class Statement(Table):
    """A gateway's own list of a business day: asked for until it is whole, or they say there was nothing."""

    __tablename__ = "statement"
    __table_args__ = (CheckConstraint("state in ('waiting', 'whole', 'empty')", name="state"),)
    gateway: Mapped[str] = mapped_column(Text, primary_key=True)
    day: Mapped[date] = mapped_column(Date, primary_key=True)
    state: Mapped[str] = mapped_column(Text, server_default="waiting")
    tries: Mapped[int] = mapped_column(Integer, server_default=text("0"))
    next_try_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))  # system clock
    trouble: Mapped[str] = mapped_column(Text, server_default="")  # of the last try, for the clerk
    alerted: Mapped[bool] = mapped_column(Boolean, server_default=text("false"))
    digest: Mapped[bytes | None] = mapped_column(LargeBinary)  # SHA-256 of their file as it came
    lines: Mapped[int | None] = mapped_column(Integer)
    received: Mapped[int | None] = mapped_column(BigInteger)  # sum of payments, fen
    refunded: Mapped[int | None] = mapped_column(BigInteger)
    fee: Mapped[int | None] = mapped_column(BigInteger)  # thousandths of a fen
    fetched_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    matched_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))  # system clock
    deposit: Mapped[str | None] = mapped_column(Text)  # the bank's serial of the credit that settled it


class StatementPiece(Table):
    """Their file as it came, in pieces of a megabyte: evidence, read again whenever our reading of it changes."""

    __tablename__ = "statement_piece"
    gateway: Mapped[str] = mapped_column(Text, primary_key=True)
    day: Mapped[date] = mapped_column(Date, primary_key=True)
    piece: Mapped[int] = mapped_column(Integer, primary_key=True)
    content: Mapped[bytes] = mapped_column(LargeBinary)


class StatementRow(Table):
    """One line of a statement in our words."""

    __tablename__ = "statement_row"
    __table_args__ = (
        CheckConstraint("amount >= 0", name="amount"),
        # A refund may stand on their list long before the day it is done.
        Index("ix__statement_row__refund", "gateway", "day", postgresql_where=text("movement = 'refund'")),
    )
    gateway: Mapped[str] = mapped_column(Text, primary_key=True)
    day: Mapped[date] = mapped_column(Date, primary_key=True)
    row: Mapped[int] = mapped_column(Integer, primary_key=True)
    movement: Mapped[str] = mapped_column(Text)
    number: Mapped[str] = mapped_column(Text)
    reference: Mapped[str] = mapped_column(Text)
    refund_number: Mapped[str] = mapped_column(Text)
    refund_reference: Mapped[str] = mapped_column(Text)
    amount: Mapped[int] = mapped_column(BigInteger)
    fee: Mapped[int] = mapped_column(BigInteger)
    happened_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    their_word: Mapped[str] = mapped_column(Text)
    app: Mapped[str] = mapped_column(Text, server_default="")  # of ours, where their file says it
