"""Who is insured and where: towns, villages, households, persons, enrolments, categories, and what was imported."""

from datetime import date, datetime

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Boolean,
    CheckConstraint,
    Date,
    DateTime,
    ForeignKey,
    Identity,
    Index,
    Integer,
    LargeBinary,
    SmallInteger,
    Text,
    UniqueConstraint,
    false,
    func,
    text,
    true,
)
from sqlalchemy.orm import Mapped, mapped_column

from app.registry.determinations import Kind, State
from core.db import Table


class Town(Table):
    """One of the seven towns and streets; the accountable unit (R01)."""

    __tablename__ = "town"
    code: Mapped[str] = mapped_column(Text, primary_key=True)
    name: Mapped[str] = mapped_column(Text)


class Village(Table):
    """A village or residential community, 12 digits: town code and three more."""

    __tablename__ = "village"
    code: Mapped[str] = mapped_column(Text, primary_key=True)
    town_code: Mapped[str] = mapped_column(ForeignKey("town.code"), index=True)
    name: Mapped[str] = mapped_column(Text)


class Household(Table):
    """Everybody under one household number of a village. Its id is the distribution key of the payment path."""

    __tablename__ = "household"
    __table_args__ = (
        UniqueConstraint("village_code", "number"),
        Index(  # as people tell them apart: the zeros before a number are a spreadsheet's to lose
            "ix__household__key",
            "village_code",
            text(r"regexp_replace(number, '^0+([0-9]*)$', '\1')"),
        ),
    )
    id: Mapped[int] = mapped_column(BigInteger, Identity(cycle=False), primary_key=True)
    village_code: Mapped[str] = mapped_column(ForeignKey("village.code"))
    number: Mapped[str] = mapped_column(Text)


class Person(Table):
    """A natural person. Identity number, name and phone are sealed; `id_index` finds the number (decision 18)."""

    __tablename__ = "person"
    __table_args__ = (
        UniqueConstraint("id_index"),
        Index("ix__person__household_id", "household_id"),
        Index("ix__person__birth_cert", "birth_date", postgresql_where=text("id_type = 'BIRTH_CERT'")),
        Index(
            "ix__person__restricted",
            "id",
            postgresql_include=["restricted_at"],
            postgresql_where=text("restricted_at is not null"),
        ),
        CheckConstraint("sex in (1, 2)", name="sex"),
        CheckConstraint("id_type in ('01', 'BIRTH_CERT')", name="id_type"),
        CheckConstraint("residence in ('hukou', 'permit', 'permit_child', 'nonlocal')", name="residence"),
        CheckConstraint("family_type in ('none', 'only_child', 'two_daughters')", name="family_type"),
        CheckConstraint("school in ('none', 'pupil', 'university')", name="school"),
    )
    id: Mapped[int] = mapped_column(BigInteger, Identity(cycle=False), primary_key=True)
    household_id: Mapped[int] = mapped_column(ForeignKey("household.id"))
    id_type: Mapped[str] = mapped_column(Text, server_default="01")  # BIRTH_CERT: he stands under his certificate
    id_number: Mapped[bytes] = mapped_column(LargeBinary)  # sealed, person.id_number:<id>
    id_index: Mapped[bytes] = mapped_column(LargeBinary)
    name: Mapped[bytes] = mapped_column(LargeBinary)  # sealed, person.name:<id>
    phone: Mapped[bytes | None] = mapped_column(LargeBinary)  # sealed, person.phone:<id>
    birth_date: Mapped[date] = mapped_column(Date)
    sex: Mapped[int] = mapped_column(SmallInteger)
    residence: Mapped[str] = mapped_column(Text, server_default="hukou")
    alive: Mapped[bool] = mapped_column(Boolean, server_default=true())
    student: Mapped[bool] = mapped_column(Boolean, server_default=false())
    is_migrant: Mapped[bool] = mapped_column(Boolean, server_default=false())
    relation_to_head: Mapped[str] = mapped_column(Text, server_default="")
    family_type: Mapped[str] = mapped_column(Text, server_default="none")
    spouse_birth: Mapped[date | None] = mapped_column(Date)
    permit_to: Mapped[date | None] = mapped_column(Date)  # last day of the residence permit; a child's: the parent's
    parent_index: Mapped[bytes | None] = mapped_column(LargeBinary)  # as id_index, of the parent whose permit counts
    school: Mapped[str] = mapped_column(Text, server_default="none")
    medical_years: Mapped[list[int] | None] = mapped_column(ARRAY(SmallInteger))  # enrolled in; null: nobody has said
    digest: Mapped[bytes] = mapped_column(LargeBinary)  # keyed, over the imported row: equal means nothing changed
    restricted_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))  # since when nobody finds him


class Enrolment(Table):
    """One person's registration for one insurance, as the bureau sent it (R30). No enrolment, no bill (R29)."""

    __tablename__ = "enrolment"
    __table_args__ = (
        CheckConstraint("insurance in ('RES_PENSION', 'RES_MEDICAL')", name="insurance"),
        CheckConstraint("status in ('NORMAL', 'PAUSED', 'ENDED')", name="status"),
    )
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"), primary_key=True)
    insurance: Mapped[str] = mapped_column(Text, primary_key=True)
    household_id: Mapped[int] = mapped_column(BigInteger)
    source_person_no: Mapped[str] = mapped_column(Text, server_default="")
    status: Mapped[str] = mapped_column(Text, server_default="NORMAL")
    pay_from: Mapped[str] = mapped_column(Text, server_default="")  # yyyymm
    pay_to: Mapped[str] = mapped_column(Text, server_default="")
    last_tier: Mapped[int | None] = mapped_column(BigInteger)  # fen
    employee_insured: Mapped[bool] = mapped_column(Boolean, server_default=false())
    insured_elsewhere: Mapped[str] = mapped_column(Text, server_default="none")
    said_dead: Mapped[bool] = mapped_column(Boolean, server_default=false())  # by the insurance's bureau
    digest: Mapped[bytes] = mapped_column(LargeBinary)


class Category(Table):
    """A special-group flag of one person for one insurance; the two bureaus may differ (R31)."""

    __tablename__ = "category"
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"), primary_key=True)
    insurance: Mapped[str] = mapped_column(Text, primary_key=True)
    code: Mapped[str] = mapped_column(Text, primary_key=True)


class Determination(Table):
    """A bureau's word on one person's special case (R28): applied for by one, decided by another, then frozen."""

    __tablename__ = "determination"
    __table_args__ = (
        CheckConstraint("insurance in ('RES_PENSION', 'RES_MEDICAL')", name="insurance"),
        CheckConstraint("kind in (" + ", ".join(f"'{kind}'" for kind in Kind) + ")", name="kind"),
        CheckConstraint("state in (" + ", ".join(f"'{state}'" for state in State) + ")", name="state"),
        CheckConstraint(
            "insurance = 'RES_MEDICAL' or kind in ('policy_backpay', 'interrupted_backpay')", name="medical_only"
        ),
        CheckConstraint(
            "(state in ('approved', 'rejected')) = (decided_by is not null and decided_at is not null)", name="decided"
        ),
        CheckConstraint("btrim(requested_by) <> '' and btrim(decided_by) <> requested_by", name="four_eyes"),
        CheckConstraint("state <> 'rejected' or coalesce(btrim(reason), '') <> ''", name="reason"),
        CheckConstraint(
            "(state = 'withdrawn') = (withdrawn_by is not null and withdrawn_at is not null)", name="withdrawn"
        ),
        CheckConstraint("amount > 0", name="amount"),
        CheckConstraint(
            "state = 'approved' or (amount is null and years is null and benefit_start is null)", name="undecided"
        ),
        CheckConstraint(
            "state <> 'approved' or kind not in ('policy_backpay', 'interrupted_backpay') or amount is not null"
            " or (insurance = 'RES_PENSION' and coalesce(cardinality(years), 0) > 0)",
            name="backpay_amount",
        ),
        CheckConstraint(
            "state <> 'approved' or kind <> 'enrolment_history'"
            " or (coalesce(cardinality(years), 0) > 0 and amount is null and benefit_start is null)",
            name="history_years",
        ),
        Index("ix__determination__person_id", "person_id", "levy_year"),
        Index(
            "uq__determination__open",
            "person_id",
            "insurance",
            "levy_year",
            "kind",
            unique=True,
            postgresql_where=text("state in ('applied', 'checking')"),
        ),
    )
    id: Mapped[int] = mapped_column(BigInteger, Identity(cycle=False), primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    insurance: Mapped[str] = mapped_column(Text)
    levy_year: Mapped[int] = mapped_column(SmallInteger)
    kind: Mapped[str] = mapped_column(Text)
    state: Mapped[str] = mapped_column(Text, server_default="applied")
    requested_by: Mapped[str] = mapped_column(Text)  # resident, agent:<id> or staff:<login>
    applied_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))  # business clock, like decided_at
    amount: Mapped[int | None] = mapped_column(BigInteger)  # fen
    years: Mapped[list[int] | None] = mapped_column(ARRAY(SmallInteger))
    benefit_start: Mapped[date | None] = mapped_column(Date)
    reason: Mapped[str | None] = mapped_column(Text)
    decided_by: Mapped[str | None] = mapped_column(Text)
    decided_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    checked_by: Mapped[str | None] = mapped_column(Text)  # who has it in hand
    checked_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    withdrawn_by: Mapped[str | None] = mapped_column(Text)
    withdrawn_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))


class DeterminationEvidence(Table):
    """What an applicant says for his case, and a picture of a paper, both sealed. Let go of by retention."""

    __tablename__ = "determination_evidence"
    determination_id: Mapped[int] = mapped_column(ForeignKey("determination.id"), primary_key=True)
    words: Mapped[bytes] = mapped_column(LargeBinary)
    picture: Mapped[bytes | None] = mapped_column(LargeBinary)
    at: Mapped[datetime] = mapped_column(DateTime(timezone=True))  # system clock


class DeterminationMove(Table):
    """A legal move of a determination, as in `determinations.py`."""

    __tablename__ = "determination_move"
    from_state: Mapped[str] = mapped_column(Text, primary_key=True)
    to_state: Mapped[str] = mapped_column(Text, primary_key=True)


class ImportBatch(Table):
    """One file that was brought in. The same bytes come again only when they have something left to say (R8)."""

    __tablename__ = "import_batch"
    __table_args__ = (
        Index("ix__import_batch__kind_file_hash", "kind", "file_hash"),
        CheckConstraint("rows_in = added + changed + same + refused", name="adds_up"),
    )
    id: Mapped[int] = mapped_column(BigInteger, Identity(cycle=False), primary_key=True)
    kind: Mapped[str] = mapped_column(Text)
    file_hash: Mapped[bytes] = mapped_column(LargeBinary)
    file_name: Mapped[str] = mapped_column(Text)
    rows_in: Mapped[int] = mapped_column(Integer)
    added: Mapped[int] = mapped_column(Integer)
    changed: Mapped[int] = mapped_column(Integer)
    same: Mapped[int] = mapped_column(Integer)
    refused: Mapped[int] = mapped_column(Integer)
    imported_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())


class RegisterChange(Table):
    """One row of the register that was changed or removed, by whatever way (app/access/trail.sql). Only added to."""

    __tablename__ = "register_change"
    __table_args__ = (Index("ix__register_change__key", "of", "key"), Index("ix__register_change__cause", "cause"))
    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    of: Mapped[str] = mapped_column(Text)  # household, person, enrolment, category
    key: Mapped[str] = mapped_column(Text)  # its key there: a person's id, his insurance, a code
    columns: Mapped[list[str]] = mapped_column(ARRAY(Text))
    before: Mapped[bytes | None] = mapped_column(LargeBinary)  # digests under trail_key
    after: Mapped[bytes | None] = mapped_column(LargeBinary)
    by: Mapped[str] = mapped_column(Text)  # operator:<name>, or role:<the session's>
    cause: Mapped[str] = mapped_column(
        Text
    )  # import:<hash of the file>, correction:<number>, phone:<number>; else INV-81 speaks
    at: Mapped[datetime] = mapped_column(DateTime(timezone=True))


class TrailKey(Table):
    """What the digests of the trail are made with. Read by the owner's functions only; one row."""

    __tablename__ = "trail_key"
    __table_args__ = (CheckConstraint("id = 1", name="one_row"),)
    id: Mapped[int] = mapped_column(SmallInteger, primary_key=True, server_default=text("1"))
    key: Mapped[bytes] = mapped_column(LargeBinary)


class BusinessClock(Table):
    """The sandbox's offset between the business clock and the system clock (decision 22). One row."""

    __tablename__ = "business_clock"
    __table_args__ = (CheckConstraint("id = 1", name="one_row"),)
    id: Mapped[int] = mapped_column(SmallInteger, primary_key=True, server_default=text("1"))
    offset_seconds: Mapped[int] = mapped_column(BigInteger, server_default=text("0"))
