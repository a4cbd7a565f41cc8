"""Who is at the door: village agents, staff of the offices, sessions, and how often somebody looked people up."""

from datetime import datetime

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    DateTime,
    ForeignKey,
    Identity,
    Index,
    Integer,
    LargeBinary,
    Text,
    true,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from app.access.roles import Role
from core.db import Table


class Agent(Table):
    """A village agent (代办员), known by login; names are never keys (two people named alike sit in one office)."""

    __tablename__ = "agent"
    id: Mapped[int] = mapped_column(BigInteger, Identity(cycle=False), primary_key=True)
    login: Mapped[str] = mapped_column(Text, unique=True)
    name: Mapped[bytes] = mapped_column(LargeBinary)  # sealed, agent.name:<login>
    phone: Mapped[bytes | None] = mapped_column(LargeBinary)  # sealed, agent.phone:<login>
    password_hash: Mapped[str] = mapped_column(Text)  # argon2id
    active: Mapped[bool] = mapped_column(Boolean, server_default=true())


class AgentVillage(Table):
    """The villages an agent collects in."""

    __tablename__ = "agent_village"
    agent_id: Mapped[int] = mapped_column(ForeignKey("agent.id"), primary_key=True)
    village_code: Mapped[str] = mapped_column(ForeignKey("village.code"), primary_key=True)


class Staff(Table):
    """Somebody of an office, known by login, with one role. A clerk who becomes somebody else gets another login."""

    __tablename__ = "staff"
    __table_args__ = (CheckConstraint("role in (" + ", ".join(f"'{role}'" for role in Role) + ")", name="role"),)
    id: Mapped[int] = mapped_column(BigInteger, Identity(cycle=False), primary_key=True)
    login: Mapped[str] = mapped_column(Text, unique=True)
    name: Mapped[bytes] = mapped_column(LargeBinary)  # sealed, staff.name:<login>
    role: Mapped[str] = mapped_column(Text)
    password_hash: Mapped[str] = mapped_column(Text)  # argon2id
    active: Mapped[bool] = mapped_column(Boolean, server_default=true())


class Session(Table):
    """A session kept here, not in the cookie: ending it takes effect at once (A57, A58)."""

    __tablename__ = "session"
    __table_args__ = (
        Index("ix__session__expires_at", "expires_at"),
        CheckConstraint("agent_id is null or staff_id is null", name="one_person"),
    )
    token_hash: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    agent_id: Mapped[int | None] = mapped_column(ForeignKey("agent.id"))
    staff_id: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))
    openid: Mapped[bytes | None] = mapped_column(LargeBinary)  # sealed, session.openid:<hex of token_hash>
    known: Mapped[dict[str, int]] = mapped_column(JSONB, server_default="{}")  # opaque reference → person id
    expires_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))  # moved on while it is used
    ends_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))  # never moved


class Tally(Table):
    """How often a key acted within a window: look-ups per caller and per target, failed logins (A41, A53)."""

    __tablename__ = "tally"
    key: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)  # keyed digest of what is counted
    window_start: Mapped[datetime] = mapped_column(DateTime(timezone=True), primary_key=True)
    count: Mapped[int] = mapped_column(Integer)
