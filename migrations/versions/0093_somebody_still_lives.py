"""Who is called dead may say that he lives."""

from alembic import op

revision = "0093"
down_revision = "0092"
STEP = "expand"

_KINDS = (
    "kind in ('NOT_LISTED', 'NAME_WRONG', 'PHONE_CHANGED', 'PAID_ELSEWHERE_MEDICAL', 'PAID_ELSEWHERE_PENSION',"
    " 'DIED', 'STILL_ALIVE', 'AWAY', 'NOT_MY_PAYMENT', 'PAID_NOT_SHOWN', 'NOT_MY_FAMILY')"
)


def upgrade() -> None:
    op.drop_constraint(op.f("ck__matter__kind"), "matter")
    op.create_check_constraint(op.f("ck__matter__kind"), "matter", _KINDS, postgresql_not_valid=True)
