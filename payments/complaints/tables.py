"""Complaints of payers at their gateway, what was said of each, and what we say there, written down before it goes out.
What people wrote is sealed: complaint.told, complaint.phone, complaint_line.words, complaint_reply.words and .picture,
each bound to <gateway>:<number>."""

from datetime import datetime

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Boolean,
    CheckConstraint,
    DateTime,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    Text,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Table
from payments.gateways.complaining import Stage


class ComplaintCase(Table):
    """One complaint, by its gateway's number. A turn begins when it comes and when the payer goes on; the clock is
    the turn's. Moments on the business clock, as the gateway's are; `seen_at` on the system clock."""

    __tablename__ = "complaint"
    __table_args__ = (
        CheckConstraint("stage in (" + ", ".join(f"'{stage}'" for stage in Stage) + ")", name="stage"),
        CheckConstraint("(payment is null) = (household_id is null)", name="household"),
        CheckConstraint("came_at < answer_by and answer_by <= end_by", name="clock"),
        Index("ix__complaint__open", "end_by", postgresql_where=text("ended_at is null")),
        Index("ix__complaint__payment", "payment"),
    )
    gateway: Mapped[str] = mapped_column(Text, primary_key=True)
    number: Mapped[str] = mapped_column(Text, primary_key=True)
    payment: Mapped[str | None] = mapped_column(Text)  # ours; none: they name no payment of ours
    household_id: Mapped[int | None] = mapped_column(BigInteger)  # that the payment's number carries
    named: Mapped[str] = mapped_column(Text, server_default="")  # the payment as they name it
    amount: Mapped[int | None] = mapped_column(BigInteger)
    stage: Mapped[str] = mapped_column(Text)
    their_word: Mapped[str] = mapped_column(Text)
    turn: Mapped[int] = mapped_column(Integer, server_default=text("1"))
    waiting: Mapped[bool] = mapped_column(Boolean, server_default=text("false"))
    wants_back: Mapped[int | None] = mapped_column(BigInteger)
    told: Mapped[bytes] = mapped_column(LargeBinary)  # what it is about and the payer's words, sealed JSON
    phone: Mapped[bytes | None] = mapped_column(LargeBinary)
    came_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))  # of this turn
    answer_by: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    end_by: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    answered_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    ended_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    rung: Mapped[list[str]] = mapped_column(ARRAY(Text), server_default=text("'{}'"))  # alarms of this turn
    refund: Mapped[str | None] = mapped_column(Text)
    seen: Mapped[int] = mapped_column(Integer, server_default=text("1"))  # how often it was written
    seen_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))


class ComplaintLine(Table):
    """One line of the conversation, or of what we noted beside it. `key`: the gateway's, or our own cause."""

    __tablename__ = "complaint_line"
    __table_args__ = (
        ForeignKeyConstraint(
            ["gateway", "number"], ["complaint.gateway", "complaint.number"], name="fk__complaint_line__complaint"
        ),
    )
    gateway: Mapped[str] = mapped_column(Text, primary_key=True)
    number: Mapped[str] = mapped_column(Text, primary_key=True)
    key: Mapped[str] = mapped_column(Text, primary_key=True)
    by: Mapped[str] = mapped_column(Text)  # payer, us, platform, staff:<login>
    move: Mapped[str] = mapped_column(Text)
    words: Mapped[bytes | None] = mapped_column(LargeBinary)
    at: Mapped[datetime] = mapped_column(DateTime(timezone=True))


class ComplaintReply(Table):
    """What we say to the gateway, with a cause of its own. pending → unknown while it goes out, until its answer or the
    conversation says more → sent → confirmed by the conversation; or refused."""

    __tablename__ = "complaint_reply"
    __table_args__ = (
        CheckConstraint("kind in ('answer', 'finish', 'agree', 'refuse')", name="kind"),
        CheckConstraint("state in ('pending', 'unknown', 'sent', 'confirmed', 'refused')", name="state"),
        CheckConstraint("(next_try_at is not null) = (state in ('pending', 'unknown'))", name="due"),
        ForeignKeyConstraint(
            ["gateway", "number"], ["complaint.gateway", "complaint.number"], name="fk__complaint_reply__complaint"
        ),
        Index("ix__complaint_reply__next_try_at", "next_try_at", postgresql_where=text("next_try_at is not null")),
    )
    gateway: Mapped[str] = mapped_column(Text, primary_key=True)
    number: Mapped[str] = mapped_column(Text, primary_key=True)
    cause: Mapped[str] = mapped_column(Text, primary_key=True)  # turn:kind:what it says, hashed
    kind: Mapped[str] = mapped_column(Text)
    words: Mapped[bytes] = mapped_column(LargeBinary)
    picture: Mapped[bytes | None] = mapped_column(LargeBinary)
    media: Mapped[str | None] = mapped_column(Text)  # the picture's name at the gateway
    state: Mapped[str] = mapped_column(Text, server_default="pending")
    their_word: Mapped[str] = mapped_column(Text, server_default="")
    by: Mapped[str] = mapped_column(Text)
    at: Mapped[datetime] = mapped_column(DateTime(timezone=True))  # business clock
    tries: Mapped[int] = mapped_column(Integer, server_default=text("0"))
    next_try_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))  # system clock


class ComplaintPoll(Table):
    """Until when a gateway's list of complaints was read whole: after a day off the next list begins there."""

    __tablename__ = "complaint_poll"
    gateway: Mapped[str] = mapped_column(Text, primary_key=True)
    listed_until: Mapped[datetime] = mapped_column(DateTime(timezone=True))  # business clock


class ComplaintHint(Table):
    """A notification named this complaint: it is to be asked about, and then the hint is gone."""

    __tablename__ = "complaint_hint"
    gateway: Mapped[str] = mapped_column(Text, primary_key=True)
    number: Mapped[str] = mapped_column(Text, primary_key=True)
    at: Mapped[datetime] = mapped_column(DateTime(timezone=True))  # system clock
