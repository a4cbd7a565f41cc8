"""A session keeps the neighbourhood it was begun from, for its owner to know it by."""

import sqlalchemy as sa
from alembic import op

revision = "0040"
down_revision = "0039"


def upgrade() -> None:
    op.add_column("session", sa.Column("network", sa.Text(), server_default=sa.text("''"), nullable=False))
