"""Pledges: money that somebody gives beforehand for others' premiums. The account `sponsor:<id>` holds it; the pledge's
own row counts beside the book, so that a share is spoken for in one short write (decision 0053)."""

from datetime import datetime

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    DateTime,
    ForeignKey,
    ForeignKeyConstraint,
    Identity,
    Index,
    SmallInteger,
    Text,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Table
from payments.taking.tables import Bill, Payment  # noqa: F401  a share is of a bill, money comes by a payment

STANDS = ("proposed", "agreed", "ended", "dropped")
SHARES = ("reserved", "released", "used", "given_back")


def _one_of(column: str, words: tuple[str, ...]) -> str:
    return f"{column} in (" + ", ".join(f"'{word}'" for word in words) + ")"


class Pledge(Table):
    """One promise of one sponsor for an insurance and levy year; fen. `taken` came in; `spoken` is reserved for bills
    or was used for them; `back` is on its way back to the sponsor or there. Its number is what a payer quotes."""

    __tablename__ = "pledge"
    __table_args__ = (
        CheckConstraint(_one_of("state", STANDS), name="state"),
        CheckConstraint("budget > 0", name="budget"),
        CheckConstraint("taken >= 0 and spoken >= 0 and back >= 0", name="counted"),
        CheckConstraint("spoken <= budget and spoken + back <= taken", name="covered"),
        Index("ix__pledge__agreed", "levy_year", postgresql_where=text("state = 'agreed'")),
    )
    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    number: Mapped[str] = mapped_column(Text, unique=True)
    insurance: Mapped[str] = mapped_column(Text)
    levy_year: Mapped[int] = mapped_column(SmallInteger)
    budget: Mapped[int] = mapped_column(BigInteger)
    state: Mapped[str] = mapped_column(Text, server_default="proposed")
    taken: Mapped[int] = mapped_column(BigInteger, server_default=text("0"))
    spoken: Mapped[int] = mapped_column(BigInteger, server_default=text("0"))
    back: Mapped[int] = mapped_column(BigInteger, server_default=text("0"))


class PledgeMoney(Table):
    """One receipt that brought money for a pledge. Only added to."""

    __tablename__ = "pledge_money"
    __table_args__ = (
        CheckConstraint("amount > 0", name="amount"),
        ForeignKeyConstraint(
            ["household_id", "cause"], ["entry.household_id", "entry.cause"], name="fk__pledge_money__entry"
        ),
        Index("ix__pledge_money__pledge_id", "pledge_id"),
    )
    household_id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    cause: Mapped[str] = mapped_column(Text, primary_key=True)
    pledge_id: Mapped[int] = mapped_column(ForeignKey("pledge.id"))
    amount: Mapped[int] = mapped_column(BigInteger)
    at: Mapped[datetime] = mapped_column(DateTime(timezone=True))  # business clock


class PledgeShare(Table):
    """What a pledge pays of one bill, as the bill's line says; while it is reserved or used it is spoken for."""

    __tablename__ = "pledge_share"
    __table_args__ = (
        CheckConstraint("amount > 0", name="amount"),
        CheckConstraint(_one_of("state", SHARES), name="state"),
        ForeignKeyConstraint(
            ["household_id", "bill_id"], ["bill.household_id", "bill.id"], name="fk__pledge_share__bill"
        ),
        Index("ix__pledge_share__pledge_id", "pledge_id"),
    )
    household_id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    bill_id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    pledge_id: Mapped[int] = mapped_column(ForeignKey("pledge.id"), primary_key=True)
    amount: Mapped[int] = mapped_column(BigInteger)
    state: Mapped[str] = mapped_column(Text)


class PledgePayment(Table):
    """An attempt at a gateway whose money is a pledge's and pays no bill."""

    __tablename__ = "pledge_payment"
    __table_args__ = (
        ForeignKeyConstraint(
            ["household_id", "number"], ["payment.household_id", "payment.number"], name="fk__pledge_payment__payment"
        ),
        Index("ix__pledge_payment__pledge_id", "pledge_id"),
    )
    household_id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    number: Mapped[str] = mapped_column(Text, primary_key=True)
    pledge_id: Mapped[int] = mapped_column(ForeignKey("pledge.id"))
