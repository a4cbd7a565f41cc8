"""An account may be an expense: what a channel keeps of the money."""

from alembic import op

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    op.drop_constraint(op.f("ck__account__kind"), "account")
    op.create_check_constraint(op.f("ck__account__kind"), "account", "kind in ('asset', 'liability', 'expense')")
