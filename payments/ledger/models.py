"""The book: entries and their postings. Nobody writes here but the database's own function ledger_post()."""

from datetime import date, datetime

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Date,
    DateTime,
    ForeignKeyConstraint,
    Index,
    SmallInteger,
    Text,
    func,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Table


class Account(Table):
    """A line of the chart. `kind` says on which side it normally stands."""

    __tablename__ = "account"
    __table_args__ = (CheckConstraint("kind in ('asset', 'liability', 'expense')", name="kind"),)
    code: Mapped[str] = mapped_column(Text, primary_key=True)
    kind: Mapped[str] = mapped_column(Text)
    name: Mapped[str] = mapped_column(Text)


class Entry(Table):
    """One balanced event of the book. Its cause is its key: the same cause never books twice."""

    __tablename__ = "entry"
    __table_args__ = (
        Index("ix__entry__booked_on", "booked_on"),
        # A card's receipt is looked for in any household: a corrected file may name another person.
        Index("ix__entry__pos", "cause", postgresql_where=text("starts_with(cause, 'receipt:ccb_pos:')")),
    )
    household_id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    cause: Mapped[str] = mapped_column(Text, primary_key=True)  # noun:id:event
    booked_on: Mapped[date] = mapped_column(Date)  # Beijing day on the business clock
    happened_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))  # when the money moved
    written_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.clock_timestamp())
    transaction: Mapped[int] = mapped_column(BigInteger)  # of the database: postings join only their own


class Posting(Table):
    """One line of an entry; debit positive, credit negative, in fen."""

    __tablename__ = "posting"
    __table_args__ = (
        ForeignKeyConstraint(
            ["household_id", "cause"], ["entry.household_id", "entry.cause"], name="fk__posting__entry"
        ),
        CheckConstraint("amount <> 0", name="amount"),
        Index(  # what departments owe in somebody's place, for their bills
            "ix__posting__substitutes",
            "household_id",
            "item",
            postgresql_where=text("item is not null and starts_with(account, 'receivable:gov_substitute:')"),
        ),
        Index(  # what an agent holds
            "ix__posting__cash", "account", postgresql_where=text("starts_with(account, 'cash:agent:')")
        ),
    )
    household_id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    cause: Mapped[str] = mapped_column(Text, primary_key=True)
    line: Mapped[int] = mapped_column(SmallInteger, primary_key=True)
    account: Mapped[str] = mapped_column(Text)
    amount: Mapped[int] = mapped_column(BigInteger)
    item: Mapped[int | None] = mapped_column(BigInteger)  # what the line is about, opaque to the book
