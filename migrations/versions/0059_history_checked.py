"""What 0058 asks of new rows is asked of the old ones too."""

from alembic import op
from sqlalchemy import Engine

from migrations.slowly import validate

revision = "0059"
down_revision = "0058"
STEP = "expand"

_CHECKS = (
    ("person", "school"),
    ("former_person", "school"),
    ("determination", "kind"),
    ("determination", "history_years"),
)


def beforehand(engine: Engine) -> None:
    for table, name in _CHECKS:
        validate(engine, table, f"ck__{table}__{name}")


def upgrade() -> None:
    for table, name in _CHECKS:  # in a database made anew nothing was done beforehand; in any other this finds it done
        op.execute(f"alter table {table} validate constraint ck__{table}__{name}")
