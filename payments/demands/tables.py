"""A department's bills (代缴账单): the postings of what it owes, each on one bill, and what came for it."""

from datetime import datetime

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    DateTime,
    ForeignKey,
    Identity,
    Index,
    Integer,
    SmallInteger,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Table


class Demand(Table):
    """What one department owes into one fund for a levy year. Frozen; only what is paid of it moves."""

    __tablename__ = "demand"
    __table_args__ = (
        CheckConstraint("amount > 0 and paid between 0 and amount", name="amounts"),
        CheckConstraint(
            "state = case paid when 0 then 'OPEN' when amount then 'PAID' else 'PARTLY_PAID' end", name="state"
        ),
        Index("ix__demand__whose", "department", "levy_year", "fund"),
    )
    id: Mapped[int] = mapped_column(BigInteger, Identity(cycle=False), primary_key=True)
    number: Mapped[str] = mapped_column(Text, unique=True)  # DK, the year, the place, two digits that prove it
    department: Mapped[str] = mapped_column(Text)
    levy_year: Mapped[int] = mapped_column(SmallInteger)
    fund: Mapped[str] = mapped_column(Text)
    source: Mapped[int | None] = mapped_column(
        BigInteger
    )  # the list its people came by, opaque here; none: the register
    amount: Mapped[int] = mapped_column(BigInteger)
    paid: Mapped[int] = mapped_column(BigInteger, server_default=text("0"))
    state: Mapped[str] = mapped_column(Text, server_default="OPEN")
    drawn_by: Mapped[str] = mapped_column(Text)
    drawn_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))  # business clock


class DemandLine(Table):
    """One posting of the department's receivable, about one person's bill; less than nothing: a credit, of what went
    back after it had been billed."""

    __tablename__ = "demand_line"
    __table_args__ = (
        UniqueConstraint("household_id", "cause", "line", name="uq__demand_line__posting"),
        CheckConstraint("amount <> 0", name="amount"),
    )
    demand_id: Mapped[int] = mapped_column(ForeignKey("demand.id"), primary_key=True)
    no: Mapped[int] = mapped_column(Integer, primary_key=True)
    household_id: Mapped[int] = mapped_column(BigInteger)
    cause: Mapped[str] = mapped_column(Text)
    line: Mapped[int] = mapped_column(SmallInteger)
    item: Mapped[int] = mapped_column(BigInteger)  # the person's bill
    amount: Mapped[int] = mapped_column(BigInteger)


class DemandPayment(Table):
    """What of a line of the bank's or the treasury's file is for a bill: money that pays it, or that had paid it at the
    bank and is now passed on to the treasury."""

    __tablename__ = "demand_payment"
    __table_args__ = (
        CheckConstraint("amount > 0", name="amount"),
        CheckConstraint("way in ('paid', 'passed') and kind in ('bank', 'treasury')", name="way"),
        CheckConstraint("way = 'paid' or kind = 'treasury'", name="passed"),
        Index("ix__demand_payment__serial", "kind", "serial"),
    )
    demand_id: Mapped[int] = mapped_column(ForeignKey("demand.id"), primary_key=True)
    kind: Mapped[str] = mapped_column(Text, primary_key=True)  # of the file, as outside_row
    serial: Mapped[str] = mapped_column(Text, primary_key=True)
    way: Mapped[str] = mapped_column(Text, primary_key=True)
    amount: Mapped[int] = mapped_column(BigInteger)
    at: Mapped[datetime] = mapped_column(DateTime(timezone=True))  # business clock
