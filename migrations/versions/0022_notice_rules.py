"""Notices by rule: how often a way was silent, which template was sent, who went and told; consents that are left."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0022"
down_revision = "0021"


def upgrade() -> None:
    op.add_column("notice", sa.Column("silences", JSONB(), server_default="{}", nullable=False))
    op.add_column("notice", sa.Column("version", sa.Text(), nullable=True))
    op.add_column("notice", sa.Column("visited_by", sa.Text(), nullable=True))
    op.add_column("notice", sa.Column("visited_at", sa.DateTime(timezone=True), nullable=True))
    op.create_table(
        "subscription",
        sa.Column("openid_index", sa.LargeBinary(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("left_over", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("openid_index", "kind", name=op.f("pk__subscription")),
        sa.CheckConstraint("left_over >= 0", name=op.f("ck__subscription__left_over")),
    )
