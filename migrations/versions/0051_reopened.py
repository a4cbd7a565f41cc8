"""Service begun again on a server that was restored or promoted."""

import sqlalchemy as sa
from alembic import op

revision = "0051"
down_revision = "0050"
STEP = "expand"


def upgrade() -> None:
    op.create_table(
        "reopening",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("lost_since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("lost_until", sa.DateTime(timezone=True), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("timeline", sa.Integer(), nullable=False),
        sa.Column("last_household", sa.BigInteger(), nullable=False),
        sa.Column("first_household", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk__reopening")),
        sa.UniqueConstraint("timeline", name=op.f("uq__reopening__timeline")),
    )
