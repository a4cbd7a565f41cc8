"""Two levy years side by side: which are collected, and what the register said of a former one."""

import sqlalchemy as sa
from alembic import op

revision = "0056"
down_revision = "0055"
STEP = "expand"


def _of_a_person() -> list[sa.Column]:
    return [
        sa.Column("levy_year", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("person_id", sa.BigInteger(), nullable=False),
    ]


def upgrade() -> None:
    op.create_table(
        "levy_year",
        sa.Column("year", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("opened_by", sa.Text(), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("closed_by", sa.Text(), nullable=True),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("(closed_by is null) = (closed_at is null)", name=op.f("ck__levy_year__closed")),
        sa.PrimaryKeyConstraint("year", name=op.f("pk__levy_year")),
    )
    op.create_table(
        "former_person",
        *_of_a_person(),
        sa.Column("residence", sa.Text(), nullable=False),
        sa.Column("student", sa.Boolean(), nullable=False),
        sa.Column("family_type", sa.Text(), nullable=False),
        sa.Column("spouse_birth", sa.Date(), nullable=True),
        sa.Column("permit_to", sa.Date(), nullable=True),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk__former_person__person_id__person")),
        sa.PrimaryKeyConstraint("levy_year", "person_id", name=op.f("pk__former_person")),
    )
    op.create_table(
        "former_enrolment",
        *_of_a_person(),
        sa.Column("insurance", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("last_tier", sa.BigInteger(), nullable=True),
        sa.Column("employee_insured", sa.Boolean(), nullable=False),
        sa.Column("insured_elsewhere", sa.Text(), nullable=False),
        sa.CheckConstraint("status in ('NORMAL', 'PAUSED', 'ENDED')", name=op.f("ck__former_enrolment__status")),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk__former_enrolment__person_id__person")),
        sa.PrimaryKeyConstraint("levy_year", "person_id", "insurance", name=op.f("pk__former_enrolment")),
    )
    op.create_table(
        "former_category",
        *_of_a_person(),
        sa.Column("insurance", sa.Text(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk__former_category__person_id__person")),
        sa.PrimaryKeyConstraint("levy_year", "person_id", "insurance", "code", name=op.f("pk__former_category")),
    )
