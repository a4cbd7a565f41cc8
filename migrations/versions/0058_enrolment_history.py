"""Which levy years a person had the medical insurance, and where he learns, of a former year as it was known then; a
bureau may be asked for the years, and its word names them and no money."""

import sqlalchemy as sa
from alembic import op

revision = "0058"
down_revision = "0057"
STEP = "expand"

_KINDS = "kind in ('policy_backpay', 'interrupted_backpay', 'newborn', 'late_waiver', 'enrolment_history')"
_YEARS = (
    "state <> 'approved' or kind <> 'enrolment_history'"
    " or (coalesce(cardinality(years), 0) > 0 and amount is null and benefit_start is null)"
)
_SCHOOLS = "school in ('none', 'pupil', 'university')"


def upgrade() -> None:
    for table in ("person", "former_person"):
        op.add_column(table, sa.Column("school", sa.Text(), server_default="none", nullable=False))
        op.add_column(table, sa.Column("medical_years", sa.ARRAY(sa.SmallInteger()), nullable=True))
        _check(table, "school", _SCHOOLS)
    op.drop_constraint(op.f("ck__determination__kind"), "determination")
    _check("determination", "kind", _KINDS)
    _check("determination", "history_years", _YEARS)


def _check(table: str, name: str, condition: str) -> None:
    op.create_check_constraint(op.f(f"ck__{table}__{name}"), table, condition, postgresql_not_valid=True)
