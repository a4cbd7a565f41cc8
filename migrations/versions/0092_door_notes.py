"""Why a household has not paid yet, as its agent found at its door."""

import sqlalchemy as sa
from alembic import op

revision = "0092"
down_revision = "0091"
STEP = "expand"

_REASONS = (
    "reason in ('NOT_HOME', 'AWAY', 'LATER', 'CHILDREN', 'NO_MONEY', 'ELSEWHERE', 'WRONG', 'UNWILLING',"
    " 'OTHER', 'NONE')"
)


def upgrade() -> None:
    op.create_table(
        "door_note",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False, cycle=False), nullable=False),
        sa.Column("household_id", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("again_on", sa.Date(), nullable=True),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("kept_from", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(_REASONS, name=op.f("ck__door_note__reason")),
        sa.CheckConstraint("again_on is null or reason <> 'NONE'", name=op.f("ck__door_note__again")),
        sa.CheckConstraint("reason <> 'LATER' or again_on is not null", name=op.f("ck__door_note__later")),
        sa.ForeignKeyConstraint(["household_id"], ["household.id"], name=op.f("fk__door_note__household_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk__door_note")),
    )
    op.create_index("ix__door_note__household_id", "door_note", ["household_id", "id"])
    op.create_index("ix__door_note__kept_from", "door_note", ["kept_from"])
