"""Lists of helped people (special-group batches, R45–R47): a department's file, what became of each of its rows, how it
writes its columns and words, and the categories that its lists gave."""

from datetime import date, datetime

from sqlalchemy import (
    ARRAY,
    BigInteger,
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
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Table

BATCH_STATES = ("VALIDATED", "IMPORTED", "PARTLY_IMPORTED", "CLOSED", "DROPPED")
ROW_STATES = ("OK", "FAILED", "FED_BACK", "PERSON_TOLD", "RESOLVED", "GIVEN_UP")
OPEN = ("FAILED", "FED_BACK", "PERSON_TOLD")
TOLD_BY = ("phone", "visit", "sms", "letter", "office")
TOLD = ("self", "family", "village")


def _one_of(column: str, words: tuple[str, ...]) -> str:
    return f"{column} in (" + ", ".join(f"'{word}'" for word in words) + ")"


class SpecialBatch(Table):
    """One file of a department for a levy year: judged, then taken in or dropped, then closed."""

    __tablename__ = "special_batch"
    __table_args__ = (
        CheckConstraint(_one_of("state", BATCH_STATES), name="state"),
        CheckConstraint("insurances <> '{}' and insurances <@ '{RES_PENSION,RES_MEDICAL}'", name="insurances"),
        CheckConstraint(
            "(taken_by is null) = (taken_at is null)"
            " and (taken_by is not null) = (state in ('IMPORTED', 'PARTLY_IMPORTED', 'CLOSED'))",
            name="taken",
        ),
        CheckConstraint(
            "(ended_by is null) = (ended_at is null) and (ended_by is not null) = (state in ('CLOSED', 'DROPPED'))",
            name="ended",
        ),
        Index("ix__special_batch__department", "department", "id"),
        Index(  # the same file is taken in once
            "uq__special_batch__taken",
            "department",
            "levy_year",
            "digest",
            unique=True,
            postgresql_where=text("taken_by is not null"),
        ),
    )
    id: Mapped[int] = mapped_column(BigInteger, Identity(cycle=False), primary_key=True)
    department: Mapped[str] = mapped_column(Text)
    levy_year: Mapped[int] = mapped_column(SmallInteger)
    insurances: Mapped[list[str]] = mapped_column(ARRAY(Text))  # for rows that name none
    file_name: Mapped[str] = mapped_column(Text)
    digest: Mapped[bytes] = mapped_column(LargeBinary)  # of the file
    titles: Mapped[list[str]] = mapped_column(ARRAY(Text))  # the department's own columns
    rows: Mapped[int] = mapped_column(Integer)
    state: Mapped[str] = mapped_column(Text, server_default="VALIDATED")
    judged_on: Mapped[date] = mapped_column(Date)  # business clock; it counts on this day only
    by: Mapped[str] = mapped_column(Text)  # staff:<login> or operator:<name>
    at: Mapped[datetime] = mapped_column(DateTime(timezone=True))  # system clock
    taken_by: Mapped[str | None] = mapped_column(Text)
    taken_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))  # business clock, as its rows' moments
    ended_by: Mapped[str | None] = mapped_column(Text)
    ended_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))  # system clock


class SpecialRow(Table):
    """One person and insurance of a list. `cells` are the row's as the department wrote it (JSON), until it was taken
    in or its list's time is over."""

    __tablename__ = "special_row"
    __table_args__ = (
        CheckConstraint(_one_of("state", ROW_STATES), name="state"),
        CheckConstraint("insurance in ('RES_PENSION', 'RES_MEDICAL')", name="insurance"),
        CheckConstraint("(state = 'OK') = (code is null)", name="code"),
        CheckConstraint("state <> 'OK' or person_id is not null and codes <> '{}'", name="ok"),
        CheckConstraint("(fed_back_at is not null) = (state not in ('OK', 'FAILED'))", name="fed_back"),
        CheckConstraint(
            "(told_at is null) = (told_how is null) and (told_at is null) = (told_by is null)"
            " and (state <> 'PERSON_TOLD' or told_at is not null)"
            f" and {_one_of('told_how', TOLD_BY)}",
            name="told",
        ),
        CheckConstraint(
            f"(told_whom is null) = (told_on is null) and (told_whom is null or told_at is not null)"
            f" and {_one_of('told_whom', TOLD)} and (settled_by is null or state = 'RESOLVED')",
            name="told_whom",
        ),
        CheckConstraint(
            "(ended_at is not null) = (state in ('RESOLVED', 'GIVEN_UP'))"
            " and (ended_at is null) = (ended_by is null) and (ended_at is null) = (ended_why is null)"
            " and length(btrim(ended_why)) >= 2",
            name="ended",
        ),
        CheckConstraint(
            "(taken_back_at is null) = (taken_back_by is null) and (taken_back_at is null) = (taken_back_why is null)"
            " and (taken_back_at is null or state = 'OK') and length(btrim(taken_back_why)) >= 2",
            name="taken_back",
        ),
        Index("ix__special_row__person", "person_id", "insurance"),
        Index("ix__special_row__id_index", "id_index"),
        Index(
            "ix__special_row__open",
            "fed_back_at",
            postgresql_where=text("state in ('FED_BACK', 'PERSON_TOLD')"),
        ),
    )
    batch_id: Mapped[int] = mapped_column(ForeignKey("special_batch.id"), primary_key=True)
    no: Mapped[int] = mapped_column(Integer, primary_key=True)
    department: Mapped[str] = mapped_column(Text)  # as of its batch: who sees it is decided row by row
    place: Mapped[str] = mapped_column(Text)  # sheet and row, as the department sees them
    cells: Mapped[bytes | None] = mapped_column(
        LargeBinary
    )  # sealed, special_row.cells:<batch_id>:<no>; till let go of
    id_index: Mapped[bytes | None] = mapped_column(LargeBinary)  # as person.id_index, where the number can be right
    person_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    town: Mapped[str | None] = mapped_column(ForeignKey("town.code"))  # where he lives, or the list says so
    insurance: Mapped[str] = mapped_column(Text)
    codes: Mapped[list[str]] = mapped_column(ARRAY(Text))  # categories
    state: Mapped[str] = mapped_column(Text)
    code: Mapped[str | None] = mapped_column(Text)  # of the failure
    words: Mapped[dict[str, str]] = mapped_column(JSONB, server_default=text("'{}'"))  # its sentence's
    notes: Mapped[list[str]] = mapped_column(ARRAY(Text), server_default=text("'{}'"))  # told, not refused
    fed_back_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    told_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    told_by: Mapped[str | None] = mapped_column(Text)
    told_how: Mapped[str | None] = mapped_column(Text)
    told_whom: Mapped[str | None] = mapped_column(Text)  # of rows told before it was asked for: he himself
    told_on: Mapped[date | None] = mapped_column(Date)  # as whoever told him says; told_at is when it was written
    settled_by: Mapped[int | None] = mapped_column(BigInteger)  # the list that took him in afterwards
    ended_by: Mapped[str | None] = mapped_column(Text)
    ended_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    ended_why: Mapped[str | None] = mapped_column(Text)
    taken_back_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))  # named by mistake; business clock
    taken_back_by: Mapped[str | None] = mapped_column(Text)
    taken_back_why: Mapped[str | None] = mapped_column(Text)


class SpecialLayout(Table):
    """How a department writes: header word → our column, word → category codes. Used for its next file."""

    __tablename__ = "special_layout"
    department: Mapped[str] = mapped_column(Text, primary_key=True)
    columns: Mapped[dict[str, str]] = mapped_column(JSONB)
    words: Mapped[dict[str, str]] = mapped_column(JSONB)
    by: Mapped[str] = mapped_column(Text)
    at: Mapped[datetime] = mapped_column(DateTime(timezone=True))


class HelpedCategory(Table):
    """A category that a department's list gave for one levy year; beside the bureau's own, which stand in `category`
    and are replaced by its files. A person's categories are both (facts.sql)."""

    __tablename__ = "helped_category"
    __table_args__ = (
        CheckConstraint("insurance in ('RES_PENSION', 'RES_MEDICAL')", name="insurance"),
        UniqueConstraint("batch_id", "no", "code", name="uq__helped_category__row"),
    )
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"), primary_key=True)
    levy_year: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False)
    insurance: Mapped[str] = mapped_column(Text, primary_key=True)
    code: Mapped[str] = mapped_column(Text, primary_key=True)
    department: Mapped[str] = mapped_column(Text)
    batch_id: Mapped[int] = mapped_column(BigInteger)
    no: Mapped[int] = mapped_column(Integer)
