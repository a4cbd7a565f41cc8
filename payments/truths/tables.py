"""What the last look at each truth found, shown as figures; and what the worker could not do."""

from datetime import date, datetime

from sqlalchemy import BigInteger, Date, DateTime, Integer, LargeBinary, Text, func, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Table


class BookCheck(Table):
    """One truth and its last look."""

    __tablename__ = "book_check"
    number: Mapped[str] = mapped_column(Text, primary_key=True)
    rows: Mapped[int] = mapped_column(BigInteger)
    sample: Mapped[list[str]] = mapped_column(ARRAY(Text))
    checked_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))  # system clock


class KeptDay(Table):
    """How many rows of a table that is only added to were written on a Beijing day, and their digest (INV-82)."""

    __tablename__ = "kept_day"
    of: Mapped[str] = mapped_column(Text, primary_key=True)  # received, disclosure, act, register_change
    day: Mapped[date] = mapped_column(Date, primary_key=True)
    rows: Mapped[int] = mapped_column(BigInteger)
    digest: Mapped[bytes] = mapped_column(LargeBinary)
    kept_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())


class Trouble(Table):
    """A row of a worker's work that went wrong the last time it was tried, and how often in a row (INV-60)."""

    __tablename__ = "trouble"
    task: Mapped[str] = mapped_column(Text, primary_key=True)
    subject: Mapped[str] = mapped_column(Text, primary_key=True)  # our own number or cause of it, never a person
    times: Mapped[int] = mapped_column(Integer, server_default=text("1"))
    error: Mapped[str] = mapped_column(Text)  # kind and place, never a message: those carry people
    last_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))  # system clock
