"""An agent's telephone that is gone: one asks for a new second factor, another agrees."""

import sqlalchemy as sa
from alembic import op

revision = "0075"
down_revision = "0074"
STEP = "expand"


def upgrade() -> None:
    op.create_table(
        "lost_second",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False, cycle=False), nullable=False),
        sa.Column("login", sa.Text(), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("asked_by", sa.Text(), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("agreed_by", sa.Text(), nullable=True),
        sa.Column("agreed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("refused_by", sa.Text(), nullable=True),
        sa.Column("refused_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "(agreed_by is null) = (agreed_at is null) and (refused_by is null) = (refused_at is null)"
            " and num_nonnulls(agreed_at, refused_at) <= 1 and (made_at is null or agreed_at is not null)",
            name=op.f("ck__lost_second__answered"),
        ),
        sa.CheckConstraint("agreed_by <> asked_by", name=op.f("ck__lost_second__two_people")),
        sa.CheckConstraint("length(why) >= 4", name=op.f("ck__lost_second__why")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk__lost_second")),
    )
    op.create_index(
        "uq__lost_second__open",
        "lost_second",
        ["login"],
        unique=True,
        postgresql_where=sa.text("agreed_at is null and refused_at is null"),
    )
