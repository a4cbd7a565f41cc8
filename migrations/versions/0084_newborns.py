"""A child without an identity number is applied for under its birth certificate, and registered under that."""

import sqlalchemy as sa
from alembic import op

revision = "0084"
down_revision = "0083"
STEP = "expand"

_NEWBORN = {
    "sex": "sex in (1, 2)",
    "state": "state in ('applied', 'checking', 'registered', 'rejected', 'withdrawn')",
    "four_eyes": "btrim(requested_by) <> '' and decided_by <> requested_by",
    "checked": "checked_by <> requested_by",
    "decided": "(state in ('registered', 'rejected')) = (decided_by is not null and decided_at is not null)",
    "reason": "state <> 'rejected' or coalesce(btrim(reason), '') <> ''",
    "withdrawn": "(state = 'withdrawn') = (withdrawn_by is not null and withdrawn_at is not null)",
    "registered": "(state = 'registered') = (person_id is not null)",
}


def upgrade() -> None:
    op.create_check_constraint(
        op.f("ck__person__id_type"), "person", "id_type in ('01', 'BIRTH_CERT')", postgresql_not_valid=True
    )
    op.create_table(
        "birth_certificate",
        sa.Column("person_id", sa.BigInteger(), nullable=False),
        sa.Column("number", sa.LargeBinary(), nullable=False),
        sa.Column("index", sa.LargeBinary(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk__birth_certificate__person_id")),
        sa.PrimaryKeyConstraint("person_id", name=op.f("pk__birth_certificate")),
        sa.UniqueConstraint("index", name=op.f("uq__birth_certificate__index")),
    )
    _newborn()


def _newborn() -> None:
    hands = [(f"{step}_by", f"{step}_at") for step in ("checked", "decided", "withdrawn")]
    op.create_table(
        "newborn",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False, cycle=False), nullable=False),
        sa.Column("parent_id", sa.BigInteger(), nullable=False),
        *(sa.Column(name, sa.LargeBinary(), nullable=False) for name in ("certificate", "index", "name")),
        sa.Column("birth_date", sa.Date(), nullable=False),
        sa.Column("sex", sa.SmallInteger(), nullable=False),
        sa.Column("picture", sa.LargeBinary(), nullable=True),
        sa.Column("state", sa.Text(), server_default="applied", nullable=False),
        sa.Column("requested_by", sa.Text(), nullable=False),
        *(sa.Column(name, sa.DateTime(timezone=True), nullable=False) for name in ("applied_at", "kept_from")),
        sa.Column("reason", sa.Text(), nullable=True),
        *(sa.Column(by, sa.Text(), nullable=True) for by, _ in hands),
        *(sa.Column(at, sa.DateTime(timezone=True), nullable=True) for _, at in hands),
        sa.Column("person_id", sa.BigInteger(), nullable=True),
        *(sa.CheckConstraint(said, name=op.f(f"ck__newborn__{name}")) for name, said in _NEWBORN.items()),
        *(
            sa.ForeignKeyConstraint([name], ["person.id"], name=op.f(f"fk__newborn__{name}"))
            for name in ("parent_id", "person_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk__newborn")),
    )
    op.create_index("ix__newborn__parent_id", "newborn", ["parent_id"])
    op.create_index("uq__newborn__person_id", "newborn", ["person_id"], unique=True)
    for name, column, unique, states in (
        ("uq__newborn__certificate", "index", True, "'applied', 'checking', 'registered'"),
        ("ix__newborn__open", "id", False, "'applied', 'checking'"),
    ):
        op.create_index(name, "newborn", [column], unique=unique, postgresql_where=sa.text(f"state in ({states})"))
