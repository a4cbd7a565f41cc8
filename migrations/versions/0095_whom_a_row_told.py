"""A failed row of a department's list says who was told and on which day, or which list settled it."""

import sqlalchemy as sa
from alembic import op

revision = "0095"
down_revision = "0094"
STEP = "expand"

_SAID = (
    "(told_whom is null) = (told_on is null) and (told_whom is null or told_at is not null)"
    " and told_whom in ('self', 'family', 'village') and (settled_by is null or state = 'RESOLVED')"
)


def upgrade() -> None:
    op.add_column("special_row", sa.Column("told_whom", sa.Text(), nullable=True))
    op.add_column("special_row", sa.Column("told_on", sa.Date(), nullable=True))
    op.add_column("special_row", sa.Column("settled_by", sa.BigInteger(), nullable=True))
    op.create_check_constraint(op.f("ck__special_row__told_whom"), "special_row", _SAID, postgresql_not_valid=True)
