"""Whose data was erased, on what ground, by whom: the rows of it (app/access/erasure.sql)."""

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Connection,
    DateTime,
    ForeignKey,
    Identity,
    Index,
    Row,
    Text,
    select,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Table


class Erasure(Table):
    """Asked for by one, agreed to by another or taken back; perhaps lifted, by two again; in the end his name goes
    (`let_go_at`). `went`: table → rows. System clock."""

    __tablename__ = "erasure"
    __table_args__ = (
        CheckConstraint("ground in ('asked', 'died', 'wrong_person', 'other')", name="ground"),
        CheckConstraint("length(reason) >= 4 and length(lift_reason) >= 4", name="reason"),
        CheckConstraint("btrim(asked_by) <> '' and agreed_by <> asked_by", name="two_people"),
        CheckConstraint("lifted_by <> lift_asked_by", name="two_lift"),
        CheckConstraint("num_nonnulls(agreed_by, agreed_at, went) in (0, 3)", name="agreed"),
        CheckConstraint(
            "num_nonnulls(withdrawn_by, withdrawn_at) in (0, 2) and num_nonnulls(withdrawn_by, agreed_by) < 2",
            name="withdrawn",
        ),
        CheckConstraint(
            "num_nonnulls(lift_asked_by, lift_asked_at, lift_reason) in (0, 3)"
            " and (lift_asked_by is null or agreed_by is not null)",
            name="lift_asked",
        ),
        CheckConstraint(
            "num_nonnulls(lifted_by, lifted_at) in (0, 2) and (lifted_by is null or lift_asked_by is not null)"
            " and num_nonnulls(lifted_by, let_go_at) < 2 and (let_go_at is null or agreed_by is not null)",
            name="lifted",
        ),
        Index(
            "uq__erasure__standing",
            "person_id",
            unique=True,
            postgresql_where=text("withdrawn_at is null and lifted_at is null"),
        ),
    )
    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    ground: Mapped[str] = mapped_column(Text)
    reason: Mapped[str] = mapped_column(Text)
    asked_by: Mapped[str] = mapped_column(Text)  # staff:<login>
    asked_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    agreed_by: Mapped[str | None] = mapped_column(Text)
    agreed_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    went: Mapped[dict[str, int] | None] = mapped_column(JSONB)
    withdrawn_by: Mapped[str | None] = mapped_column(Text)
    withdrawn_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    lift_asked_by: Mapped[str | None] = mapped_column(Text)
    lift_asked_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    lift_reason: Mapped[str | None] = mapped_column(Text)
    lifted_by: Mapped[str | None] = mapped_column(Text)
    lifted_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    let_go_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))


GROUNDS: Mapping[str, str] = {
    "asked": "本人要求删除",
    "died": "本人已去世",
    "wrong_person": "登记成了别人的号码",
    "other": "其他",
}


def of_person(connection: Connection, person_id: int) -> Row | None:
    """What holds for him now: asked for, or agreed to; None if nothing."""
    standing = (Erasure.withdrawn_at.is_(None), Erasure.lifted_at.is_(None))
    found = select(Erasure.__table__).where(Erasure.person_id == person_id, *standing)
    return connection.execute(found).one_or_none()
