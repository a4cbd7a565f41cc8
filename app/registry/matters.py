"""What somebody says in one sentence, and which office answers it: the table, its states and who answers what."""

from collections.abc import Collection, Mapping
from datetime import date, datetime
from enum import StrEnum
from typing import NamedTuple

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Connection,
    Date,
    DateTime,
    ForeignKey,
    Identity,
    Index,
    LargeBinary,
    SmallInteger,
    Text,
    select,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Table


class Stand(StrEnum):
    """Where it stands."""

    OPEN = "open"
    TAKEN = "taken"  # somebody of the office has it in hand
    ANSWERED = "answered"
    CLOSED = "closed"  # by who raised it: it is settled
    REOPENED = "reopened"  # by who raised it: it is not


UNANSWERED = frozenset({Stand.OPEN, Stand.TAKEN, Stand.REOPENED})


class Topic(NamedTuple):
    """One thing that may be said, and the role that answers it. `insurance`: of which it is, where it is of one."""

    words: str
    office: str
    insurance: str | None = None


TOPICS: Mapping[str, Topic] = {
    "NOT_LISTED": Topic("名单上没有我（他）", "medical"),
    "NAME_WRONG": Topic("名字错了", "medical"),
    "PHONE_CHANGED": Topic("手机号换了", "tax_clerk"),
    "PAID_ELSEWHERE_MEDICAL": Topic("医保在外地交了", "medical", "RES_MEDICAL"),
    "PAID_ELSEWHERE_PENSION": Topic("养老在外地交了", "hrss", "RES_PENSION"),
    "DIED": Topic("人去世了", "hrss"),
    "STILL_ALIVE": Topic("我（他）还健在", "hrss"),  # in truth whichever office owns the conflict about it
    "AWAY": Topic("当兵、上学去了", "medical"),
    "NOT_MY_PAYMENT": Topic("我没付过这笔", "tax_clerk"),
    "PAID_NOT_SHOWN": Topic("付了没显示", "tax_clerk"),
    "NOT_MY_FAMILY": Topic("不是我家的人", "medical"),
}
LACKING: Mapping[str, Topic] = {  # NOT_LISTED, by the insurance whose list it is
    "RES_MEDICAL": Topic("医保名单上没有我（他）", "medical", "RES_MEDICAL"),
    "RES_PENSION": Topic("养老名单上没有我（他）", "hrss", "RES_PENSION"),
}
OFFICES: Mapping[str, str] = {"medical": "医保局", "hrss": "人社局", "tax_clerk": "税务"}
_KINDS = ", ".join(f"'{kind}'" for kind in TOPICS)
_OFFICES = ", ".join(f"'{office}'" for office in OFFICES)
_STANDS = ", ".join(f"'{stand}'" for stand in Stand)


class Matter(Table):
    """One sentence of a resident or an agent, and its answer. What was written is sealed, matter.<column>:<id>."""

    __tablename__ = "matter"
    __table_args__ = (
        CheckConstraint(f"kind in ({_KINDS})", name="kind"),
        CheckConstraint(f"office in ({_OFFICES})", name="office"),
        CheckConstraint(f"state in ({_STANDS})", name="state"),
        CheckConstraint("(kind = 'NOT_LISTED') = (person_id is null)", name="whom"),
        CheckConstraint("state = 'open' or state = 'reopened' or taken_by is not null", name="taken"),
        CheckConstraint(
            "(answered_by is null) = (answered_at is null) and"
            " (state not in ('answered', 'closed', 'reopened') or answered_by is not null)",
            name="answered",
        ),
        CheckConstraint("answered_by <> by", name="two_people"),
        Index("ix__matter__person_id", "person_id"),
        Index("ix__matter__village_code", "village_code"),
        Index(
            "ix__matter__unanswered",
            "office",
            "due_on",
            postgresql_where=text("state in ('open', 'taken', 'reopened')"),
        ),
        Index(
            "uq__matter__unanswered_of",
            "person_id",
            "kind",
            "office",
            unique=True,
            postgresql_where=text("state in ('open', 'taken', 'reopened')"),
        ),
    )
    id: Mapped[int] = mapped_column(BigInteger, Identity(cycle=False), primary_key=True)
    kind: Mapped[str] = mapped_column(Text)
    office: Mapped[str] = mapped_column(Text)
    person_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    village_code: Mapped[str | None] = mapped_column(Text)  # an agent's, for somebody who is in no register
    words: Mapped[bytes] = mapped_column(LargeBinary)
    by: Mapped[str] = mapped_column(Text)  # account:<id>, agent:<id>, or staff:<login> of a counter
    at: Mapped[datetime] = mapped_column(DateTime(timezone=True))  # business clock, like the others
    due_on: Mapped[date] = mapped_column(Date)  # by which day it is answered
    state: Mapped[str] = mapped_column(Text, server_default="open")
    turn: Mapped[int] = mapped_column(SmallInteger, server_default=text("1"))
    taken_by: Mapped[str | None] = mapped_column(Text)
    taken_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    answer: Mapped[bytes | None] = mapped_column(LargeBinary)
    answered_by: Mapped[str | None] = mapped_column(Text)
    answered_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    again: Mapped[bytes | None] = mapped_column(LargeBinary)  # why it was reopened
    kept_from: Mapped[datetime] = mapped_column(DateTime(timezone=True))  # said or answered last; system clock


def title_of(kind: str, office: str) -> str:
    """What was said, in words; of whom a list lacks, of which list, by the office that answers. Pure."""
    lists = LACKING.values() if kind == "NOT_LISTED" else ()
    return next((each.words for each in lists if each.office == office), _words(kind))


def _words(kind: str) -> str:
    """Of one that the version after this one knows, only that it is something."""
    return TOPICS[kind].words if kind in TOPICS else "反映的事"


def silenced(connection: Connection, people: Collection[int]) -> set[int]:
    """Of whom of these nothing reminds, because an office has yet to answer what was said of him."""
    asked = select(Matter.person_id).where(
        Matter.person_id.in_(list(people)),
        Matter.state.in_(UNANSWERED),
    )
    return {int(person) for person in connection.execute(asked).scalars() if person is not None}
