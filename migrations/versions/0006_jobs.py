"""The job queue: procrastinate 3.10.0, its schema kept here word for word."""

from pathlib import Path

from alembic import op

revision = "0006"
down_revision = "0005"

SCHEMA = Path(__file__).parents[1] / "procrastinate-3.10.0.sql"


def upgrade() -> None:
    op.get_bind().exec_driver_sql(SCHEMA.read_text().replace("%", "%%"))
