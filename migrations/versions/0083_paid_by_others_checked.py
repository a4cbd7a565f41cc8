"""What 0082 asks of new rows is asked of the old ones too."""

from alembic import op
from sqlalchemy import Engine

from migrations.slowly import validate

revision = "0083"
down_revision = "0082"
STEP = "expand"

_CHECK = "ck__refund__amount"


def beforehand(engine: Engine) -> None:
    """Each row is looked at while everybody goes on."""
    validate(engine, "refund", _CHECK)


def upgrade() -> None:
    op.execute(f"alter table refund validate constraint {_CHECK}")
