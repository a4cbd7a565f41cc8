"""A bill that others paid whole goes back too: a refund of no money."""

from alembic import op

revision = "0082"
down_revision = "0081"
STEP = "expand"


def upgrade() -> None:
    name = op.f("ck__refund__amount")
    op.drop_constraint(name, "refund")
    rule = "amount between 0 and paid and (amount > 0 or gateway = 'none')"
    op.create_check_constraint(name, "refund", rule, postgresql_not_valid=True)
