"""What an account has paid is found by the account: whom it paid for it may have let go since. And who of those that
share its phone is its holder."""

import sqlalchemy as sa
from alembic import op

revision = "0038"
down_revision = "0037"


def upgrade() -> None:
    op.create_index(op.f("ix__payment__started_by"), "payment", ["started_by"])
    op.add_column(
        "resident_account",
        sa.Column(
            "holder",
            sa.BigInteger(),
            sa.ForeignKey("person.id", name=op.f("fk__resident_account__holder__person")),
            nullable=True,
        ),
    )
