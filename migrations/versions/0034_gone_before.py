"""Money that was given back by hand although it had gone back otherwise before: how much of it."""

import sqlalchemy as sa
from alembic import op

revision = "0034"
down_revision = "0033"


def upgrade() -> None:
    op.add_column("unasked_refund", sa.Column("beyond", sa.BigInteger(), server_default="0", nullable=False))
    op.drop_constraint(op.f("ck__unasked_refund__amount"), "unasked_refund")
    op.create_check_constraint(
        op.f("ck__unasked_refund__amount"), "unasked_refund", "amount > 0 and beyond between 0 and amount"
    )
