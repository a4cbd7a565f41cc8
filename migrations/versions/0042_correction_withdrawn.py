"""Who asked for a name to be put right takes it back."""

from alembic import op

revision = "0042"
down_revision = "0041"


def upgrade() -> None:
    _anew("state", "state in ('asked', 'done', 'refused', 'withdrawn')")
    _anew("two_people", "(decided_by = asked_by) = (state = 'withdrawn')")


def _anew(name: str, condition: str) -> None:
    op.drop_constraint(op.f(f"ck__name_correction__{name}"), "name_correction")
    op.create_check_constraint(op.f(f"ck__name_correction__{name}"), "name_correction", condition)
