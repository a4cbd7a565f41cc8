"""A department takes back whom its list named by mistake."""

import sqlalchemy as sa
from alembic import op

revision = "0079"
down_revision = "0078"
STEP = "expand"

_WHOLE = (
    "(taken_back_at is null) = (taken_back_by is null) and (taken_back_at is null) = (taken_back_why is null)"
    " and (taken_back_at is null or state = 'OK') and length(btrim(taken_back_why)) >= 2"
)


def upgrade() -> None:
    op.add_column("special_row", sa.Column("taken_back_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("special_row", sa.Column("taken_back_by", sa.Text(), nullable=True))
    op.add_column("special_row", sa.Column("taken_back_why", sa.Text(), nullable=True))
    name = op.f("ck__special_row__taken_back")
    op.create_check_constraint(name, "special_row", _WHOLE, postgresql_not_valid=True)
