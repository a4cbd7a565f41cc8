"""How far personal data is sealed anew under another key."""

import sqlalchemy as sa
from alembic import op

revision = "0052"
down_revision = "0051"
STEP = "expand"


def upgrade() -> None:
    op.create_table(
        "reseal",
        sa.Column("head", sa.LargeBinary(), nullable=False),
        sa.Column("of", sa.Text(), nullable=False),
        sa.Column("after", sa.ARRAY(sa.Text()), nullable=True),
        sa.Column("rows", sa.BigInteger(), nullable=False),
        sa.Column("done", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("unopened", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("began_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("moved_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("head", "of", name=op.f("pk__reseal")),
    )
