"""A password that an operator gave out is changed at the first login; all there are were given out."""

import sqlalchemy as sa
from alembic import op

revision = "0039"
down_revision = "0038"


def upgrade() -> None:
    for table in ("agent", "staff"):
        op.add_column(table, sa.Column("given", sa.Boolean(), server_default=sa.true(), nullable=False))
