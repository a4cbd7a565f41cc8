"""What 0095 asks of new rows is asked of the old ones too."""

from alembic import op
from sqlalchemy import Engine

from migrations.slowly import validate

revision = "0096"
down_revision = "0095"
STEP = "expand"

_CHECK = "ck__special_row__told_whom"


def beforehand(engine: Engine) -> None:
    """Each row is looked at while everybody goes on."""
    validate(engine, "special_row", _CHECK)


def upgrade() -> None:
    op.execute(f"alter table special_row validate constraint {_CHECK}")
