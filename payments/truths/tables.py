"""What the last look at each truth found, shown as figures; what the worker could not do; backups, and the restores
that proved them."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import BigInteger, Boolean, Date, DateTime, Identity, Integer, LargeBinary, Text, func, text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Table


class BookCheck(Table):
    """One truth and its last look."""

    __tablename__ = "book_check"
    number: Mapped[str] = mapped_column(Text, primary_key=True)
    rows: Mapped[int] = mapped_column(BigInteger)
    sample: Mapped[list[str]] = mapped_column(ARRAY(Text))
    checked_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))  # system clock
    whole_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))  # when all was looked at, system clock
    horizon: Mapped[int | None] = mapped_column(BigInteger)  # what transactions from here on wrote is new since then


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


class BackupRun(Table):
    """One run of `ops backup`, and what became of it. System clock, like all that follows."""

    __tablename__ = "backup_run"
    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    kind: Mapped[str] = mapped_column(Text)  # full, diff
    began_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    ended_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    trouble: Mapped[str] = mapped_column(Text, server_default="")  # empty: it went well
    damage: Mapped[list[str] | None] = mapped_column(ARRAY(Text))  # None: not looked for


class Backup(Table):
    """One backup in one repository, as the repository itself tells of it: never what a command says it did."""

    __tablename__ = "backup"
    stanza: Mapped[str] = mapped_column(Text, primary_key=True)
    repository: Mapped[int] = mapped_column(Integer, primary_key=True)
    label: Mapped[str] = mapped_column(Text, primary_key=True)
    kind: Mapped[str] = mapped_column(Text)  # full, diff, incr
    began_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    ended_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    bytes: Mapped[int] = mapped_column(BigInteger)  # of the database
    added: Mapped[int] = mapped_column(BigInteger)  # bytes, in the repository
    away: Mapped[bool] = mapped_column(Boolean)  # off the machine


class Drill(Table):
    """One restore to a second server, and whether everything held there. Not ended: under way, or killed."""

    __tablename__ = "drill"
    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    moment: Mapped[str] = mapped_column(Text)  # as asked for: UTC, or latest, or backup
    began_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    ended_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    holds: Mapped[bool | None] = mapped_column(Boolean)
    lost_s: Mapped[int | None] = mapped_column(Integer)  # from the last commit that is there to the moment
    bytes: Mapped[int | None] = mapped_column(BigInteger)
    differences: Mapped[list[str] | None] = mapped_column(ARRAY(Text))  # days, truths, numbers: never people
    figures: Mapped[dict[str, Any] | None] = mapped_column(JSONB)


class Reopening(Table):
    """Service begun again on a server that was restored or promoted: what came after `lost_since` may be gone."""

    __tablename__ = "reopening"
    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    lost_since: Mapped[datetime] = mapped_column(DateTime(timezone=True))  # business clock
    lost_until: Mapped[datetime] = mapped_column(DateTime(timezone=True))  # likewise: when it was reopened
    at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    by: Mapped[str] = mapped_column(Text)
    timeline: Mapped[int] = mapped_column(Integer, unique=True)  # of the server, as PostgreSQL counts them
    last_household: Mapped[int] = mapped_column(BigInteger)  # the last that is known
    first_household: Mapped[int] = mapped_column(BigInteger)  # the first that was made afterwards
