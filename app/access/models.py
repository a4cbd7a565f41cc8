"""Who is at the door: residents' accounts, village agents, staff of the offices, sessions, and how often somebody
looked people up."""

from datetime import datetime

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Boolean,
    CheckConstraint,
    DateTime,
    ForeignKey,
    Identity,
    Index,
    Integer,
    LargeBinary,
    SmallInteger,
    Text,
    func,
    text,
    true,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from app.access.roles import GIVEN
from core.db import Table


class SecondFactor:
    """What is kept of somebody's second factor."""

    second: Mapped[bytes | None] = mapped_column(LargeBinary)  # sealed, <table>.second:<login>; None: no login yet
    second_step: Mapped[int] = mapped_column(BigInteger, server_default=text("0"))  # the last one used
    recovery: Mapped[list[bytes]] = mapped_column(ARRAY(LargeBinary), server_default=text("'{}'"))  # keyed digests


class Agent(SecondFactor, Table):
    """A village agent (代办员), known by login; names are never keys (two people named alike sit in one office)."""

    __tablename__ = "agent"
    id: Mapped[int] = mapped_column(BigInteger, Identity(cycle=False), primary_key=True)
    login: Mapped[str] = mapped_column(Text, unique=True)
    name: Mapped[bytes] = mapped_column(LargeBinary)  # sealed, agent.name:<login>
    phone: Mapped[bytes | None] = mapped_column(LargeBinary)  # sealed, agent.phone:<login>
    password_hash: Mapped[str] = mapped_column(Text)  # argon2id
    given: Mapped[bool] = mapped_column(Boolean, server_default=true())  # an operator knows it: changed at first login
    active: Mapped[bool] = mapped_column(Boolean, server_default=true())


class AgentVillage(Table):
    """The villages an agent collects in."""

    __tablename__ = "agent_village"
    agent_id: Mapped[int] = mapped_column(ForeignKey("agent.id"), primary_key=True)
    village_code: Mapped[str] = mapped_column(ForeignKey("village.code"), primary_key=True)


class Staff(SecondFactor, Table):
    """Somebody of an office, known by login, with one role. A clerk who becomes somebody else gets another login."""

    __tablename__ = "staff"
    __table_args__ = (
        CheckConstraint("role in (" + ", ".join(f"'{role}'" for role in GIVEN) + ")", name="role"),
        CheckConstraint("(role in ('town', 'counter')) = (towns <> '{}')", name="towns"),
        CheckConstraint("(role = 'department') = (departments <> '{}')", name="departments"),
    )
    id: Mapped[int] = mapped_column(BigInteger, Identity(cycle=False), primary_key=True)
    login: Mapped[str] = mapped_column(Text, unique=True)
    name: Mapped[bytes] = mapped_column(LargeBinary)  # sealed, staff.name:<login>
    role: Mapped[str] = mapped_column(Text)
    towns: Mapped[list[str]] = mapped_column(ARRAY(Text), server_default=text("'{}'"))  # empty: the whole district
    departments: Mapped[list[str]] = mapped_column(ARRAY(Text), server_default=text("'{}'"))  # whose lists are his own
    password_hash: Mapped[str] = mapped_column(Text)  # argon2id
    given: Mapped[bool] = mapped_column(Boolean, server_default=true())  # an operator knows it: changed at first login
    active: Mapped[bool] = mapped_column(Boolean, server_default=true())


class Disclosure(Table):
    """Who of an office read personal data in full, of whom, and why. Only added to (decision 17 of the design)."""

    __tablename__ = "disclosure"
    __table_args__ = (
        CheckConstraint("what in ('numbers', 'list', 'complaint')", name="what"),
        CheckConstraint("length(reason) >= 4", name="reason"),
        CheckConstraint("(what = 'numbers') = (person_id is not null)", name="person"),
        Index("ix__disclosure__at", "at"),
    )
    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    by: Mapped[str] = mapped_column(Text)  # staff:<login>
    what: Mapped[str] = mapped_column(Text)  # one person's numbers, or a list taken away as a file
    person_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"), index=True)
    place: Mapped[str] = mapped_column(Text, server_default="")  # the village or town of a list
    reason: Mapped[str] = mapped_column(Text)
    at: Mapped[datetime] = mapped_column(DateTime(timezone=True))  # system clock


class Act(Table):
    """Who did what at the door, or with an account (M8). Only added to."""

    __tablename__ = "act"
    __table_args__ = (Index("ix__act__by", "by", "id"), Index("ix__act__about", "about", "id"))
    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    what: Mapped[str] = mapped_column(Text)  # as in acts.What
    by: Mapped[str] = mapped_column(Text)  # staff:<login>, agent:<login>, account:<id>, operator:<name>, role:<name>
    about: Mapped[str] = mapped_column(Text, server_default="")  # likewise, or a keyed digest
    words: Mapped[str] = mapped_column(Text, server_default="")  # a role, a village, how many
    network: Mapped[str] = mapped_column(Text, server_default="")  # the /24 or /48 it came from
    way: Mapped[str] = mapped_column(Text)  # web, command, or database: by whatever else
    at: Mapped[datetime] = mapped_column(DateTime(timezone=True))  # system clock


class ResidentAccount(Table):
    """A resident who proved a phone. Whom he may pay for stands in ResidentPerson. Without a phone: it is given out
    again, and who it is now has an account of his own (M5)."""

    __tablename__ = "resident_account"
    id: Mapped[int] = mapped_column(BigInteger, Identity(cycle=False), primary_key=True)
    phone_index: Mapped[bytes | None] = mapped_column(LargeBinary, unique=True)
    phone: Mapped[bytes | None] = mapped_column(LargeBinary)  # sealed, account.phone:<hex of phone_index>
    openid_index: Mapped[bytes | None] = mapped_column(LargeBinary, unique=True)
    since: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    used_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())  # the last login
    holder: Mapped[int | None] = mapped_column(ForeignKey("person.id"))  # as chosen, where grown people share the phone


class ResidentPerson(Table):
    """Whom an account pays for. `own`: the registered phone is this account's, so it speaks for him (A38): its holder
    himself, or who shares the phone with him; else one of the family."""

    __tablename__ = "resident_person"
    __table_args__ = (Index("ix__resident_person__person_id", "person_id"),)
    account_id: Mapped[int] = mapped_column(ForeignKey("resident_account.id"), primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"), primary_key=True)
    own: Mapped[bool] = mapped_column(Boolean)
    since: Mapped[datetime] = mapped_column(DateTime(timezone=True))


class Barred(Table):
    """Whom a person let go: this account brings him in no more, until he allows it (M3)."""

    __tablename__ = "barred"
    __table_args__ = (Index("ix__barred__person_id", "person_id"),)
    account_id: Mapped[int] = mapped_column(ForeignKey("resident_account.id"), primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"), primary_key=True)
    since: Mapped[datetime] = mapped_column(DateTime(timezone=True))


class Consent(Table):
    """Who agreed to which text of the privacy notice, and when."""

    __tablename__ = "consent"
    account_id: Mapped[int] = mapped_column(ForeignKey("resident_account.id"), primary_key=True)
    version: Mapped[str] = mapped_column(Text, primary_key=True)
    given_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))


class LoginCode(Table):
    """The code a session waits for: one at a time, for one phone, known by its digest only (A54)."""

    __tablename__ = "login_code"
    token_hash: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    phone: Mapped[bytes] = mapped_column(LargeBinary)  # sealed, login_code.phone:<hex of token_hash>
    digest: Mapped[bytes] = mapped_column(LargeBinary)
    tries: Mapped[int] = mapped_column(SmallInteger, server_default=text("0"))
    expires_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))


class Session(Table):
    """A session kept here, not in the cookie: ending it takes effect at once (A57, A58)."""

    __tablename__ = "session"
    __table_args__ = (
        Index("ix__session__expires_at", "expires_at"),
        Index("ix__session__account_id", "account_id"),
        CheckConstraint("num_nonnulls(agent_id, staff_id, account_id) <= 1", name="one_person"),
    )
    token_hash: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    agent_id: Mapped[int | None] = mapped_column(ForeignKey("agent.id"))
    staff_id: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))
    account_id: Mapped[int | None] = mapped_column(ForeignKey("resident_account.id"))
    unsure_id: Mapped[int | None] = mapped_column(ForeignKey("resident_account.id"))  # his, if he names its person
    openid: Mapped[bytes | None] = mapped_column(LargeBinary)  # sealed, session.openid:<hex of token_hash>
    detour: Mapped[bytes | None] = mapped_column(LargeBinary)  # sealed: asked of WeChat, and the wish meanwhile
    known: Mapped[dict[str, int]] = mapped_column(JSONB, server_default="{}")  # opaque reference → person id
    network: Mapped[str] = mapped_column(Text, server_default="")  # the /24 or /48 it was begun from
    expires_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))  # moved on while it is used
    ends_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))  # never moved


class Glass(Table):
    """Break-glass (app/access/glass.sql): asked for, opened by another for an hour, ended once. System clock."""

    __tablename__ = "glass"
    __table_args__ = (
        CheckConstraint("opened_by <> asked_by", name="two_people"),
        CheckConstraint(
            "num_nonnulls(opened_by, opened_at, until) in (0, 3)"
            " and until > opened_at and until <= opened_at + interval '1 hour'",
            name="an_hour",
        ),
        CheckConstraint("(ended_by is null) = (ended_at is null)", name="ended"),
        CheckConstraint("length(reason) >= 4", name="reason"),
        Index("uq__glass__standing", "asked_by", unique=True, postgresql_where=text("ended_at is null")),
    )
    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    asked_by: Mapped[str] = mapped_column(Text)  # staff:<login>
    reason: Mapped[str] = mapped_column(Text)
    asked_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    opened_by: Mapped[str | None] = mapped_column(Text)
    opened_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    until: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    ended_by: Mapped[str | None] = mapped_column(Text)  # either of them, or rule:an_hour
    ended_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))


class GlassAct(Table):
    """One request made while it was open. Only added to."""

    __tablename__ = "glass_act"
    __table_args__ = (Index("ix__glass_act__glass", "glass", "id"),)
    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    glass: Mapped[int] = mapped_column(ForeignKey("glass.id"))
    endpoint: Mapped[str] = mapped_column(Text)  # which page
    words: Mapped[str] = mapped_column(Text, server_default="")  # a number of ours, a day; never a name
    person_id: Mapped[int | None] = mapped_column(BigInteger)
    network: Mapped[str] = mapped_column(Text, server_default="")
    at: Mapped[datetime] = mapped_column(DateTime(timezone=True))


class Reseal(Table):
    """How far a table is sealed anew under a key (app/flows/keep/reseal.py). Written by the owner's role only."""

    __tablename__ = "reseal"
    head: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)  # suite and number of the key, a byte each
    of: Mapped[str] = mapped_column(Text, primary_key=True)
    after: Mapped[list[str] | None] = mapped_column(ARRAY(Text))  # the key of the last row that was looked at
    rows: Mapped[int] = mapped_column(BigInteger)  # that needed it when it began
    done: Mapped[int] = mapped_column(BigInteger, server_default=text("0"))
    unopened: Mapped[int] = mapped_column(BigInteger, server_default=text("0"))  # rows that no key of ours opens
    began_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))  # system clock, like the others
    moved_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    ended_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))


class LetGo(Table):
    """How many rows of what were let go of because their time was over (app/flows/keep/retention.py). Only added to."""

    __tablename__ = "let_go"
    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    what: Mapped[str] = mapped_column(Text)
    before: Mapped[datetime] = mapped_column(DateTime(timezone=True))  # system clock, like `at`
    rows: Mapped[int] = mapped_column(BigInteger)
    at: Mapped[datetime] = mapped_column(DateTime(timezone=True))


class Tally(Table):
    """How often a key acted within a window: look-ups per caller and per target, failed logins (A41, A53)."""

    __tablename__ = "tally"
    key: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)  # keyed digest of what is counted
    window_start: Mapped[datetime] = mapped_column(DateTime(timezone=True), primary_key=True)
    count: Mapped[int] = mapped_column(Integer)
