"""Who proposed takes back: the step of a refund and of money in doubt; the steps of a difference."""

import sqlalchemy as sa
from alembic import op

revision = "0041"
down_revision = "0040"
REFUND_STEPS = (
    "'applied', 'accepted', 'reviewed', 'rejected', 'approved', 'paying', 'paid', 'abnormal', 'failed',"
    " 'transfer_asked', 'transfer_refused', 'withdrawn'"
)
SUSPENSE_STEPS = "'taken', 'kept', 'proposed', 'withdrawn', 'applied', 'given_back', 'there_again', 'never_there'"


def upgrade() -> None:
    _anew("refund", "two_people", "decided_by is null or decided_by <> applied_by or state = 'rejected'")
    _anew("refund_step", "word", f"word in ({REFUND_STEPS})")
    _anew("suspense_step", "word", f"word in ({SUSPENSE_STEPS})")
    op.create_table(
        "discrepancy_step",
        sa.Column("discrepancy", sa.BigInteger(), nullable=False),
        sa.Column("step", sa.SmallInteger(), nullable=False),
        sa.Column("word", sa.Text(), nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("reason", sa.Text(), server_default="", nullable=False),
        sa.CheckConstraint(
            "word in ('proposed', 'withdrawn', 'refused', 'booked', 'accepted')",
            name=op.f("ck__discrepancy_step__word"),
        ),
        sa.ForeignKeyConstraint(
            ["discrepancy"], ["discrepancy.id"], name=op.f("fk__discrepancy_step__discrepancy__discrepancy")
        ),
        sa.PrimaryKeyConstraint("discrepancy", "step", name=op.f("pk__discrepancy_step")),
    )


def _anew(table: str, name: str, condition: str) -> None:
    op.drop_constraint(op.f(f"ck__{table}__{name}"), table)
    op.create_check_constraint(op.f(f"ck__{table}__{name}"), table, condition)
