"""What an account has paid is found by the account: whom it paid for it may have let go since."""

from alembic import op

revision = "0038"
down_revision = "0037"


def upgrade() -> None:
    op.create_index(op.f("ix__payment__started_by"), "payment", ["started_by"])
