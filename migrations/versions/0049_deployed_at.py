"""When functions came is kept, so that who runs the code of before knows that he is about to be restarted."""

import sqlalchemy as sa
from alembic import op

revision = "0049"
down_revision = "0048"
STEP = "expand"


def upgrade() -> None:
    op.add_column("deployed", sa.Column("at", sa.DateTime(timezone=True), server_default=sa.func.now(), nullable=False))
