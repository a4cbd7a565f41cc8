"""A channel is paused for new payments, for a reason and with the words residents see, and opened again."""

import sqlalchemy as sa
from alembic import op

revision = "0046"
down_revision = "0045"


def upgrade() -> None:
    op.create_table(
        "channel_pause",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("gateway", sa.Text(), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("words", sa.Text(), nullable=False),
        sa.Column("paused_by", sa.Text(), nullable=False),
        sa.Column("paused_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("opened_by", sa.Text(), nullable=True),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "(opened_by is null) = (opened_at is null) and opened_at >= paused_at",
            name=op.f("ck__channel_pause__opened"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk__channel_pause")),
    )
    op.create_index(
        op.f("uq__channel_pause__in_force"),
        "channel_pause",
        ["gateway"],
        unique=True,
        postgresql_where=sa.text("opened_at is null"),
    )
