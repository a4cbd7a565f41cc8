"""Rosters (清册): who of a village is registered for an insurance of a levy year. Versions never change; who signed,
handed over and posted which stands beside them, step by step."""

from collections.abc import Mapping
from datetime import date, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Boolean,
    CheckConstraint,
    Date,
    DateTime,
    ForeignKey,
    ForeignKeyConstraint,
    Identity,
    Index,
    Integer,
    LargeBinary,
    SmallInteger,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Table

SHOWN = "w.person_id not in (select id from restricted_people())"  # few were erased: asked once, not for every name


class Stage(StrEnum):
    """Where a roster stands; also the step that led there."""

    GENERATED = "GENERATED"
    SENT_BACK = "SENT_BACK"
    TAX_REVIEWED = "TAX_REVIEWED"
    HRSS_REVIEWED = "HRSS_REVIEWED"
    MEDICAL_REVIEWED = "MEDICAL_REVIEWED"
    ISSUED_TO_TOWN = "ISSUED_TO_TOWN"
    WITH_AGENT = "WITH_AGENT"
    POSTED = "POSTED"
    AMENDING = "AMENDING"
    REPORTED = "REPORTED"
    TAX_CONFIRMED = "TAX_CONFIRMED"
    EFFECTIVE = "EFFECTIVE"


WORDS: Mapping[str, str] = {
    Stage.GENERATED: "等税务分局审",
    Stage.SENT_BACK: "退回了，等重新出",
    Stage.TAX_REVIEWED: "等人社审",
    Stage.HRSS_REVIEWED: "人社审过了",
    Stage.MEDICAL_REVIEWED: "医保审过了",
    Stage.ISSUED_TO_TOWN: "移交镇街了，等转代办员",
    Stage.WITH_AGENT: "在代办员手里，等张贴",
    Stage.POSTED: "正在公示",
    Stage.AMENDING: "公示完了，等更正和上报",
    Stage.REPORTED: "上报了，等税务分局确认",
    Stage.TAX_CONFIRMED: "税务确认了，等人社确认",
    Stage.EFFECTIVE: "生效",
}
DONE: Mapping[str, str] = {
    Stage.GENERATED: "出清册",
    Stage.SENT_BACK: "退回",
    Stage.TAX_REVIEWED: "税务分局审过",
    Stage.HRSS_REVIEWED: "人社审过",
    Stage.MEDICAL_REVIEWED: "医保审过",
    Stage.ISSUED_TO_TOWN: "移交镇街",
    Stage.WITH_AGENT: "转给代办员",
    Stage.POSTED: "张贴",
    Stage.AMENDING: "公示期满",
    Stage.REPORTED: "上报",
    Stage.TAX_CONFIRMED: "税务分局确认",
    Stage.EFFECTIVE: "人社确认，生效",
}
REVIEWS = (Stage.TAX_REVIEWED, Stage.HRSS_REVIEWED, Stage.MEDICAL_REVIEWED)
ODD: Mapping[str, str] = {
    "TWINS": "一个号码两个名字（双胞胎写了一个号？）",
    "TWICE": "同名同生日，写了两次（在两个村，或有两个号码？）",
    "OLD": "满110岁",
    "NO_ADULT": "一户没有成年人",
}
CHANGES: Mapping[str, str] = {  # why somebody is on a later version or not: each is a change of the register (R37)
    "REGISTERED": "新登记的，或者迁来的",
    "DEAD": "去世了",
    "MOVED": "迁到别的村了",
    "ENDED": "登记停了",
    "RESTRICTED": "限制处理",
}
LEFT_OUT: Mapping[str, str] = {"DEAD": "去世了", "ENDED": "登记停了", "RESTRICTED": "限制处理"}
FEWER = 12  # percent by which a village shrinks before somebody must look (domain.md R33)

_STAGES = ", ".join(f"'{stage}'" for stage in Stage)
_REVIEWS = ", ".join(f"'{stage}'" for stage in REVIEWS)


class Roster(Table):
    """That of a village, an insurance and a levy year. `no`: the version in hand; `effective_no`: the one in force."""

    __tablename__ = "roster"
    __table_args__ = (
        UniqueConstraint("levy_year", "insurance", "village_code", name="uq__roster__of"),
        CheckConstraint(f"state in ({_STAGES})", name="state"),
        CheckConstraint("effective_no <= no", name="effective"),
        CheckConstraint("agent_id is not null or state not in ('WITH_AGENT', 'POSTED')", name="agent"),
        Index("ix__roster__village_code", "village_code"),
    )
    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True, cycle=False), primary_key=True)
    village_code: Mapped[str] = mapped_column(ForeignKey("village.code"))
    insurance: Mapped[str] = mapped_column(Text)
    levy_year: Mapped[int] = mapped_column(SmallInteger)
    medical: Mapped[bool] = mapped_column(Boolean)  # the medical bureau signs too
    state: Mapped[str] = mapped_column(Text)
    no: Mapped[int] = mapped_column(Integer)
    effective_no: Mapped[int | None] = mapped_column(Integer)
    agent_id: Mapped[int | None] = mapped_column(ForeignKey("agent.id"))  # with whom it is, or was last


class RosterVersion(Table):
    """One drawing of a roster. Of those `registered` for the insurance in the village, `people` are on it and the
    others `left_out`, by reason; `before`: how many were on the last one in force, or else registered last year."""

    __tablename__ = "roster_version"
    __table_args__ = (UniqueConstraint("code"),)
    roster_id: Mapped[int] = mapped_column(ForeignKey("roster.id"), primary_key=True)
    no: Mapped[int] = mapped_column(Integer, primary_key=True)
    people: Mapped[int] = mapped_column(Integer)
    registered: Mapped[int] = mapped_column(Integer)
    left_out: Mapped[dict[str, Any]] = mapped_column(JSONB)
    before: Mapped[int | None] = mapped_column(Integer)
    digest: Mapped[bytes] = mapped_column(LargeBinary)  # SHA-256 of the whole list (roster_digest)
    code: Mapped[str] = mapped_column(Text)  # the poster's
    drawn_by: Mapped[str] = mapped_column(Text)
    drawn_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))  # business clock
    job: Mapped[int | None] = mapped_column(BigInteger)  # the office's work that drew it


class RosterRow(Table):
    """One person on one version, by the name that may be posted."""

    __tablename__ = "roster_row"
    roster_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    no: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    person_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    masked: Mapped[str] = mapped_column(Text)


class RosterOdd(Table):
    """What somebody should look at before he signs."""

    __tablename__ = "roster_odd"
    roster_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    no: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    kind: Mapped[str] = mapped_column(Text, primary_key=True)
    person_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)


class RosterStep(Table):
    """Who did what with which version; only added to. `words`: why it was sent back, sealed, roster_step.words:<id>;
    `people`: the rows that it is about."""

    __tablename__ = "roster_step"
    __table_args__ = (
        ForeignKeyConstraint(["roster_id", "no"], ["roster_version.roster_id", "roster_version.no"]),
        CheckConstraint(f"what in ({_STAGES})", name="what"),
        Index("ix__roster_step__roster_id", "roster_id", "no"),
        Index(
            "uq__roster_step__review",
            "roster_id",
            "no",
            "what",
            unique=True,
            postgresql_where=text(f"what in ({_REVIEWS})"),
        ),
        Index(
            "uq__roster_step__hand",
            "roster_id",
            "no",
            "by",
            unique=True,
            postgresql_where=text(f"what in ({_REVIEWS})"),
        ),
    )
    id: Mapped[int] = mapped_column(BigInteger, Identity(always=False, cycle=False), primary_key=True)
    roster_id: Mapped[int] = mapped_column(BigInteger)
    no: Mapped[int] = mapped_column(Integer)
    what: Mapped[str] = mapped_column(Text)
    by: Mapped[str] = mapped_column(Text)
    at: Mapped[datetime] = mapped_column(DateTime(timezone=True))  # business clock
    words: Mapped[bytes | None] = mapped_column(LargeBinary)
    people: Mapped[list[int] | None] = mapped_column(ARRAY(BigInteger))
    agent_id: Mapped[int | None] = mapped_column(ForeignKey("agent.id"))


class RosterPosting(Table):
    """A version that hung in its village: from when it hangs, its three full days, and the photo, sealed,
    roster_posting.photo:<roster>:<no>."""

    __tablename__ = "roster_posting"
    __table_args__ = (
        ForeignKeyConstraint(["roster_id", "no"], ["roster_version.roster_id", "roster_version.no"]),
        CheckConstraint("starts_at > posted_at and ends_at = starts_at + interval '72 hours'", name="three_days"),
    )
    roster_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    no: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    agent_id: Mapped[int] = mapped_column(ForeignKey("agent.id"))
    posted_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))  # business clock, as the others
    starts_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))  # the next midnight in Beijing
    ends_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    photo: Mapped[bytes | None] = mapped_column(LargeBinary)


class RosterChange(Table):
    """Who came onto a later version or went from it since the one that hung, and by which change of the register."""

    __tablename__ = "roster_change"
    __table_args__ = (CheckConstraint("what in ('added', 'removed')", name="what"),)
    roster_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    no: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    person_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    what: Mapped[str] = mapped_column(Text)
    why: Mapped[str] = mapped_column(Text)
    masked: Mapped[str] = mapped_column(Text)


class RosterObjection(Table):
    """One sentence about a list that hangs. `by`: account:<id>, agent:<id> or staff:<login> of the town; `contact`: how
    who told them is reached. `owner` answers it; it is over when who raised it was told."""

    __tablename__ = "roster_objection"
    __table_args__ = (
        ForeignKeyConstraint(["roster_id", "no"], ["roster_version.roster_id", "roster_version.no"]),
        CheckConstraint("state in ('RAISED', 'ACCEPTED', 'REFUSED')", name="state"),
        CheckConstraint("(state = 'RAISED') = (answered_by is null)", name="answered"),
        CheckConstraint("(answered_by is null) = (answered_at is null)", name="answered_at"),
        CheckConstraint("told_at is null or answered_at is not null", name="told"),
        CheckConstraint("answered_by <> by", name="two_people"),
        Index("ix__roster_objection__roster_id", "roster_id"),
        Index("ix__roster_objection__owner", "owner", postgresql_where=text("told_at is null")),
    )
    id: Mapped[int] = mapped_column(BigInteger, Identity(always=False, cycle=False), primary_key=True)
    roster_id: Mapped[int] = mapped_column(BigInteger)
    no: Mapped[int] = mapped_column(Integer)
    words: Mapped[bytes] = mapped_column(LargeBinary)  # sealed, roster_objection.words:<id>; as contact and answer
    contact: Mapped[bytes | None] = mapped_column(LargeBinary)
    by: Mapped[str] = mapped_column(Text)
    at: Mapped[datetime] = mapped_column(DateTime(timezone=True))  # business clock, as the others
    owner: Mapped[str] = mapped_column(Text)
    due_on: Mapped[date] = mapped_column(Date)
    kept_from: Mapped[datetime] = mapped_column(DateTime(timezone=True))  # system clock
    state: Mapped[str] = mapped_column(Text)
    answer: Mapped[bytes | None] = mapped_column(LargeBinary)
    answered_by: Mapped[str | None] = mapped_column(Text)
    answered_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    told_by: Mapped[str | None] = mapped_column(Text)
    told_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))


_TAX = ("tax_clerk", "tax_lead")
_NEXT: Mapping[str, tuple[tuple[str, ...], Stage]] = {  # whose step comes, and which
    Stage.GENERATED: (_TAX, Stage.TAX_REVIEWED),
    Stage.TAX_REVIEWED: (("hrss",), Stage.HRSS_REVIEWED),
    Stage.HRSS_REVIEWED: (_TAX, Stage.ISSUED_TO_TOWN),
    Stage.MEDICAL_REVIEWED: (_TAX, Stage.ISSUED_TO_TOWN),
    Stage.ISSUED_TO_TOWN: (("town",), Stage.WITH_AGENT),
    Stage.WITH_AGENT: (("town",), Stage.WITH_AGENT),
    Stage.AMENDING: (("town",), Stage.REPORTED),
    Stage.REPORTED: (_TAX, Stage.TAX_CONFIRMED),
    Stage.TAX_CONFIRMED: (("hrss",), Stage.EFFECTIVE),
}


def next_step(state: str, role: str, *, medical: bool) -> Stage | None:
    """What somebody of a role may sign for, as `roster_goes` and `roster_hands` say in the database. Pure."""
    hands, step = _NEXT.get(state, ((), Stage.GENERATED))
    if medical and state == Stage.HRSS_REVIEWED:
        hands, step = ("medical",), Stage.MEDICAL_REVIEWED
    return step if role in hands else None


def sends_back(state: str, role: str, *, medical: bool) -> bool:
    """Whether he may send it back, as `roster_senders` says in the database. Pure."""
    if state in (Stage.ISSUED_TO_TOWN, Stage.WITH_AGENT, Stage.POSTED):
        return role == "town"
    if state == Stage.TAX_CONFIRMED:
        return role == "hrss"
    if role in _TAX:
        return state in (Stage.GENERATED, *REVIEWS, Stage.REPORTED)
    return (state, role) == (Stage.TAX_REVIEWED, "hrss") or (
        medical and (state, role) == (Stage.HRSS_REVIEWED, "medical")
    )
