"""A session ends for good two hours after its start, an agent's after eight."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    op.execute("delete from session")
    op.add_column("session", sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False))
