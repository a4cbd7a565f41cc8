"""What became of a message that was sent: asked for, delivered, or failed by which way.

Nothing is asked about what was sent before: it stays as it was told."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0043"
down_revision = "0042"


def upgrade() -> None:
    moment = sa.DateTime(timezone=True)
    op.add_column("notice", sa.Column("tried_at", moment))
    op.add_column("notice", sa.Column("ask_at", moment))
    op.add_column("notice", sa.Column("asks", sa.SmallInteger, nullable=False, server_default=sa.text("0")))
    op.add_column("notice", sa.Column("failures", JSONB, nullable=False, server_default="{}"))
    op.add_column("notice", sa.Column("delivered_at", moment))
    op.execute("update notice set tried_at = queued_at where rank = 1")
    asked = sa.text("ask_at is not null")
    op.create_index("ix__notice__ask", "notice", ["ask_at"], postgresql_where=asked)
    op.create_index("ix__notice__reference", "notice", ["provider_reference"], postgresql_where=asked)
    op.create_check_constraint(op.f("ck__notice__asked_while_sent"), "notice", "ask_at is null or rank = 2")
    op.create_check_constraint(op.f("ck__notice__delivered"), "notice", "delivered_at is null or rank = 3")
