"""Refunds step by step, transfers in place of the way back, and money in doubt with days, proposals and solutions."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0015"
down_revision = "0014"

BEFORE = "'applied', 'accepted', 'reviewed'"
STATES = f"{BEFORE}, 'rejected', 'approved', 'paying', 'paid', 'abnormal', 'failed'"


def upgrade() -> None:
    _refund()
    _refund_step()
    _refund_transfer()
    _suspense()
    op.execute(
        "drop function if exists refund_apply(bigint, text, text, text, bigint[], text, text, timestamptz);"
        "drop function if exists refund_approve(bigint, text, text, timestamptz, date, timestamptz)"
    )


def _refund() -> None:
    op.add_column("refund", sa.Column("why", sa.Text(), server_default="twice", nullable=False))
    op.execute("update refund set why = 'surplus' where held is not null")
    op.alter_column("refund", "why", server_default=None)
    op.add_column("refund", sa.Column("owner", sa.Text(), server_default="refund_desk", nullable=False))
    op.add_column("refund_bill", sa.Column("replacement", postgresql.JSONB(), nullable=True))
    op.drop_constraint(op.f("ck__refund__state"), "refund")
    op.create_check_constraint(op.f("ck__refund__state"), "refund", f"state in ({STATES})")
    op.drop_constraint(op.f("ck__refund__decided"), "refund")
    op.create_check_constraint(op.f("ck__refund__decided"), "refund", f"(state in ({BEFORE})) = (decided_by is null)")


def _refund_step() -> None:
    op.create_table(
        "refund_step",
        sa.Column("household_id", sa.BigInteger(), nullable=False),
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("step", sa.SmallInteger(), nullable=False),
        sa.Column("word", sa.Text(), nullable=False),
        sa.Column("insurance", sa.Text(), nullable=True),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("reason", sa.Text(), server_default="", nullable=False),
        sa.CheckConstraint(
            f"word in ({STATES}, 'transfer_asked', 'transfer_refused')", name=op.f("ck__refund_step__word")
        ),
        sa.CheckConstraint("(word = 'reviewed') = (insurance is not null)", name=op.f("ck__refund_step__insurance")),
        sa.CheckConstraint("word <> 'rejected' or reason <> ''", name=op.f("ck__refund_step__reason")),
        sa.ForeignKeyConstraint(
            ["household_id", "number"], ["refund.household_id", "refund.number"], name="fk__refund_step__refund"
        ),
        sa.PrimaryKeyConstraint("household_id", "number", "step", name=op.f("pk__refund_step")),
    )
    op.create_index(
        "uq__refund_step__one_person_one_step",
        "refund_step",
        ["household_id", "number", "by"],
        unique=True,
        postgresql_where=sa.text("word in ('applied', 'accepted', 'reviewed', 'approved')"),
    )
    op.create_index(
        "uq__refund_step__review",
        "refund_step",
        ["household_id", "number", "insurance"],
        unique=True,
        postgresql_where=sa.text("word = 'reviewed'"),
    )
    op.execute(
        "insert into refund_step (household_id, number, step, word, by, at)"
        " select household_id, number, 1, 'applied', applied_by, applied_at from refund"
    )


def _refund_transfer() -> None:
    op.create_table(
        "refund_transfer",
        sa.Column("household_id", sa.BigInteger(), nullable=False),
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("turn", sa.SmallInteger(), nullable=False),
        sa.Column("holder", sa.Text(), nullable=False),
        sa.Column("name", sa.LargeBinary(), nullable=False),
        sa.Column("account", sa.LargeBinary(), nullable=False),
        sa.Column("last4", sa.Text(), nullable=False),
        sa.Column("bank", sa.Text(), nullable=False),
        sa.Column("proof", sa.Text(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=True),
        sa.Column("state", sa.Text(), server_default="asked", nullable=False),
        sa.Column("asked_by", sa.Text(), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("decided_by", sa.Text(), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("holder in ('insured', 'heir')", name=op.f("ck__refund_transfer__holder")),
        sa.CheckConstraint(
            "last4 ~ '^[0-9]{4}$' and bank <> '' and proof <> ''", name=op.f("ck__refund_transfer__proven")
        ),
        sa.CheckConstraint("(state = 'asked') = (decided_by is null)", name=op.f("ck__refund_transfer__decided")),
        sa.CheckConstraint("state in ('asked', 'agreed', 'refused')", name=op.f("ck__refund_transfer__state")),
        sa.CheckConstraint("decided_by <> asked_by", name=op.f("ck__refund_transfer__two_people")),
        sa.ForeignKeyConstraint(
            ["household_id", "number"], ["refund.household_id", "refund.number"], name="fk__refund_transfer__refund"
        ),
        sa.PrimaryKeyConstraint("household_id", "number", "turn", name=op.f("pk__refund_transfer")),
    )
    op.create_index(
        "uq__refund_transfer__standing",
        "refund_transfer",
        ["household_id", "number"],
        unique=True,
        postgresql_where=sa.text("state <> 'refused'"),
    )


def _suspense() -> None:
    op.add_column("suspense", sa.Column("owned_on", sa.Date(), nullable=True))
    op.add_column("suspense", sa.Column("due_on", sa.Date(), nullable=True))
    op.execute(
        "update suspense set owned_on = (created_at at time zone 'Asia/Shanghai')::date + 1,"
        " due_on = (created_at at time zone 'Asia/Shanghai')::date + 7"
    )
    op.alter_column("suspense", "owned_on", nullable=False)
    op.alter_column("suspense", "due_on", nullable=False)
    op.add_column("suspense", sa.Column("bills_household", sa.BigInteger(), nullable=True))
    op.add_column("suspense", sa.Column("bills", sa.ARRAY(sa.BigInteger()), nullable=True))
    op.add_column("suspense", sa.Column("proposed_by", sa.Text(), nullable=True))
    op.add_column("suspense", sa.Column("solved_by", sa.Text(), nullable=True))
    op.add_column("suspense", sa.Column("solution", sa.Text(), nullable=True))
    op.execute(
        "update suspense s set solution = 'given_back', solved_by = coalesce((select r.decided_by from refund r"
        " where r.household_id = s.household_id and r.receipt = s.cause and r.state <> 'rejected' limit 1), 'rule')"
        " where solved_at is not null"
    )
    op.create_check_constraint(op.f("ck__suspense__solved_by"), "suspense", "(solved_at is null) = (solved_by is null)")
    op.create_check_constraint(op.f("ck__suspense__solution"), "suspense", "(solved_at is null) = (solution is null)")
    op.create_check_constraint(op.f("ck__suspense__solutions"), "suspense", "solution in ('applied', 'given_back')")
    op.create_table(
        "suspense_step",
        sa.Column("household_id", sa.BigInteger(), nullable=False),
        sa.Column("cause", sa.Text(), nullable=False),
        sa.Column("step", sa.SmallInteger(), nullable=False),
        sa.Column("word", sa.Text(), nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("reason", sa.Text(), server_default="", nullable=False),
        sa.CheckConstraint(
            "word in ('taken', 'kept', 'proposed', 'applied', 'given_back')", name=op.f("ck__suspense_step__word")
        ),
        sa.ForeignKeyConstraint(
            ["household_id", "cause"],
            ["suspense.household_id", "suspense.cause"],
            name="fk__suspense_step__suspense",
        ),
        sa.PrimaryKeyConstraint("household_id", "cause", "step", name=op.f("pk__suspense_step")),
    )
