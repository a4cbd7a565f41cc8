"""Bills, payments, what was received, money in doubt."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.create_table(
        "payment",
        sa.Column("household_id", sa.BigInteger(), nullable=False),
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("gateway", sa.Text(), nullable=False),
        sa.Column("merchant", sa.Text(), nullable=False),
        sa.Column("app", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("payer", sa.LargeBinary(), nullable=True),
        sa.Column("state", sa.Text(), server_default="created", nullable=False),
        sa.Column("checkout", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("reference", sa.Text(), nullable=True),
        sa.Column("started_by", sa.Text(), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("paid_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("next_query_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("queries", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("check_code", sa.Text(), nullable=False),
        sa.Column("memo", postgresql.JSONB(astext_type=sa.Text()), server_default="{}", nullable=False),
        sa.CheckConstraint(
            "(state in ('paid', 'surplus')) = (reference is not null)", name=op.f("ck__payment__reference")
        ),
        sa.CheckConstraint(
            "state in ('created', 'pending', 'unknown', 'closing', 'paid', 'surplus', 'closed', 'failed')",
            name=op.f("ck__payment__state"),
        ),
        sa.CheckConstraint("amount > 0", name=op.f("ck__payment__amount")),
        sa.PrimaryKeyConstraint("household_id", "number", name=op.f("pk__payment")),
    )
    op.create_index("ix__payment__check_code", "payment", ["check_code"], unique=False)
    op.create_index(
        "ix__payment__next_query_at",
        "payment",
        ["next_query_at"],
        unique=False,
        postgresql_where=sa.text("next_query_at is not null"),
    )
    op.create_table(
        "payment_move",
        sa.Column("from_state", sa.Text(), nullable=False),
        sa.Column("to_state", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("from_state", "to_state", name=op.f("pk__payment_move")),
    )
    op.create_table(
        "received",
        sa.Column("household_id", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("gateway", sa.Text(), nullable=False),
        sa.Column(
            "received_at", sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False
        ),
        sa.Column("headers", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("event_id", sa.Text(), nullable=False),
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("verdict", sa.Text(), nullable=False),
        sa.Column("result", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("household_id", "id", name=op.f("pk__received")),
    )
    op.create_index(
        "ix__received__failed",
        "received",
        ["received_at"],
        unique=False,
        postgresql_where=sa.text("starts_with(result, 'failed')"),
    )
    op.create_table(
        "request_key",
        sa.Column("key", sa.LargeBinary(), nullable=False),
        sa.Column("body_hash", sa.LargeBinary(), nullable=False),
        sa.Column("household_id", sa.BigInteger(), nullable=False),
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk__request_key")),
    )
    op.create_table(
        "suspense",
        sa.Column("household_id", sa.BigInteger(), nullable=False),
        sa.Column("cause", sa.Text(), nullable=False),
        sa.Column("doubt", sa.Text(), nullable=False),
        sa.Column("owner", sa.Text(), nullable=False),
        sa.Column("gateway", sa.Text(), nullable=False),
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("solved_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("doubt <> '' and owner <> ''", name=op.f("ck__suspense__owned")),
        sa.PrimaryKeyConstraint("household_id", "cause", name=op.f("pk__suspense")),
    )
    op.create_index(
        "ix__suspense__open", "suspense", ["created_at"], unique=False, postgresql_where=sa.text("solved_at is null")
    )
    op.create_table(
        "bill",
        sa.Column("household_id", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("person_id", sa.BigInteger(), nullable=False),
        sa.Column("insurance", sa.Text(), nullable=False),
        sa.Column("levy_year", sa.SmallInteger(), nullable=False),
        sa.Column("tier", sa.BigInteger(), nullable=True),
        sa.Column("total", sa.BigInteger(), nullable=False),
        sa.Column("personal_due", sa.BigInteger(), nullable=False),
        sa.Column("reason_code", sa.Text(), nullable=False),
        sa.Column("price_until", sa.DateTime(timezone=True), nullable=False),
        sa.Column("benefit_start", sa.Date(), nullable=True),
        sa.Column("state", sa.Text(), server_default="open", nullable=False),
        sa.Column("settled_by", sa.Text(), nullable=True),
        sa.Column("settled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("issued_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("(state = 'settled') = (settled_by is not null)", name=op.f("ck__bill__settled_by")),
        sa.CheckConstraint("state in ('open', 'settled', 'withdrawn')", name=op.f("ck__bill__state")),
        sa.CheckConstraint("personal_due >= 0 and total >= personal_due", name=op.f("ck__bill__amounts")),
        sa.ForeignKeyConstraint(
            ["household_id", "settled_by"], ["entry.household_id", "entry.cause"], name="fk__bill__entry"
        ),
        sa.PrimaryKeyConstraint("household_id", "id", name=op.f("pk__bill")),
    )
    op.create_index("ix__bill__person_id", "bill", ["person_id"], unique=False)
    op.create_index(
        "uq__bill__levy_item",
        "bill",
        ["household_id", "person_id", "insurance", "levy_year"],
        unique=True,
        postgresql_where=sa.text("state <> 'withdrawn'"),
    )
    op.create_table(
        "bill_line",
        sa.Column("household_id", sa.BigInteger(), nullable=False),
        sa.Column("bill_id", sa.BigInteger(), nullable=False),
        sa.Column("line", sa.SmallInteger(), nullable=False),
        sa.Column("part", sa.Text(), nullable=False),
        sa.Column("payer", sa.Text(), nullable=False),
        sa.Column("fund", sa.Text(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("clause", sa.Text(), server_default="", nullable=False),
        sa.Column("evidence", sa.Text(), server_default="", nullable=False),
        sa.CheckConstraint("amount > 0", name=op.f("ck__bill_line__amount")),
        sa.ForeignKeyConstraint(
            ["household_id", "bill_id"], ["bill.household_id", "bill.id"], name="fk__bill_line__bill"
        ),
        sa.PrimaryKeyConstraint("household_id", "bill_id", "line", name=op.f("pk__bill_line")),
    )
    op.create_table(
        "payment_bill",
        sa.Column("household_id", sa.BigInteger(), nullable=False),
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("bill_id", sa.BigInteger(), nullable=False),
        sa.Column("live", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.ForeignKeyConstraint(
            ["household_id", "bill_id"], ["bill.household_id", "bill.id"], name="fk__payment_bill__bill"
        ),
        sa.ForeignKeyConstraint(
            ["household_id", "number"], ["payment.household_id", "payment.number"], name="fk__payment_bill__payment"
        ),
        sa.PrimaryKeyConstraint("household_id", "number", "bill_id", name=op.f("pk__payment_bill")),
    )
    op.create_index(
        "uq__payment_bill__live",
        "payment_bill",
        ["household_id", "bill_id"],
        unique=True,
        postgresql_where=sa.text("live"),
    )
