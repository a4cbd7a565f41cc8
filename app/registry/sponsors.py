"""Who gives, what he promised and for whom. The money of a promise is payments/pledges'."""

from datetime import date, datetime

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Date,
    DateTime,
    ForeignKey,
    Identity,
    Index,
    LargeBinary,
    SmallInteger,
    Text,
    false,
)
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Table
from payments.pledges.tables import Pledge  # noqa: F401  whose terms these are

KINDS = {"village": "村集体", "employer": "用人单位", "person": "个人", "other": "其他单位"}
ANONYMOUS = "爱心人士"
_KINDS = ", ".join(f"'{kind}'" for kind in KINDS)


class Sponsor(Table):
    """Somebody who gives. `shown` is what payers read; all else of him is sealed, sponsor.<column>:<id>."""

    __tablename__ = "sponsor"
    __table_args__ = (CheckConstraint(f"kind in ({_KINDS})", name="kind"), CheckConstraint("shown <> ''", name="shown"))
    id: Mapped[int] = mapped_column(BigInteger, Identity(always=False), primary_key=True)
    kind: Mapped[str] = mapped_column(Text)
    shown: Mapped[str] = mapped_column(Text)
    name: Mapped[bytes] = mapped_column(LargeBinary)
    contact: Mapped[bytes] = mapped_column(LargeBinary)
    phone: Mapped[bytes] = mapped_column(LargeBinary)
    entered_by: Mapped[str] = mapped_column(Text)
    entered_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))  # business clock


class PledgeTerms(Table):
    """What a pledge pays, for whom, from and to which Beijing day: everybody whom all that is named means, or (`named`)
    the people of pledge_person alone. Entered by one, agreed to by another."""

    __tablename__ = "pledge_terms"
    __table_args__ = (
        CheckConstraint(
            "(mode = 'ALL' and value = 0) or (mode = 'PCT' and value between 1 and 10000)"
            " or (mode = 'FIX' and value > 0)",
            name="rule",
        ),
        CheckConstraint("from_day <= until_day", name="days"),
        CheckConstraint("from_age <= to_age and from_age >= 0", name="ages"),
        CheckConstraint(
            "named = (num_nonnulls(village_code, category, from_age, to_age) = 0)"
            " and num_nonnulls(from_age, to_age) <> 1",
            name="whom",
        ),
        CheckConstraint("agreed_by <> entered_by", name="two_people"),
        CheckConstraint("(agreed_by is null) = (agreed_at is null)", name="agreed"),
        CheckConstraint(
            "(ended_by is null) = (ended_at is null) and (ended_by is null) = (ended_why is null)", name="ended"
        ),
        Index("ix__pledge_terms__sponsor_id", "sponsor_id"),
    )
    pledge_id: Mapped[int] = mapped_column(ForeignKey("pledge.id"), primary_key=True)
    sponsor_id: Mapped[int] = mapped_column(ForeignKey("sponsor.id"))
    mode: Mapped[str] = mapped_column(Text)
    value: Mapped[int] = mapped_column(BigInteger)  # PCT: basis points; FIX: fen
    covers_late: Mapped[bool] = mapped_column(Boolean, server_default=false())
    from_day: Mapped[date] = mapped_column(Date)
    until_day: Mapped[date] = mapped_column(Date)
    town: Mapped[str | None] = mapped_column(Text)  # whose clerk entered it; none: the district's
    named: Mapped[bool] = mapped_column(Boolean)
    village_code: Mapped[str | None] = mapped_column(Text)
    category: Mapped[str | None] = mapped_column(Text)
    from_age: Mapped[int | None] = mapped_column(SmallInteger)
    to_age: Mapped[int | None] = mapped_column(SmallInteger)
    entered_by: Mapped[str] = mapped_column(Text)
    entered_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))  # business clock
    agreed_by: Mapped[str | None] = mapped_column(Text)
    agreed_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    ended_by: Mapped[str | None] = mapped_column(Text)  # or dropped before it was agreed to
    ended_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    ended_why: Mapped[str | None] = mapped_column(Text)


class PledgePerson(Table):
    """One whom a pledge names."""

    __tablename__ = "pledge_person"
    __table_args__ = (Index("ix__pledge_person__person_id", "person_id"),)
    pledge_id: Mapped[int] = mapped_column(ForeignKey("pledge.id"), primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"), primary_key=True)
