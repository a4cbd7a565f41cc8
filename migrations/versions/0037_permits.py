"""Until when a residence permit lasts, and whose permit an accompanying child relies on."""

import sqlalchemy as sa
from alembic import op

revision = "0037"
down_revision = "0036"


def upgrade() -> None:
    op.add_column("person", sa.Column("permit_to", sa.Date(), nullable=True))
    op.add_column("person", sa.Column("parent_index", sa.LargeBinary(), nullable=True))
