"""Determinations: what a bureau decides before there is a bill."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    op.create_table(
        "determination_move",
        sa.Column("from_state", sa.Text(), nullable=False),
        sa.Column("to_state", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("from_state", "to_state", name=op.f("pk__determination_move")),
    )
    op.create_table(
        "determination",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False, cycle=False), nullable=False),
        sa.Column("person_id", sa.BigInteger(), nullable=False),
        sa.Column("insurance", sa.Text(), nullable=False),
        sa.Column("levy_year", sa.SmallInteger(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), server_default="applied", nullable=False),
        sa.Column("requested_by", sa.Text(), nullable=False),
        sa.Column("applied_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=True),
        sa.Column("years", sa.ARRAY(sa.SmallInteger()), nullable=True),
        sa.Column("benefit_start", sa.Date(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("decided_by", sa.Text(), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("insurance in ('RES_PENSION', 'RES_MEDICAL')", name=op.f("ck__determination__insurance")),
        sa.CheckConstraint(
            "kind in ('policy_backpay', 'interrupted_backpay', 'newborn', 'late_waiver')",
            name=op.f("ck__determination__kind"),
        ),
        sa.CheckConstraint(
            "state in ('applied', 'checking', 'approved', 'rejected')", name=op.f("ck__determination__state")
        ),
        sa.CheckConstraint(
            "insurance = 'RES_MEDICAL' or kind in ('policy_backpay', 'interrupted_backpay')",
            name=op.f("ck__determination__medical_only"),
        ),
        sa.CheckConstraint(
            "(state in ('approved', 'rejected')) = (decided_by is not null and decided_at is not null)",
            name=op.f("ck__determination__decided"),
        ),
        sa.CheckConstraint(
            "btrim(requested_by) <> '' and btrim(decided_by) <> requested_by",
            name=op.f("ck__determination__four_eyes"),
        ),
        sa.CheckConstraint(
            "state <> 'rejected' or coalesce(btrim(reason), '') <> ''", name=op.f("ck__determination__reason")
        ),
        sa.CheckConstraint("amount > 0", name=op.f("ck__determination__amount")),
        sa.CheckConstraint(
            "state = 'approved' or (amount is null and years is null and benefit_start is null)",
            name=op.f("ck__determination__undecided"),
        ),
        sa.CheckConstraint(
            "state <> 'approved' or kind not in ('policy_backpay', 'interrupted_backpay') or amount is not null"
            " or (insurance = 'RES_PENSION' and cardinality(years) > 0)",
            name=op.f("ck__determination__backpay_amount"),
        ),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk__determination__person_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk__determination")),
    )
    op.create_index("ix__determination__person_id", "determination", ["person_id", "levy_year"], unique=False)
    op.create_index(
        "uq__determination__open",
        "determination",
        ["person_id", "insurance", "levy_year", "kind"],
        unique=True,
        postgresql_where=sa.text("state in ('applied', 'checking')"),
    )
