"""A line of a statement says which of our applications it came under; of lines before nobody kept it."""

import sqlalchemy as sa
from alembic import op

revision = "0045"
down_revision = "0044"


def upgrade() -> None:
    op.add_column("statement_row", sa.Column("app", sa.Text(), server_default=sa.text("''"), nullable=False))
