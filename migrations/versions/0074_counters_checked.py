"""What 0073 asks of new accounts of the offices is asked of the old ones too."""

from alembic import op
from sqlalchemy import Engine

from migrations.slowly import validate

revision = "0074"
down_revision = "0073"
STEP = "expand"

_CHECKS = ("ck__staff__role", "ck__staff__towns")


def beforehand(engine: Engine) -> None:
    """Each row is looked at while everybody goes on."""
    for name in _CHECKS:
        validate(engine, "staff", name)


def upgrade() -> None:
    for name in _CHECKS:
        op.execute(f"alter table staff validate constraint {name}")
