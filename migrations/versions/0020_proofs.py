"""Papers that prove a payment: sealed content under a code, and the digests of the files that were given out."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY

revision = "0020"
down_revision = "0019"


def upgrade() -> None:
    op.create_table(
        "proof",
        sa.Column("household_id", sa.BigInteger(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("cause", sa.Text(), nullable=False),
        sa.Column("bills", ARRAY(sa.BigInteger()), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("issued_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("digests", ARRAY(sa.LargeBinary()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("given_out", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.PrimaryKeyConstraint("household_id", "code", name=op.f("pk__proof")),
        sa.UniqueConstraint("household_id", "subject", "cause", name=op.f("uq__proof__household_id_subject_cause")),
        sa.CheckConstraint("kind in ('confirmation', 'certificate')", name=op.f("ck__proof__kind")),
    )
    op.create_index(op.f("ix__proof__code"), "proof", ["code"])
