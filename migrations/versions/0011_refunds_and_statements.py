"""Refunds of receipts and their bills; gateways' statements as they came and line by line."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    op.drop_index("uq__bill__levy_item", "bill")
    op.create_index(
        "uq__bill__levy_item",
        "bill",
        ["household_id", "person_id", "insurance", "levy_year"],
        unique=True,
        postgresql_where=sa.text("state not in ('withdrawn', 'refunded')"),
    )
    op.drop_constraint(op.f("ck__bill__state"), "bill")
    op.create_check_constraint(op.f("ck__bill__state"), "bill", "state in ('open', 'settled', 'withdrawn', 'refunded')")
    op.drop_constraint(op.f("ck__bill__settled_by"), "bill")
    op.create_check_constraint(
        op.f("ck__bill__settled_by"), "bill", "(state in ('settled', 'refunded')) = (settled_by is not null)"
    )
    op.create_table(
        "refund_move",
        sa.Column("from_state", sa.Text(), nullable=False),
        sa.Column("to_state", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("from_state", "to_state", name=op.f("pk__refund_move")),
    )
    op.create_table(
        "statement",
        sa.Column("gateway", sa.Text(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("state", sa.Text(), server_default="waiting", nullable=False),
        sa.Column("tries", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("next_try_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("trouble", sa.Text(), server_default="", nullable=False),
        sa.Column("alerted", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=True),
        sa.Column("lines", sa.Integer(), nullable=True),
        sa.Column("received", sa.BigInteger(), nullable=True),
        sa.Column("refunded", sa.BigInteger(), nullable=True),
        sa.Column("fee", sa.BigInteger(), nullable=True),
        sa.Column("fetched_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("state in ('waiting', 'whole', 'empty')", name=op.f("ck__statement__state")),
        sa.PrimaryKeyConstraint("gateway", "day", name=op.f("pk__statement")),
    )
    op.create_table(
        "statement_piece",
        sa.Column("gateway", sa.Text(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("piece", sa.Integer(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("gateway", "day", "piece", name=op.f("pk__statement_piece")),
    )
    op.create_table(
        "statement_row",
        sa.Column("gateway", sa.Text(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("row", sa.Integer(), nullable=False),
        sa.Column("movement", sa.Text(), nullable=False),
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("reference", sa.Text(), nullable=False),
        sa.Column("refund_number", sa.Text(), nullable=False),
        sa.Column("refund_reference", sa.Text(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("fee", sa.BigInteger(), nullable=False),
        sa.Column("happened_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("their_word", sa.Text(), nullable=False),
        sa.CheckConstraint("amount >= 0", name=op.f("ck__statement_row__amount")),
        sa.PrimaryKeyConstraint("gateway", "day", "row", name=op.f("pk__statement_row")),
    )
    op.create_table(
        "refund",
        sa.Column("household_id", sa.BigInteger(), nullable=False),
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("receipt", sa.Text(), nullable=False),
        sa.Column("held", sa.Text(), nullable=True),
        sa.Column("gateway", sa.Text(), nullable=False),
        sa.Column("payment", sa.Text(), nullable=False),
        sa.Column("reference", sa.Text(), nullable=False),
        sa.Column("ordered_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("paid", sa.BigInteger(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), server_default="applied", nullable=False),
        sa.Column("sent_as", sa.Text(), nullable=False),
        sa.Column("applied_by", sa.Text(), nullable=False),
        sa.Column("applied_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("decided_by", sa.Text(), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("refund_reference", sa.Text(), nullable=True),
        sa.Column("paid_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("their_word", sa.Text(), server_default="", nullable=False),
        sa.Column("next_query_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("queries", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.CheckConstraint("(state = 'paid') = (paid_at is not null)", name=op.f("ck__refund__paid_at")),
        sa.CheckConstraint("(state in ('applied')) = (decided_by is null)", name=op.f("ck__refund__decided")),
        sa.CheckConstraint(
            "state in ('applied', 'rejected', 'approved', 'paying', 'paid', 'abnormal', 'failed')",
            name=op.f("ck__refund__state"),
        ),
        sa.CheckConstraint("amount > 0 and amount <= paid", name=op.f("ck__refund__amount")),
        sa.CheckConstraint("decided_by is null or decided_by <> applied_by", name=op.f("ck__refund__two_people")),
        sa.ForeignKeyConstraint(
            ["household_id", "receipt"], ["entry.household_id", "entry.cause"], name="fk__refund__entry"
        ),
        sa.PrimaryKeyConstraint("household_id", "number", name=op.f("pk__refund")),
    )
    op.create_index(
        "ix__refund__next_query_at",
        "refund",
        ["next_query_at"],
        unique=False,
        postgresql_where=sa.text("next_query_at is not null"),
    )
    op.create_index(
        "uq__refund__held",
        "refund",
        ["household_id", "receipt"],
        unique=True,
        postgresql_where=sa.text("held is not null and state <> 'rejected'"),
    )
    op.create_index("uq__refund__sent_as", "refund", ["household_id", "sent_as"], unique=True)
    op.create_table(
        "refund_bill",
        sa.Column("household_id", sa.BigInteger(), nullable=False),
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("bill_id", sa.BigInteger(), nullable=False),
        sa.Column("live", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.ForeignKeyConstraint(
            ["household_id", "bill_id"], ["bill.household_id", "bill.id"], name="fk__refund_bill__bill"
        ),
        sa.ForeignKeyConstraint(
            ["household_id", "number"], ["refund.household_id", "refund.number"], name="fk__refund_bill__refund"
        ),
        sa.PrimaryKeyConstraint("household_id", "number", "bill_id", name=op.f("pk__refund_bill")),
    )
    op.create_index(
        "uq__refund_bill__live",
        "refund_bill",
        ["household_id", "bill_id"],
        unique=True,
        postgresql_where=sa.text("live"),
    )
