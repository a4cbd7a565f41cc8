"""What 0062 asks of new rows is asked of the old ones too."""

from alembic import op
from sqlalchemy import Engine

from migrations.slowly import validate

revision = "0063"
down_revision = "0062"
STEP = "expand"

_NAME = "ck__bill__level"


def beforehand(engine: Engine) -> None:
    validate(engine, "bill", _NAME)


def upgrade() -> None:
    op.execute(f"alter table bill validate constraint {_NAME}")  # as 0061
