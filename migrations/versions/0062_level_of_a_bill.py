"""A bill of the year's medical premium names the level that was chosen, where the year has levels."""

import sqlalchemy as sa
from alembic import op

revision = "0062"
down_revision = "0061"
STEP = "expand"

_LEVEL = "level is null or (level > 0 and insurance = 'RES_MEDICAL' and determination is null)"


def upgrade() -> None:
    op.add_column("bill", sa.Column("level", sa.SmallInteger(), nullable=True))
    op.create_check_constraint(op.f("ck__bill__level"), "bill", _LEVEL, postgresql_not_valid=True)
