"""What 0060 asks of new rows is asked of the old ones too."""

from alembic import op
from sqlalchemy import Engine

from migrations.slowly import validate

revision = "0061"
down_revision = "0060"
STEP = "expand"

_NAME = "ck__determination__backpay_amount"


def beforehand(engine: Engine) -> None:
    validate(engine, "determination", _NAME)


def upgrade() -> None:
    op.execute(f"alter table determination validate constraint {_NAME}")  # as 0059
