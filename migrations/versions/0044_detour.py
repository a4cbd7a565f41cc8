"""A session remembers what somebody wanted to pay while WeChat is asked who he is, for one payment."""

import sqlalchemy as sa
from alembic import op

revision = "0044"
down_revision = "0043"


def upgrade() -> None:
    op.add_column("session", sa.Column("detour", sa.LargeBinary(), nullable=True))
