"""Why a household has not paid yet and when its agent comes again, as he found at its door."""

from collections.abc import Mapping
from datetime import date, datetime

from sqlalchemy import BigInteger, CheckConstraint, Date, DateTime, ForeignKey, Identity, Index, Text
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Table

REASONS: Mapping[str, str] = {  # chosen, never typed: nothing about anybody can be smuggled in (A72)
    "NOT_HOME": "没在家",
    "AWAY": "在外地",
    "LATER": "约好再来",
    "CHILDREN": "要问子女",
    "NO_MONEY": "手头紧",
    "ELSEWHERE": "说在外地交了",
    "WRONG": "说登记不对",
    "UNWILLING": "不想交",
    "OTHER": "别的原因",
    "NONE": "记错了，没去过",
}
_REASONS = ", ".join(f"'{reason}'" for reason in REASONS)


class DoorNote(Table):
    """One visit, never changed: the latest of a household counts; NONE takes the one before it back."""

    __tablename__ = "door_note"
    __table_args__ = (
        CheckConstraint(f"reason in ({_REASONS})", name="reason"),
        CheckConstraint("again_on is null or reason <> 'NONE'", name="again"),
        CheckConstraint("reason <> 'LATER' or again_on is not null", name="later"),
        Index("ix__door_note__household_id", "household_id", "id"),
        Index("ix__door_note__kept_from", "kept_from"),
    )
    id: Mapped[int] = mapped_column(BigInteger, Identity(cycle=False), primary_key=True)
    household_id: Mapped[int] = mapped_column(ForeignKey("household.id"))
    reason: Mapped[str] = mapped_column(Text)
    again_on: Mapped[date | None] = mapped_column(Date)  # when the agent comes again
    by: Mapped[str] = mapped_column(Text)  # agent:<login>
    at: Mapped[datetime] = mapped_column(DateTime(timezone=True))  # business clock
    kept_from: Mapped[datetime] = mapped_column(DateTime(timezone=True))  # system clock
