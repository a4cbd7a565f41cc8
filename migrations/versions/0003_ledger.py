"""The book: accounts, entries, postings."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.create_table(
        "account",
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.CheckConstraint("kind in ('asset', 'liability')", name=op.f("ck__account__kind")),
        sa.PrimaryKeyConstraint("code", name=op.f("pk__account")),
    )
    op.create_table(
        "entry",
        sa.Column("household_id", sa.BigInteger(), nullable=False),
        sa.Column("cause", sa.Text(), nullable=False),
        sa.Column("booked_on", sa.Date(), nullable=False),
        sa.Column("happened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column(
            "written_at", sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False
        ),
        sa.Column("transaction", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("household_id", "cause", name=op.f("pk__entry")),
    )
    op.create_index("ix__entry__booked_on", "entry", ["booked_on"], unique=False)
    op.create_table(
        "posting",
        sa.Column("household_id", sa.BigInteger(), nullable=False),
        sa.Column("cause", sa.Text(), nullable=False),
        sa.Column("line", sa.SmallInteger(), nullable=False),
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("item", sa.BigInteger(), nullable=True),
        sa.CheckConstraint("amount <> 0", name=op.f("ck__posting__amount")),
        sa.ForeignKeyConstraint(
            ["household_id", "cause"], ["entry.household_id", "entry.cause"], name="fk__posting__entry"
        ),
        sa.PrimaryKeyConstraint("household_id", "cause", "line", name=op.f("pk__posting")),
    )
