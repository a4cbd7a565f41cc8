"""A household is found by its number without the zeros before it; a bureau's file may come again."""

import sqlalchemy as sa
from alembic import op

revision = "0035"
down_revision = "0034"


def upgrade() -> None:
    op.create_index(
        "ix__household__key",
        "household",
        ["village_code", sa.text(r"regexp_replace(number, '^0+([0-9]*)$', '\1')")],
    )
    op.drop_constraint(op.f("uq__import_batch__kind_file_hash"), "import_batch", type_="unique")
    op.create_index("ix__import_batch__kind_file_hash", "import_batch", ["kind", "file_hash"])
