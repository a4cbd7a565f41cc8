"""What the register had wrong and somebody put right: a name by two people, a phone at a counter."""

from datetime import datetime

from sqlalchemy import BigInteger, CheckConstraint, DateTime, ForeignKey, Identity, Index, LargeBinary, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Table


class NameCorrection(Table):
    """A name to be put right: asked for by one for a reason and by a paper, decided by another, then frozen (M9)."""

    __tablename__ = "name_correction"
    __table_args__ = (
        CheckConstraint("state in ('asked', 'done', 'refused', 'withdrawn')", name="state"),
        CheckConstraint(
            "(state = 'asked') = (decided_by is null) and (decided_by is null) = (decided_at is null)", name="decided"
        ),
        CheckConstraint("(decided_by = asked_by) = (state = 'withdrawn')", name="two_people"),
        CheckConstraint("length(reason) >= 4 and length(proof) >= 4", name="reason"),
        Index("uq__name_correction__open", "person_id", unique=True, postgresql_where=text("state = 'asked'")),
    )
    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    former: Mapped[bytes] = mapped_column(LargeBinary)  # sealed like the name, person.name:<person_id>
    name: Mapped[bytes] = mapped_column(LargeBinary)  # likewise
    reason: Mapped[str] = mapped_column(Text)
    proof: Mapped[str] = mapped_column(Text)  # which paper
    state: Mapped[str] = mapped_column(Text, server_default="asked")
    asked_by: Mapped[str] = mapped_column(Text)  # staff:<login>
    asked_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))  # business clock, like decided_at
    decided_by: Mapped[str | None] = mapped_column(Text)
    decided_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))


class PhoneCorrection(Table):
    """A registered phone put right at a counter (app/access/phone.sql). Only added to."""

    __tablename__ = "phone_correction"
    __table_args__ = (
        CheckConstraint("length(proof) >= 4", name="proof"),
        Index("ix__phone_correction__person_id", "person_id"),
    )
    id: Mapped[int] = mapped_column(BigInteger, Identity(cycle=False), primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    former_index: Mapped[bytes | None] = mapped_column(LargeBinary)  # keyed, person.phone: what it was
    proof: Mapped[str] = mapped_column(Text)  # which paper
    by: Mapped[str] = mapped_column(Text)  # staff:<login>
    at: Mapped[datetime] = mapped_column(DateTime(timezone=True))  # system clock
