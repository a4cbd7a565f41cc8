"""Who paid in another place for a levy year, as an office found by a paper after somebody said so (N8): beside what the
bureaus' files say of that, which they replace."""

from collections.abc import Mapping
from datetime import date, datetime

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Date,
    DateTime,
    ForeignKey,
    Identity,
    Index,
    SmallInteger,
    Text,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Table

CODES: Mapping[str, Mapping[str, str]] = {  # insurance → code of policy/facts.Elsewhere → where it was
    "RES_MEDICAL": {"medical_outside_zz": "在市外交了医保", "medical_inside_zz": "在本市别的区（市）交了医保"},
    "RES_PENSION": {"pension_elsewhere": "在别处交了居民养老"},
}


class PaidElsewhere(Table):
    """One finding. `again_on`: by which day it is asked once more whether it is still so; it stands until somebody
    takes it back."""

    __tablename__ = "paid_elsewhere"
    __table_args__ = (
        CheckConstraint(
            "insurance = 'RES_MEDICAL' and code in ('medical_outside_zz', 'medical_inside_zz')"
            " or insurance = 'RES_PENSION' and code = 'pension_elsewhere'",
            name="code",
        ),
        CheckConstraint("length(btrim(proof)) >= 4", name="proof"),
        CheckConstraint("(asked_by is null) = (asked_at is null)", name="asked"),
        CheckConstraint(
            "num_nonnulls(back_by, back_at, back_why) in (0, 3) and length(btrim(back_why)) >= 4", name="back"
        ),
        Index(
            "uq__paid_elsewhere__stands",
            "person_id",
            "levy_year",
            "insurance",
            unique=True,
            postgresql_where=text("back_at is null"),
        ),
        Index("ix__paid_elsewhere__matter_id", "matter_id"),
    )
    id: Mapped[int] = mapped_column(BigInteger, Identity(cycle=False), primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    levy_year: Mapped[int] = mapped_column(SmallInteger)
    insurance: Mapped[str] = mapped_column(Text)
    code: Mapped[str] = mapped_column(Text)
    matter_id: Mapped[int] = mapped_column(ForeignKey("matter.id"))  # who said so
    proof: Mapped[str] = mapped_column(Text)  # which paper, or whom the office asked
    by: Mapped[str] = mapped_column(Text)  # staff:<login>
    at: Mapped[datetime] = mapped_column(DateTime(timezone=True))  # business clock, like the others
    again_on: Mapped[date] = mapped_column(Date)
    asked_by: Mapped[str | None] = mapped_column(Text)
    asked_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    back_by: Mapped[str | None] = mapped_column(Text)
    back_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    back_why: Mapped[str | None] = mapped_column(Text)
