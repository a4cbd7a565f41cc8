"""What a payer told of himself in a complaint is read in full for a reason, as a person's numbers are."""

from alembic import op

revision = "0048"
down_revision = "0047"


def upgrade() -> None:
    op.drop_constraint(op.f("ck__disclosure__what"), "disclosure")
    op.create_check_constraint(op.f("ck__disclosure__what"), "disclosure", "what in ('numbers', 'list', 'complaint')")
