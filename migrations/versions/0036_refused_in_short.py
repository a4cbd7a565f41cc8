"""Of a message nobody believed the beginning is kept, and the hash of the whole."""

import sqlalchemy as sa
from alembic import op

revision = "0036"
down_revision = "0035"


def upgrade() -> None:
    op.add_column("received", sa.Column("whole", sa.LargeBinary(), nullable=True))
    op.create_index(
        op.f("ix__received__refused"), "received", ["received_at"], postgresql_where=sa.text("result = 'refused'")
    )
