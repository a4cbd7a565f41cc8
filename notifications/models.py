"""A notice waiting to be sent, and how far it got."""

from datetime import datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    DateTime,
    Index,
    Integer,
    LargeBinary,
    SmallInteger,
    Text,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Table


class Notice(Table):
    """One thing to tell one payer, once (INV-14). `rank` only grows: queued 0, tried 1, sent 2, delivered 3,
    given up 4. `fields` hold masked words only; addresses are sealed."""

    __tablename__ = "notice"
    __table_args__ = (
        CheckConstraint("rank between 0 and 4", name="rank"),
        Index("ix__notice__due", "next_try_at", postgresql_where=text("rank < 2")),
        Index("ix__notice__ask", "ask_at", postgresql_where=text("ask_at is not null")),
        Index("ix__notice__reference", "provider_reference", postgresql_where=text("ask_at is not null")),
        CheckConstraint("ask_at is null or rank = 2", name="asked_while_sent"),
        CheckConstraint("delivered_at is null or rank = 3", name="delivered"),
    )
    household_id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    cause: Mapped[str] = mapped_column(Text, primary_key=True)
    kind: Mapped[str] = mapped_column(Text)
    fields: Mapped[dict[str, Any]] = mapped_column(JSONB)
    openid: Mapped[bytes | None] = mapped_column(
        LargeBinary
    )  # sealed, notice.openid:<subject>, the cause less its event
    phone: Mapped[bytes | None] = mapped_column(LargeBinary)  # sealed, notice.phone:<subject>
    rank: Mapped[int] = mapped_column(SmallInteger, server_default=text("0"))
    channel: Mapped[str | None] = mapped_column(Text)
    attempts: Mapped[int] = mapped_column(Integer, server_default=text("0"))
    next_try_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())
    provider_reference: Mapped[str | None] = mapped_column(Text)
    last_error: Mapped[str | None] = mapped_column(Text)
    queued_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())
    sent_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    silences: Mapped[dict[str, int]] = mapped_column(JSONB, server_default="{}")  # channel → how often it said nothing
    tried_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))  # first, by the way that has it now
    ask_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))  # when its receipt is asked for next
    asks: Mapped[int] = mapped_column(SmallInteger, server_default=text("0"))
    failures: Mapped[dict[str, str]] = mapped_column(JSONB, server_default="{}")  # channel → why a carrier did not
    delivered_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))  # the provider's own moment
    version: Mapped[str | None] = mapped_column(Text)  # of the template it was sent with
    visited_by: Mapped[str | None] = mapped_column(Text)  # the agent who went and told, where no channel could
    visited_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))


class Subscription(Table):
    """How many messages of a kind a WeChat user still agreed to; WeChat itself tells nobody (one tap, one message)."""

    __tablename__ = "subscription"
    __table_args__ = (CheckConstraint("left_over >= 0", name="left_over"),)
    openid_index: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)  # keyed, account.openid
    kind: Mapped[str] = mapped_column(Text, primary_key=True)
    left_over: Mapped[int] = mapped_column(Integer)
