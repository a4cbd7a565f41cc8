"""Which levy years are collected, and what the register said of a former one when the next began (year.sql)."""

from datetime import date, datetime

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Boolean,
    CheckConstraint,
    Date,
    DateTime,
    ForeignKey,
    LargeBinary,
    SmallInteger,
    Text,
    func,
)
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Table


class LevyYear(Table):
    """A levy year that is collected here, or was. The register is the newest one's (app/registry/years.py)."""

    __tablename__ = "levy_year"
    __table_args__ = (CheckConstraint("(closed_by is null) = (closed_at is null)", name="closed"),)
    year: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False)
    opened_by: Mapped[str] = mapped_column(Text)
    opened_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())
    closed_by: Mapped[str | None] = mapped_column(Text)
    closed_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))


class FormerPerson(Table):
    """What the register said of a person that one levy year's price depends on, when the next year began."""

    __tablename__ = "former_person"
    __table_args__ = (CheckConstraint("school in ('none', 'pupil', 'university')", name="school"),)
    levy_year: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"), primary_key=True)
    residence: Mapped[str] = mapped_column(Text)
    student: Mapped[bool] = mapped_column(Boolean)
    family_type: Mapped[str] = mapped_column(Text)
    spouse_birth: Mapped[date | None] = mapped_column(Date)
    permit_to: Mapped[date | None] = mapped_column(Date)  # of the permit that counted; a child's as permit.sql says
    school: Mapped[str] = mapped_column(Text, server_default="none")
    medical_years: Mapped[list[int] | None] = mapped_column(ARRAY(SmallInteger))  # as the register's


class FormerEnrolment(Table):
    """A person's registration for one insurance in a former levy year."""

    __tablename__ = "former_enrolment"
    __table_args__ = (CheckConstraint("status in ('NORMAL', 'PAUSED', 'ENDED')", name="status"),)
    levy_year: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"), primary_key=True)
    insurance: Mapped[str] = mapped_column(Text, primary_key=True)
    status: Mapped[str] = mapped_column(Text)
    last_tier: Mapped[int | None] = mapped_column(BigInteger)  # fen
    employee_insured: Mapped[bool] = mapped_column(Boolean)
    insured_elsewhere: Mapped[str] = mapped_column(Text)
    digest: Mapped[bytes] = mapped_column(LargeBinary, server_default="")  # of the file's row that said so of that year


class FormerCategory(Table):
    """A special-group flag of one person for one insurance in a former levy year."""

    __tablename__ = "former_category"
    levy_year: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"), primary_key=True)
    insurance: Mapped[str] = mapped_column(Text, primary_key=True)
    code: Mapped[str] = mapped_column(Text, primary_key=True)
