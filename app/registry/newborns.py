"""Who has no identity number yet: the birth certificate he stands under, and the application by which he came in."""

from collections.abc import Mapping
from datetime import date, datetime
from enum import StrEnum

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Date,
    DateTime,
    ForeignKey,
    Identity,
    Index,
    LargeBinary,
    SmallInteger,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Table

RESIDENT_ID, BIRTH_CERT = "01", "BIRTH_CERT"  # person.id_type


class Stand(StrEnum):
    """Where an application stands."""

    APPLIED = "applied"
    CHECKING = "checking"  # somebody of the bureau has it in hand
    REGISTERED = "registered"
    REJECTED = "rejected"
    WITHDRAWN = "withdrawn"  # by who applied, before anybody had it in hand


OPEN = frozenset({Stand.APPLIED, Stand.CHECKING})
WORDS: Mapping[Stand, str] = {
    Stand.APPLIED: "已申请",
    Stand.CHECKING: "核实中",
    Stand.REGISTERED: "已登记",
    Stand.REJECTED: "没有通过",
    Stand.WITHDRAWN: "已撤回",
}


class BirthCertificate(Table):
    """The certificate under which a person came in. It stays when he stands under a number: whoever has the paper finds
    him."""

    __tablename__ = "birth_certificate"
    __table_args__ = (UniqueConstraint("index"),)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"), primary_key=True)
    number: Mapped[bytes] = mapped_column(LargeBinary)  # sealed, birth_certificate.number:<person_id>
    index: Mapped[bytes] = mapped_column(LargeBinary)  # keyed, as person.id_index of who stands under it
    at: Mapped[datetime] = mapped_column(DateTime(timezone=True))  # system clock


class Newborn(Table):
    """An application to register a child of somebody's household under its birth certificate; decided once."""

    __tablename__ = "newborn"
    __table_args__ = (
        CheckConstraint("sex in (1, 2)", name="sex"),
        CheckConstraint("state in ('applied', 'checking', 'registered', 'rejected', 'withdrawn')", name="state"),
        CheckConstraint("btrim(requested_by) <> '' and decided_by <> requested_by", name="four_eyes"),
        CheckConstraint("checked_by <> requested_by", name="checked"),
        CheckConstraint(
            "(state in ('registered', 'rejected')) = (decided_by is not null and decided_at is not null)",
            name="decided",
        ),
        CheckConstraint("state <> 'rejected' or coalesce(btrim(reason), '') <> ''", name="reason"),
        CheckConstraint(
            "(state = 'withdrawn') = (withdrawn_by is not null and withdrawn_at is not null)", name="withdrawn"
        ),
        CheckConstraint("(state = 'registered') = (person_id is not null)", name="registered"),
        Index("ix__newborn__parent_id", "parent_id"),
        Index("uq__newborn__person_id", "person_id", unique=True),
        Index(
            "uq__newborn__certificate",
            "index",
            unique=True,
            postgresql_where=text("state in ('applied', 'checking', 'registered')"),
        ),
        Index("ix__newborn__open", "id", postgresql_where=text("state in ('applied', 'checking')")),
    )
    id: Mapped[int] = mapped_column(BigInteger, Identity(cycle=False), primary_key=True)
    parent_id: Mapped[int] = mapped_column(ForeignKey("person.id"))  # whose household it is of
    certificate: Mapped[bytes] = mapped_column(LargeBinary)  # sealed, newborn.certificate:<id>; so name and picture
    index: Mapped[bytes] = mapped_column(LargeBinary)  # keyed, as birth_certificate.index
    name: Mapped[bytes] = mapped_column(LargeBinary)
    birth_date: Mapped[date] = mapped_column(Date)
    sex: Mapped[int] = mapped_column(SmallInteger)
    picture: Mapped[bytes | None] = mapped_column(LargeBinary)
    state: Mapped[str] = mapped_column(Text, server_default="applied")
    requested_by: Mapped[str] = mapped_column(Text)  # account:<id>, agent:<id> or staff:<login> of a counter
    applied_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))  # business clock, like the others
    kept_from: Mapped[datetime] = mapped_column(DateTime(timezone=True))  # system clock
    checked_by: Mapped[str | None] = mapped_column(Text)
    checked_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    reason: Mapped[str | None] = mapped_column(Text)
    decided_by: Mapped[str | None] = mapped_column(Text)
    decided_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    withdrawn_by: Mapped[str | None] = mapped_column(Text)
    withdrawn_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    person_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))  # the child


class Joining(Table):
    """Whoever stands under a birth certificate is to stand under his identity number: offered by a file, or asked for
    by one of a bureau, agreed to by another; then frozen. `other_id`: whom the register has under that number."""

    __tablename__ = "joining"
    __table_args__ = (
        CheckConstraint("state in ('offered', 'asked', 'done', 'refused', 'withdrawn')", name="state"),
        CheckConstraint("sex in (1, 2)", name="sex"),
        CheckConstraint(
            "(asked_by is null) = (asked_at is null) and (asked_by is null) = (proof is null)", name="asked"
        ),
        CheckConstraint("state not in ('asked', 'done', 'withdrawn') or asked_by is not null", name="hands"),
        CheckConstraint("length(btrim(proof)) >= 4", name="proof"),
        CheckConstraint(
            "(state in ('offered', 'asked')) = (decided_by is null) and (decided_by is null) = (decided_at is null)",
            name="decided",
        ),
        CheckConstraint("state <> 'done' or decided_by <> asked_by", name="two_people"),
        CheckConstraint("state <> 'refused' or coalesce(btrim(why), '') <> ''", name="why"),
        CheckConstraint("(state = 'done') = (kept_id is not null)", name="kept"),
        CheckConstraint("other_id <> person_id", name="another"),
        Index("ix__joining__other_id", "other_id"),
        Index("uq__joining__open", "person_id", unique=True, postgresql_where=text("state in ('offered', 'asked')")),
    )
    id: Mapped[int] = mapped_column(BigInteger, Identity(cycle=False), primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"))  # who stands under a certificate
    other_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    number: Mapped[bytes] = mapped_column(LargeBinary)  # sealed, joining.number:<id>; so the name
    index: Mapped[bytes] = mapped_column(LargeBinary)  # as person.id_index
    name: Mapped[bytes] = mapped_column(LargeBinary)  # as the household register has it
    birth_date: Mapped[date] = mapped_column(Date)  # the number's
    sex: Mapped[int] = mapped_column(SmallInteger)
    state: Mapped[str] = mapped_column(Text)
    opened_by: Mapped[str] = mapped_column(Text)  # import:<hash of a file>, newborn:<id>, or staff:<login>
    opened_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))  # business clock, like the others
    proof: Mapped[str | None] = mapped_column(Text)  # which paper, and why it is he where something differs
    asked_by: Mapped[str | None] = mapped_column(Text)
    asked_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    why: Mapped[str | None] = mapped_column(Text)  # a no's
    decided_by: Mapped[str | None] = mapped_column(Text)
    decided_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    kept_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))  # which of the two goes on; the other ended
