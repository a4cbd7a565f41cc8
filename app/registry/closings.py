"""The notice after the season (缴费公示): who of a village is insured and who is not yet. Versions never change; who
agreed to one, where it hung and when it was taken down stand beside them, step by step."""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    DateTime,
    ForeignKey,
    ForeignKeyConstraint,
    Identity,
    Index,
    Integer,
    LargeBinary,
    SmallInteger,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Table


class Closed(StrEnum):
    """What was done with a list."""

    DRAWN = "DRAWN"
    AGREED = "AGREED"
    HUNG = "HUNG"
    TAKEN_DOWN = "TAKEN_DOWN"


class Place(StrEnum):
    """Where it hangs."""

    VILLAGE = "village"
    HALL = "hall"


PLACES: Mapping[str, str] = {Place.VILLAGE: "村里", Place.HALL: "镇便民服务大厅"}
DONE: Mapping[str, str] = {
    Closed.DRAWN: "出缴费公示",
    Closed.AGREED: "复核过",
    Closed.HUNG: "张贴",
    Closed.TAKEN_DOWN: "撤下",
}
COLUMNS = ("已参保缴费", "尚未缴费")  # what a list says of anybody, and nothing else

_STEPS = ", ".join(f"'{step}'" for step in Closed)
_MIDNIGHT = " and ".join(f"({name} at time zone 'Asia/Shanghai')::time = '00:00'" for name in ("starts_at", "ends_at"))


class Closing(Table):
    """That of a village, an insurance and a levy year, and its days, which are the year's. `no`: the version drawn
    last; `agreed_no`: the one that a second person agreed to, which hangs. `code`: the poster's, of every version."""

    __tablename__ = "closing"
    __table_args__ = (
        UniqueConstraint("levy_year", "insurance", "village_code", name="uq__closing__of"),
        UniqueConstraint("code"),
        CheckConstraint("agreed_no <= no", name="agreed"),
        CheckConstraint(f"starts_at < ends_at and {_MIDNIGHT}", name="days"),
        Index("ix__closing__village_code", "village_code"),
    )
    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True, cycle=False), primary_key=True)
    village_code: Mapped[str] = mapped_column(ForeignKey("village.code"))
    insurance: Mapped[str] = mapped_column(Text)
    levy_year: Mapped[int] = mapped_column(SmallInteger)
    code: Mapped[str] = mapped_column(Text)
    starts_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    ends_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    no: Mapped[int] = mapped_column(Integer)
    agreed_no: Mapped[int | None] = mapped_column(Integer)


class ClosingVersion(Table):
    """One drawing of it: of those on the roster in force (`roster_no`; null: none was, so of those registered) `done`
    are insured, `owing` not yet, and `excluded` belong to neither (D41, or in an open conflict). `beside`: registered
    since, on no roster in force."""

    __tablename__ = "closing_version"
    closing_id: Mapped[int] = mapped_column(ForeignKey("closing.id"), primary_key=True)
    no: Mapped[int] = mapped_column(Integer, primary_key=True)
    roster_no: Mapped[int | None] = mapped_column(Integer)
    done: Mapped[int] = mapped_column(Integer)
    owing: Mapped[int] = mapped_column(Integer)
    excluded: Mapped[int] = mapped_column(Integer)
    beside: Mapped[int] = mapped_column(Integer)
    digest: Mapped[bytes] = mapped_column(LargeBinary)  # SHA-256 of the whole list (closing_digest)
    drawn_by: Mapped[str] = mapped_column(Text)
    drawn_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))  # business clock: as of when it is true
    job: Mapped[int | None] = mapped_column(BigInteger)


class ClosingRow(Table):
    """One person on one version, by the name that may be posted."""

    __tablename__ = "closing_row"
    __table_args__ = (CheckConstraint("masked !~ '[0-9]'", name="no_digit"),)
    closing_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    no: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    person_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    masked: Mapped[str] = mapped_column(Text)
    done: Mapped[bool] = mapped_column(Boolean)


class ClosingStep(Table):
    """Who did what with which version; only added to. `photo`: how it hung, sealed, closing_step.photo:<id>."""

    __tablename__ = "closing_step"
    __table_args__ = (
        ForeignKeyConstraint(["closing_id", "no"], ["closing_version.closing_id", "closing_version.no"]),
        CheckConstraint(f"what in ({_STEPS})", name="what"),
        CheckConstraint("(place is not null) = (what in ('HUNG', 'TAKEN_DOWN'))", name="place"),
        CheckConstraint("place in ('village', 'hall')", name="places"),
        Index("ix__closing_step__closing_id", "closing_id", "no"),
        Index("uq__closing_step__agreed", "closing_id", "no", unique=True, postgresql_where=text("what = 'AGREED'")),
        Index(
            "uq__closing_step__hung", "closing_id", "no", "place", unique=True, postgresql_where=text("what = 'HUNG'")
        ),
        Index(
            "uq__closing_step__down", "closing_id", "place", unique=True, postgresql_where=text("what = 'TAKEN_DOWN'")
        ),
    )
    id: Mapped[int] = mapped_column(BigInteger, Identity(always=False, cycle=False), primary_key=True)
    closing_id: Mapped[int] = mapped_column(BigInteger)
    no: Mapped[int] = mapped_column(Integer)
    what: Mapped[str] = mapped_column(Text)
    by: Mapped[str] = mapped_column(Text)
    at: Mapped[datetime] = mapped_column(DateTime(timezone=True))  # business clock
    place: Mapped[str | None] = mapped_column(Text)
    photo: Mapped[bytes | None] = mapped_column(LargeBinary)


STANDS: Mapping[str, str] = {
    "TO_AGREE": "等税务另一个人复核",
    "TO_HANG": "等张贴",
    "HANGS": "正在公示",
    "TO_TAKE_DOWN": "公示到期了，等撤下",
    "NEVER_HUNG": "公示日子过了，没有张贴过",
    "ARCHIVED": "公示完了，已归档",
}


def stand_of(row: Any, now: datetime) -> str:
    """Where a list stands, one of STANDS. `row` has no, agreed_no, ends_at, and the places where the version that was
    agreed to hangs (`hangs`), where any hung (`hung`) and where it was taken down (`down`): an old sheet in either
    place is still to be replaced. Pure."""
    if now >= row.ends_at:
        if set(row.hung) - set(row.down):
            return "TO_TAKE_DOWN"
        return "ARCHIVED" if row.hung else "NEVER_HUNG"
    if row.agreed_no != row.no:
        return "TO_AGREE"
    return "HANGS" if row.hangs and not set(row.hung) - set(row.hangs) else "TO_HANG"
