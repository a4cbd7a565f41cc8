"""What was let go of because its time was over: how many rows of what, never whose."""

import sqlalchemy as sa
from alembic import op

revision = "0053"
down_revision = "0052"
STEP = "expand"


def upgrade() -> None:
    op.create_table(
        "let_go",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("what", sa.Text(), nullable=False),
        sa.Column("before", sa.DateTime(timezone=True), nullable=False),
        sa.Column("rows", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk__let_go")),
    )
