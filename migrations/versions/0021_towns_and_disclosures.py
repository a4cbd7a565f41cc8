"""Officials of a town see their towns only; whoever reads a full number says why."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY

revision = "0021"
down_revision = "0020"
ROLES = "role in ('tax_clerk', 'tax_lead', 'hrss', 'medical', 'town', 'auditor')"


def upgrade() -> None:
    op.add_column("staff", sa.Column("towns", ARRAY(sa.Text()), server_default=sa.text("'{}'"), nullable=False))
    op.drop_constraint(op.f("ck__staff__role"), "staff", type_="check")
    op.create_check_constraint(op.f("ck__staff__role"), "staff", ROLES)
    op.create_check_constraint(op.f("ck__staff__towns"), "staff", "(role = 'town') = (towns <> '{}')")
    op.create_table(
        "disclosure",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("what", sa.Text(), nullable=False),
        sa.Column("person_id", sa.BigInteger(), nullable=True),
        sa.Column("place", sa.Text(), server_default="", nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk__disclosure")),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk__disclosure__person_id")),
        sa.CheckConstraint("what in ('numbers', 'list')", name=op.f("ck__disclosure__what")),
        sa.CheckConstraint("length(reason) >= 4", name=op.f("ck__disclosure__reason")),
        sa.CheckConstraint("(what = 'numbers') = (person_id is not null)", name=op.f("ck__disclosure__person")),
    )
    op.create_index(op.f("ix__disclosure__at"), "disclosure", ["at"])
    op.create_index(op.f("ix__disclosure__person_id"), "disclosure", ["person_id"])
