"""Rosters (清册): who of a village is registered for an insurance of a levy year. Versions never change; who signed,
handed over and posted which stands beside them, step by step."""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Boolean,
    CheckConstraint,
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
    Stage.REPORTED: "上报了，等税务、人社确认",
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
    Stage.EFFECTIVE: "生效",
}
REVIEWS = (Stage.TAX_REVIEWED, Stage.HRSS_REVIEWED, Stage.MEDICAL_REVIEWED)
ODD: Mapping[str, str] = {
    "TWINS": "一个号码两个名字（双胞胎写了一个号？）",
    "TWICE": "同名同生日，写了两次（在两个村，或有两个号码？）",
    "OLD": "满110岁",
    "NO_ADULT": "一户没有成年人",
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


def next_step(state: str, role: str, *, medical: bool) -> Stage | None:
    """What somebody of a role may sign for, as `roster_goes` and `roster_hands` say in the database. Pure."""
    tax = role in ("tax_clerk", "tax_lead")
    if state == Stage.GENERATED and tax:
        return Stage.TAX_REVIEWED
    if state == Stage.TAX_REVIEWED and role == "hrss":
        return Stage.HRSS_REVIEWED
    if state == Stage.HRSS_REVIEWED and medical and role == "medical":
        return Stage.MEDICAL_REVIEWED
    if tax and (state == Stage.MEDICAL_REVIEWED or (state == Stage.HRSS_REVIEWED and not medical)):
        return Stage.ISSUED_TO_TOWN
    if state in (Stage.ISSUED_TO_TOWN, Stage.WITH_AGENT) and role == "town":
        return Stage.WITH_AGENT
    return None


def sends_back(state: str, role: str, *, medical: bool) -> bool:
    """Whether he may send it back, as `roster_senders` says in the database. Pure."""
    if state in (Stage.ISSUED_TO_TOWN, Stage.WITH_AGENT):
        return role == "town"
    if role in ("tax_clerk", "tax_lead"):
        return state in (Stage.GENERATED, *REVIEWS)
    return (state, role) == (Stage.TAX_REVIEWED, "hrss") or (
        medical and (state, role) == (Stage.HRSS_REVIEWED, "medical")
    )
