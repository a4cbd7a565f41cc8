"""A town's counter: accounts of it, and phones it corrected by a paper."""

import sqlalchemy as sa
from alembic import op

revision = "0073"
down_revision = "0072"
STEP = "expand"

_ROLES = "role in ('tax_clerk', 'tax_lead', 'hrss', 'medical', 'town', 'counter', 'department', 'auditor')"


def upgrade() -> None:
    for name, condition in (("role", _ROLES), ("towns", "(role in ('town', 'counter')) = (towns <> '{}')")):
        op.drop_constraint(op.f(f"ck__staff__{name}"), "staff")
        op.create_check_constraint(op.f(f"ck__staff__{name}"), "staff", condition, postgresql_not_valid=True)
    op.create_table(
        "phone_correction",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False, cycle=False), nullable=False),
        sa.Column("person_id", sa.BigInteger(), nullable=False),
        sa.Column("former_index", sa.LargeBinary(), nullable=True),
        sa.Column("proof", sa.Text(), nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("length(proof) >= 4", name=op.f("ck__phone_correction__proof")),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk__phone_correction__person_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk__phone_correction")),
    )
    op.create_index("ix__phone_correction__person_id", "phone_correction", ["person_id"], unique=False)
