"""What 0068 asks of new rows is asked of the old ones too."""

from alembic import op
from sqlalchemy import Engine

from migrations.slowly import validate

revision = "0069"
down_revision = "0068"
STEP = "expand"

_CHECKS = ("state", "withdrawn")


def beforehand(engine: Engine) -> None:
    for name in _CHECKS:
        validate(engine, "determination", f"ck__determination__{name}")


def upgrade() -> None:
    for name in _CHECKS:  # as 0059
        op.execute(f"alter table determination validate constraint ck__determination__{name}")
