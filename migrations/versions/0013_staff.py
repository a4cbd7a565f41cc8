"""Staff of the offices, and their sessions."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    op.create_table(
        "staff",
        sa.Column("id", sa.BigInteger(), sa.Identity(cycle=False), nullable=False),
        sa.Column("login", sa.Text(), nullable=False),
        sa.Column("name", sa.LargeBinary(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("password_hash", sa.Text(), nullable=False),
        sa.Column("active", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.CheckConstraint(
            "role in ('tax_clerk', 'tax_lead', 'hrss', 'medical', 'auditor')", name=op.f("ck__staff__role")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk__staff")),
        sa.UniqueConstraint("login", name=op.f("uq__staff__login")),
    )
    op.add_column("session", sa.Column("staff_id", sa.BigInteger(), nullable=True))
    op.create_foreign_key(op.f("fk__session__staff_id"), "session", "staff", ["staff_id"], ["id"])
    op.create_check_constraint(op.f("ck__session__one_person"), "session", "agent_id is null or staff_id is null")
