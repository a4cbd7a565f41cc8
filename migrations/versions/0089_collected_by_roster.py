"""By which version of a village's roster its agent collects."""

import sqlalchemy as sa
from alembic import op

revision = "0089"
down_revision = "0088"
STEP = "expand"


def upgrade() -> None:
    op.add_column("payment_bill", sa.Column("roster_id", sa.BigInteger(), nullable=True))
    op.add_column("payment_bill", sa.Column("roster_no", sa.Integer(), nullable=True))
