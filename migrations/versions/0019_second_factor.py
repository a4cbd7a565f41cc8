"""A second factor for agents and staff: the sealed secret, the last step used, the recovery codes that are left."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY

revision = "0019"
down_revision = "0018"


def upgrade() -> None:
    for table in ("agent", "staff"):
        op.add_column(table, sa.Column("second", sa.LargeBinary(), nullable=True))
        op.add_column(table, sa.Column("second_step", sa.BigInteger(), server_default=sa.text("0"), nullable=False))
        op.add_column(
            table, sa.Column("recovery", ARRAY(sa.LargeBinary()), server_default=sa.text("'{}'"), nullable=False)
        )
