"""A person's data erased: asked for by one, agreed to by another; and the state he is in afterwards."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0055"
down_revision = "0054"
STEP = "expand"


def upgrade() -> None:
    op.add_column("person", sa.Column("restricted_at", sa.DateTime(timezone=True), nullable=True))
    op.create_table(
        "erasure",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("person_id", sa.BigInteger(), nullable=False),
        sa.Column("ground", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("asked_by", sa.Text(), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("agreed_by", sa.Text(), nullable=True),
        sa.Column("agreed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("went", postgresql.JSONB(), nullable=True),
        sa.Column("withdrawn_by", sa.Text(), nullable=True),
        sa.Column("withdrawn_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("lift_asked_by", sa.Text(), nullable=True),
        sa.Column("lift_asked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("lift_reason", sa.Text(), nullable=True),
        sa.Column("lifted_by", sa.Text(), nullable=True),
        sa.Column("lifted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("let_go_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "ground in ('asked', 'died', 'wrong_person', 'other')",
            name=op.f("ck__erasure__ground"),
        ),
        sa.CheckConstraint("length(reason) >= 4 and length(lift_reason) >= 4", name=op.f("ck__erasure__reason")),
        sa.CheckConstraint("btrim(asked_by) <> '' and agreed_by <> asked_by", name=op.f("ck__erasure__two_people")),
        sa.CheckConstraint("lifted_by <> lift_asked_by", name=op.f("ck__erasure__two_lift")),
        sa.CheckConstraint("num_nonnulls(agreed_by, agreed_at, went) in (0, 3)", name=op.f("ck__erasure__agreed")),
        sa.CheckConstraint(
            "num_nonnulls(withdrawn_by, withdrawn_at) in (0, 2) and num_nonnulls(withdrawn_by, agreed_by) < 2",
            name=op.f("ck__erasure__withdrawn"),
        ),
        sa.CheckConstraint(
            "num_nonnulls(lift_asked_by, lift_asked_at, lift_reason) in (0, 3)"
            " and (lift_asked_by is null or agreed_by is not null)",
            name=op.f("ck__erasure__lift_asked"),
        ),
        sa.CheckConstraint(
            "num_nonnulls(lifted_by, lifted_at) in (0, 2) and (lifted_by is null or lift_asked_by is not null)"
            " and num_nonnulls(lifted_by, let_go_at) < 2 and (let_go_at is null or agreed_by is not null)",
            name=op.f("ck__erasure__lifted"),
        ),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk__erasure__person_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk__erasure")),
    )
    op.create_index(
        "uq__erasure__standing",
        "erasure",
        ["person_id"],
        unique=True,
        postgresql_where=sa.text("withdrawn_at is null and lifted_at is null"),
    )
