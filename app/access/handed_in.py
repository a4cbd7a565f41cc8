"""What an office hands in: a file, kept sealed piece by piece, and the long work it asks for on it."""

from datetime import datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    DateTime,
    ForeignKey,
    Identity,
    Index,
    Integer,
    LargeBinary,
    SmallInteger,
    Text,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Table


class Upload(Table):
    """A file as it was handed in at a page, or as its work wrote it for who asked. Its pieces go, the row stays."""

    __tablename__ = "upload"
    __table_args__ = (
        CheckConstraint("(gone_at is null) = (gone_by is null)", name="gone"),
        CheckConstraint("starts_with(by, 'staff:')", name="by"),
        CheckConstraint("size > 0 and length(digest) = 32", name="whole"),
        Index("ix__upload__digest", "digest"),
    )
    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    name: Mapped[str] = mapped_column(Text)  # as the file was called; never a person
    digest: Mapped[bytes] = mapped_column(LargeBinary)  # SHA-256 of its bytes
    size: Mapped[int] = mapped_column(BigInteger)  # bytes
    by: Mapped[str] = mapped_column(Text)  # staff:<login>
    role: Mapped[str] = mapped_column(Text)  # his, at that moment: whose file it is
    at: Mapped[datetime] = mapped_column(DateTime(timezone=True))  # system clock, like all here
    gone_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    gone_by: Mapped[str | None] = mapped_column(Text)  # who threw it away, or rule:retention


class UploadPiece(Table):
    """Some of a file's bytes, in base64, sealed."""

    __tablename__ = "upload_piece"
    upload_id: Mapped[int] = mapped_column(ForeignKey("upload.id"), primary_key=True)
    no: Mapped[int] = mapped_column(Integer, primary_key=True)  # from 0
    bytes: Mapped[bytes] = mapped_column(LargeBinary)  # sealed, upload.piece:<upload_id>:<no>


class LostSecond(Table):
    """An agent's telephone that is gone (app/access/agents.sql): asked for by one, agreed to by another."""

    __tablename__ = "lost_second"
    __table_args__ = (
        CheckConstraint(
            "(agreed_by is null) = (agreed_at is null) and (refused_by is null) = (refused_at is null)"
            " and num_nonnulls(agreed_at, refused_at) <= 1 and (made_at is null or agreed_at is not null)",
            name="answered",
        ),
        CheckConstraint("agreed_by <> asked_by", name="two_people"),
        CheckConstraint("length(why) >= 4", name="why"),
        Index(
            "uq__lost_second__open",
            "login",
            unique=True,
            postgresql_where=text("agreed_at is null and refused_at is null"),
        ),
    )
    id: Mapped[int] = mapped_column(BigInteger, Identity(cycle=False), primary_key=True)
    login: Mapped[str] = mapped_column(Text)
    why: Mapped[str] = mapped_column(Text)
    asked_by: Mapped[str] = mapped_column(Text)  # staff:<login>, like those below
    asked_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    agreed_by: Mapped[str | None] = mapped_column(Text)
    agreed_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    refused_by: Mapped[str | None] = mapped_column(Text)
    refused_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    made_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))  # its slip was


class OfficeJob(Table):
    """Long work that somebody of an office asked for; the office process does it in his name (access/office.sql)."""

    __tablename__ = "office_job"
    __table_args__ = (
        CheckConstraint("state in ('waiting', 'doing', 'done', 'failed')", name="state"),
        CheckConstraint(
            "(state = 'waiting') = (began_at is null) and (state in ('done', 'failed')) = (ended_at is not null)",
            name="moments",
        ),
        CheckConstraint(
            "(state = 'done') = (outcome is not null) and (state = 'failed') = (problem <> '')", name="end"
        ),
        CheckConstraint("starts_with(by, 'staff:')", name="by"),
        Index(
            "uq__office_job__open",
            "kind",
            text("coalesce(upload_id, 0)"),
            "about",
            unique=True,
            postgresql_where=text("state in ('waiting', 'doing')"),
        ),
        Index("ix__office_job__upload_id", "upload_id"),
    )
    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    kind: Mapped[str] = mapped_column(Text)  # a line of app/office_jobs.py
    upload_id: Mapped[int | None] = mapped_column(ForeignKey("upload.id"))
    about: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default="{}")  # what it needs to know; never a person
    by: Mapped[str] = mapped_column(Text)  # staff:<login>
    at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    state: Mapped[str] = mapped_column(Text, server_default="waiting")
    turns: Mapped[int] = mapped_column(SmallInteger, server_default=text("0"))  # how often it was begun
    rows: Mapped[int] = mapped_column(BigInteger, server_default=text("0"))  # how far it is
    rows_about: Mapped[int] = mapped_column(BigInteger, server_default=text("0"))  # of how many; 0: nobody knows
    began_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    ended_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    outcome: Mapped[dict[str, Any] | None] = mapped_column(JSONB)  # what came of it: counts, masked rows
    problem: Mapped[str] = mapped_column(Text, server_default="")  # why it failed, as a sentence
