"""Reconciliation: what became of every line of a statement, the differences by name, the files of bank, treasury and
bureaus, and who asked to close a day with exceptions."""

from datetime import date, datetime
from typing import Any

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
    SmallInteger,
    Text,
    false,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Table

KINDS = ("MISSING_IN_BANK", "MISSING_IN_LEDGER", "AMOUNT_DIFF", "DATE_DIFF", "DUPLICATE", "UNKNOWN_PERSON")
BOOKS = ("channel", "deposit", "treasury", "bureau")
STEPS = ("proposed", "withdrawn", "refused", "booked", "accepted")


def _one_of(column: str, words: tuple[str, ...]) -> str:
    return f"{column} in (" + ", ".join(f"'{word}'" for word in words) + ")"


class StatementMatch(Table):
    """What became of one line of a statement; `row` below zero: a line of our book that they do not have."""

    __tablename__ = "statement_match"
    __table_args__ = (
        CheckConstraint(_one_of("verdict", ("matched", *KINDS)), name="verdict"),
        Index("ix__statement_match__open", "gateway", "day", postgresql_where=text("verdict <> 'matched'")),
    )
    gateway: Mapped[str] = mapped_column(Text, primary_key=True)
    day: Mapped[date] = mapped_column(Date, primary_key=True)
    row: Mapped[int] = mapped_column(Integer, primary_key=True)
    verdict: Mapped[str] = mapped_column(Text)
    household_id: Mapped[int | None] = mapped_column(BigInteger)
    cause: Mapped[str | None] = mapped_column(Text)  # of our entry; null for a matched payment, whose reference says it
    ours: Mapped[int | None] = mapped_column(BigInteger)  # where it is not their amount
    our_day: Mapped[date | None] = mapped_column(Date)  # where it is another day than theirs


class Discrepancy(Table):
    """One difference between two books: what it is, whose it is, and how it ended. The same facts are one row."""

    __tablename__ = "discrepancy"
    __table_args__ = (
        CheckConstraint(_one_of("kind", KINDS), name="kind"),
        CheckConstraint(_one_of("books", BOOKS), name="books"),
        CheckConstraint(_one_of("state", ("open", "proposed", "cleared")), name="state"),
        CheckConstraint("owner <> ''", name="owned"),
        CheckConstraint("(state = 'open') = (cleared_by is null)", name="cleared_by"),
        CheckConstraint("cleared_by <> confirmed_by", name="two_people"),
        CheckConstraint("state <> 'cleared' or remedy <> 'book' or confirmed_by is not null", name="money"),
        CheckConstraint("state = 'open' or reason <> ''", name="reason"),
        Index(
            "uq__discrepancy__facts",
            *("books", "channel", "day", "kind", "what", "subject", "ours", "theirs", "our_day"),
            unique=True,
            postgresql_nulls_not_distinct=True,
        ),
        Index("ix__discrepancy__open", "day", postgresql_where=text("state <> 'cleared'")),
    )
    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    books: Mapped[str] = mapped_column(Text)  # our ledger against: channel, deposit, treasury, bureau
    channel: Mapped[str] = mapped_column(Text)  # gateway, bank, or insurance
    day: Mapped[date] = mapped_column(Date)  # theirs
    kind: Mapped[str] = mapped_column(Text)
    what: Mapped[str] = mapped_column(Text)  # payment, refund, fee, deposit, fund, bill
    subject: Mapped[str] = mapped_column(Text)  # their reference, or where in their file; never a person
    number: Mapped[str] = mapped_column(Text, server_default="")  # ours, where there is one
    ours: Mapped[int | None] = mapped_column(BigInteger)  # fen
    theirs: Mapped[int | None] = mapped_column(BigInteger)
    our_day: Mapped[date | None] = mapped_column(Date)
    lacks: Mapped[int] = mapped_column(BigInteger, server_default=text("0"))  # what their account misses in our book
    note: Mapped[str] = mapped_column(Text, server_default="")
    owner: Mapped[str] = mapped_column(Text)
    opened_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))  # business clock
    deadline: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    seen_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))  # system clock: the last comparison that saw it
    alerted: Mapped[bool] = mapped_column(Boolean, server_default=false())
    state: Mapped[str] = mapped_column(Text, server_default="open")
    remedy: Mapped[str] = mapped_column(Text, server_default="")
    reason: Mapped[str] = mapped_column(Text, server_default="")
    cleared_by: Mapped[str | None] = mapped_column(Text)
    cleared_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    confirmed_by: Mapped[str | None] = mapped_column(Text)
    confirmed_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))


class DiscrepancyStep(Table):
    """One dated step of a difference. Only added to."""

    __tablename__ = "discrepancy_step"
    __table_args__ = (CheckConstraint(_one_of("word", STEPS), name="word"),)
    discrepancy: Mapped[int] = mapped_column(ForeignKey("discrepancy.id"), primary_key=True)
    step: Mapped[int] = mapped_column(SmallInteger, primary_key=True)
    word: Mapped[str] = mapped_column(Text)
    by: Mapped[str] = mapped_column(Text)
    at: Mapped[datetime] = mapped_column(DateTime(timezone=True))  # business clock
    reason: Mapped[str] = mapped_column(Text, server_default="")


class ClosingRequest(Table):
    """Somebody asks to close a day although these differences are open; another confirms."""

    __tablename__ = "closing_request"
    day: Mapped[date] = mapped_column(Date, primary_key=True)
    exceptions: Mapped[list[Any]] = mapped_column(JSONB)
    asked_by: Mapped[str] = mapped_column(Text)
    asked_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))


class OutsideFile(Table):
    """A file of the bank, the treasury, a bureau or the POS terminals that was taken in, by what it contained."""

    __tablename__ = "outside_file"
    kind: Mapped[str] = mapped_column(Text, primary_key=True)
    digest: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)  # SHA-256 of the file as it came
    rows: Mapped[int] = mapped_column(Integer)
    total: Mapped[int] = mapped_column(BigInteger)
    imported_by: Mapped[str] = mapped_column(Text)
    imported_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())


class OutsideRow(Table):
    """One line of such a file and what became of it; amounts in fen, no person in it."""

    __tablename__ = "outside_row"
    __table_args__ = (
        CheckConstraint(_one_of("kind", ("bank", "treasury", "bureau")), name="kind"),
        Index("ix__outside_row__day", "kind", "day"),
    )
    kind: Mapped[str] = mapped_column(Text, primary_key=True)
    serial: Mapped[str] = mapped_column(Text, primary_key=True)  # theirs
    day: Mapped[date] = mapped_column(Date)  # the business day it is about
    booked_on: Mapped[date] = mapped_column(Date)  # when they booked it
    amount: Mapped[int] = mapped_column(BigInteger)
    channel: Mapped[str] = mapped_column(Text, server_default="")  # gateway, cash, or insurance
    levy_year: Mapped[int | None] = mapped_column(Integer)
    until: Mapped[date | None] = mapped_column(Date)  # the last business day it is about, if several
    part: Mapped[str] = mapped_column(
        Text, server_default=""
    )  # premium, or <part>:<payer> of a subsidy; action; a pledge's number
    person_id: Mapped[int | None] = mapped_column(BigInteger)
    demand: Mapped[str] = mapped_column(Text, server_default="")  # the number of a department's bill that it names
    verdict: Mapped[str] = mapped_column(Text, server_default="")
    cause: Mapped[str | None] = mapped_column(Text)  # of the entry it made
