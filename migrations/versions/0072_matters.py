"""One sentence of a resident or an agent becomes a matter of the right office."""

import sqlalchemy as sa
from alembic import op

revision = "0072"
down_revision = "0071"
STEP = "expand"

_UNANSWERED = sa.text("state in ('open', 'taken', 'reopened')")
_MATTER = {
    "kind": "kind in ('NOT_LISTED', 'NAME_WRONG', 'PHONE_CHANGED', 'PAID_ELSEWHERE_MEDICAL', 'PAID_ELSEWHERE_PENSION',"
    " 'DIED', 'AWAY', 'NOT_MY_PAYMENT', 'PAID_NOT_SHOWN', 'NOT_MY_FAMILY')",
    "office": "office in ('medical', 'hrss', 'tax_clerk')",
    "state": "state in ('open', 'taken', 'answered', 'closed', 'reopened')",
    "whom": "(kind = 'NOT_LISTED') = (person_id is null)",
    "taken": "state = 'open' or state = 'reopened' or taken_by is not null",
    "answered": "(answered_by is null) = (answered_at is null) and"
    " (state not in ('answered', 'closed', 'reopened') or answered_by is not null)",
    "two_people": "answered_by <> by",
}


def upgrade() -> None:
    op.create_table(
        "matter",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False, cycle=False), nullable=False),
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("kind", "office")),
        sa.Column("person_id", sa.BigInteger(), nullable=True),
        sa.Column("village_code", sa.Text(), nullable=True),
        sa.Column("words", sa.LargeBinary(), nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=False),
        sa.Column("state", sa.Text(), server_default="open", nullable=False),
        sa.Column("turn", sa.SmallInteger(), server_default=sa.text("1"), nullable=False),
        sa.Column("taken_by", sa.Text(), nullable=True),
        sa.Column("taken_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("answer", sa.LargeBinary(), nullable=True),
        sa.Column("answered_by", sa.Text(), nullable=True),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("again", sa.LargeBinary(), nullable=True),
        sa.Column("kept_from", sa.DateTime(timezone=True), nullable=False),
        *(sa.CheckConstraint(condition, name=op.f(f"ck__matter__{name}")) for name, condition in _MATTER.items()),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk__matter__person_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk__matter")),
    )
    op.create_index("ix__matter__person_id", "matter", ["person_id"])
    op.create_index("ix__matter__village_code", "matter", ["village_code"])
    op.create_index("ix__matter__unanswered", "matter", ["office", "due_on"], postgresql_where=_UNANSWERED)
    op.create_index(
        "uq__matter__unanswered", "matter", ["person_id", "kind"], unique=True, postgresql_where=_UNANSWERED
    )
