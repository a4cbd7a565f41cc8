"""The business moment a gateway was given an order: UnionPay knows an order by it and its number."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    op.add_column("payment", sa.Column("ordered_at", sa.DateTime(timezone=True), nullable=True))
    op.execute("update payment set ordered_at = date_trunc('second', started_at)")
    op.alter_column("payment", "ordered_at", nullable=False)
