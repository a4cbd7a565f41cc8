"""An approved back-payment of the pension has an amount or years; a check that is null lets pass, and so did years that
were null."""

from alembic import op

revision = "0060"
down_revision = "0059"
STEP = "expand"

_AMOUNT = (
    "state <> 'approved' or kind not in ('policy_backpay', 'interrupted_backpay') or amount is not null"
    " or (insurance = 'RES_PENSION' and coalesce(cardinality(years), 0) > 0)"
)


def upgrade() -> None:
    name = op.f("ck__determination__backpay_amount")
    op.drop_constraint(name, "determination")
    op.create_check_constraint(name, "determination", _AMOUNT, postgresql_not_valid=True)
