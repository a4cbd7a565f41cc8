"""Where the bureaus, the police and the register say of one person what cannot all be true: the table, its kinds, who
owns what."""

from collections.abc import Mapping
from datetime import date, datetime
from enum import StrEnum
from typing import NamedTuple

from sqlalchemy import (
    ARRAY,
    BigInteger,
    CheckConstraint,
    Date,
    DateTime,
    ForeignKey,
    Identity,
    Index,
    LargeBinary,
    Text,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Table


class Kind(StrEnum):
    """What is in dispute."""

    ALIVE = "ALIVE"  # the register: alive; the police: dead
    RESIDENCE = "RESIDENCE"  # the register: of the district; the police: moved out, cancelled; or the other way round
    AGE = "AGE"  # the police: so old that he pays nothing; the register: younger
    NAME = "NAME"  # a file has another name for the same number
    BUREAUS = "BUREAUS"  # one bureau calls him dead, the other sends him as alive
    TWICE = "TWICE"  # two numbers with one name, birth and village, both active in one insurance


ABOUT_LIFE = (Kind.ALIVE, Kind.BUREAUS)  # where somebody calls him dead


class State(StrEnum):
    """Where it stands."""

    OPEN = "open"
    SOLVED = "solved"  # by somebody of the office that owns it: the same contradiction does not come again
    AGREED = "agreed"  # by itself: both say the same now


class Said(NamedTuple):
    """A kind in words, and what may be decided: word → what it means."""

    words: str
    answers: Mapping[str, str]


KINDS: Mapping[str, Said] = {
    Kind.ALIVE: Said(
        "公安说去世了，登记说健在",
        {"police": "人已经去世，公安说得对", "register": "人健在，公安的名单错了"},
    ),
    Kind.RESIDENCE: Said("公安说的户口和登记的不一样", {"register": "登记说得对，还在这里参保"}),
    Kind.AGE: Said("在公安的免缴老人名单上，登记的年龄不够", {"register": "登记说得对，不免缴"}),
    Kind.NAME: Said("同一个号码，两个姓名", {"register": "登记的姓名对", "other": "另一个姓名对，登记已经更正"}),
    Kind.BUREAUS: Said("一家局说去世了，另一家局说健在", {"register": "人已经去世"}),
    Kind.TWICE: Said("像是一个人有两个号码", {"register": "是两个人"}),
}
OFFICES: Mapping[str, str] = {"hrss": "人社局", "medical": "医保局"}
OWNS: Mapping[str, str] = {"RES_PENSION": "hrss", "RES_MEDICAL": "medical"}
_KINDS = ", ".join(f"'{kind}'" for kind in Kind)


class Conflict(Table):
    """One contradiction about a person. While it is open nothing is billed of its insurances. `name`: of NAME, the
    other name, sealed, conflict.name:<id>."""

    __tablename__ = "conflict"
    __table_args__ = (
        CheckConstraint(f"kind in ({_KINDS})", name="kind"),
        CheckConstraint("insurances <> '{}' and insurances <@ '{RES_PENSION,RES_MEDICAL}'", name="insurances"),
        CheckConstraint("owner in ('hrss', 'medical')", name="owner"),
        CheckConstraint("state in ('open', 'solved', 'agreed')", name="state"),
        CheckConstraint(
            "(state = 'open') = (decided_at is null) and (state = 'open') = (decided_by is null)", name="decided"
        ),
        CheckConstraint(
            "(state = 'solved') = (word is not null) and (state = 'solved') = (why is not null)"
            " and length(btrim(why)) >= 4",
            name="solved",
        ),
        Index("ix__conflict__open", "person_id", postgresql_where=text("state = 'open'")),
        Index("ix__conflict__queue", "owner", "due_on", postgresql_where=text("state = 'open'")),
        Index(
            "uq__conflict__once",
            "person_id",
            "kind",
            "about",
            unique=True,
            postgresql_where=text("state <> 'agreed'"),
        ),
    )
    id: Mapped[int] = mapped_column(BigInteger, Identity(cycle=False), primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    kind: Mapped[str] = mapped_column(Text)
    about: Mapped[str] = mapped_column(Text)  # the contradiction; another one of the same kind is another row
    insurances: Mapped[list[str]] = mapped_column(ARRAY(Text))
    owner: Mapped[str] = mapped_column(Text)  # the office that decides
    name: Mapped[bytes | None] = mapped_column(LargeBinary)
    other_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))  # of TWICE: under the other number
    state: Mapped[str] = mapped_column(Text, server_default="open")
    opened_by: Mapped[str] = mapped_column(Text)  # import:<hash> of a file, conflict:<id> of a decision
    opened_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))  # business clock, like decided_at
    due_on: Mapped[date] = mapped_column(Date)  # by which day it is decided
    decided_by: Mapped[str | None] = mapped_column(Text)
    decided_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    word: Mapped[str | None] = mapped_column(Text)  # whose counts
    why: Mapped[str | None] = mapped_column(Text)
