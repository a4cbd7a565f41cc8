"""When a truth was last asked of everything, and which transactions that look had seen."""

import sqlalchemy as sa
from alembic import op

revision = "0064"
down_revision = "0063"
STEP = "expand"


def upgrade() -> None:
    op.add_column("book_check", sa.Column("whole_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("book_check", sa.Column("horizon", sa.BigInteger(), nullable=True))
