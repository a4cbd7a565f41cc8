"""Who has a case in hand is written down; who applied may withdraw it before anybody has it, and may add words and a
picture."""

import sqlalchemy as sa
from alembic import op

revision = "0068"
down_revision = "0067"
STEP = "expand"

_STATES = "state in ('applied', 'checking', 'approved', 'rejected', 'withdrawn')"
_WITHDRAWN = "(state = 'withdrawn') = (withdrawn_by is not null and withdrawn_at is not null)"


def upgrade() -> None:
    for name in ("checked", "withdrawn"):
        op.add_column("determination", sa.Column(f"{name}_by", sa.Text(), nullable=True))
        op.add_column("determination", sa.Column(f"{name}_at", sa.DateTime(timezone=True), nullable=True))
    op.drop_constraint(op.f("ck__determination__state"), "determination")
    _check("state", _STATES)
    _check("withdrawn", _WITHDRAWN)
    op.execute("insert into determination_move values ('applied', 'withdrawn')")
    op.create_table(
        "determination_evidence",
        sa.Column("determination_id", sa.BigInteger(), nullable=False),
        sa.Column("words", sa.LargeBinary(), nullable=False),
        sa.Column("picture", sa.LargeBinary(), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["determination_id"],
            ["determination.id"],
            name=op.f("fk__determination_evidence__determination_id"),
        ),
        sa.PrimaryKeyConstraint("determination_id", name=op.f("pk__determination_evidence")),
    )


def _check(name: str, condition: str) -> None:
    op.create_check_constraint(
        op.f(f"ck__determination__{name}"), "determination", condition, postgresql_not_valid=True
    )
