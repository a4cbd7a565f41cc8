"""A bill may be the difference by which the pension's tier was raised: it names the tier that was paid."""

import sqlalchemy as sa
from alembic import op

revision = "0065"
down_revision = "0064"
STEP = "expand"

_RAISED = (
    "raised_from is null or (raised_from > 0 and tier is not null and tier > raised_from"
    " and personal_due = tier - raised_from and insurance = 'RES_PENSION' and determination is null)"
)


def upgrade() -> None:
    op.add_column("bill", sa.Column("raised_from", sa.BigInteger(), nullable=True))
    op.create_check_constraint(op.f("ck__bill__raised_from"), "bill", _RAISED, postgresql_not_valid=True)
