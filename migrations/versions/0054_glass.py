"""Break-glass: asked for by one, opened for an hour by another, and every request made in it."""

import sqlalchemy as sa
from alembic import op

revision = "0054"
down_revision = "0053"
STEP = "expand"


def upgrade() -> None:
    op.create_table(
        "glass",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("asked_by", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("opened_by", sa.Text(), nullable=True),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_by", sa.Text(), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("opened_by <> asked_by", name=op.f("ck__glass__two_people")),
        sa.CheckConstraint(
            "num_nonnulls(opened_by, opened_at, until) in (0, 3)"
            " and until > opened_at and until <= opened_at + interval '1 hour'",
            name=op.f("ck__glass__an_hour"),
        ),
        sa.CheckConstraint("(ended_by is null) = (ended_at is null)", name=op.f("ck__glass__ended")),
        sa.CheckConstraint("length(reason) >= 4", name=op.f("ck__glass__reason")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk__glass")),
    )
    op.create_index(
        "uq__glass__standing", "glass", ["asked_by"], unique=True, postgresql_where=sa.text("ended_at is null")
    )
    op.create_table(
        "glass_act",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("glass", sa.BigInteger(), nullable=False),
        sa.Column("endpoint", sa.Text(), nullable=False),
        sa.Column("words", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("person_id", sa.BigInteger(), nullable=True),
        sa.Column("network", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["glass"], ["glass.id"], name=op.f("fk__glass_act__glass")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk__glass_act")),
    )
    op.create_index(op.f("ix__glass_act__glass"), "glass_act", ["glass", "id"])
