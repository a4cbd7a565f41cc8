"""What goes wrong with one row of a worker's work, again and again; how often a refund was sent."""

import sqlalchemy as sa
from alembic import op

revision = "0026"
down_revision = "0025"


def upgrade() -> None:
    op.create_table(
        "trouble",
        sa.Column("task", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("times", sa.Integer(), server_default=sa.text("1"), nullable=False),
        sa.Column("error", sa.Text(), nullable=False),
        sa.Column("last_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("task", "subject", name=op.f("pk__trouble")),
    )
    op.add_column("refund", sa.Column("resends", sa.Integer(), server_default=sa.text("0"), nullable=False))
