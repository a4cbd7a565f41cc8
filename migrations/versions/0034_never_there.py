"""What their list said and says no more: a refund by hand that was booked back, money that is there again."""

import sqlalchemy as sa
from alembic import op

revision = "0034"
down_revision = "0033"


def upgrade() -> None:
    op.add_column("unasked_refund", sa.Column("booked_back", sa.Text(), nullable=True))
    op.drop_constraint(op.f("ck__suspense_step__word"), "suspense_step")
    op.create_check_constraint(
        op.f("ck__suspense_step__word"),
        "suspense_step",
        "word in ('taken', 'kept', 'proposed', 'applied', 'given_back', 'there_again')",
    )
